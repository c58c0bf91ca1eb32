/** All that is known about one clip after an analysis: what the writers write. */
import type { EngineInfo } from '../../engine/types.ts';
import type { Warning } from '../../errors.ts';
import type { AudioTrack, RgbImage, VideoTrack } from '../../media/types.ts';
import type { TaskResult } from '../../tasks/types.ts';

export type Findings = {
  /** Name of the clip, for people: not trusted, escaped wherever it is written. */
  name: string;
  /** Seconds. */
  duration: number;
  segments: number;
  video: VideoTrack | null;
  audio: AudioTrack | null;
  warnings: readonly Warning[];
  results: readonly TaskResult[];
  timing: { decodeMs: number; modelMs: number; totalMs: number };
  /** What the models ran on; null if unknown. */
  engine: EngineInfo | null;
  /** One small picture per second, null where there is none. */
  thumbnails: readonly (RgbImage | null)[];
};
