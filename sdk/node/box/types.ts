/** The part of a Mettle that a box uses. */
import type { Analysis } from '../../analyze.ts';
import type { EngineInfo } from '../../contract/engine-info.ts';
import type { Task } from '../../contract/task.ts';
import type { Moment } from '../../live/watch.ts';

export type BoxSession = {
  info(): EngineInfo;
  analyze(
    source: string,
    options: { tasks?: Task[]; signal?: AbortSignal; onProgress?: () => void },
  ): Promise<Readonly<Analysis>>;
  watch(
    source: string,
    options: { hop?: number; tasks?: Task[]; signal?: AbortSignal },
  ): AsyncIterable<Readonly<Moment>>;
};
