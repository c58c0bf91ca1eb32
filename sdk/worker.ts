/** The worker entry of a page: an engine of this thread, for the thread that made the worker. */
import type { Endpoint } from 'comlink';
import { exposeEngine } from './engine/bridge.ts';
import { LocalEngine } from './engine/engine.ts';
import { loadRuntime } from './page/runtime.ts';

exposeEngine(new LocalEngine(loadRuntime), globalThis as unknown as Endpoint);
