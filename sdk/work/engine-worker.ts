/** What the engine worker runs. */
import { runtimes } from '#runtimes';
import { LocalEngine } from '../engine/engine.ts';
import { exposeEngine } from './engine-bridge.ts';
import { greeted } from './greeted.ts';

greeted('engine', (port) => exposeEngine(new LocalEngine(runtimes), port));
