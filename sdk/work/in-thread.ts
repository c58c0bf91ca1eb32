/** Both halves in the caller's thread, for `worker: false`: loaded only then, because it holds demuxer, codecs and runtime. */
import { runtimes } from '#runtimes';
import { LocalEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/types.ts';

export { openHanded } from '../media/clip.ts';
export { openLiveInput } from '../media/live-input.ts';

export const createEngine = (): Engine => new LocalEngine(runtimes);
