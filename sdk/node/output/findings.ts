/** All that is known about one clip after an analysis: what the writers write. */
import type { Analysis } from '../../analyze.ts';
import type { RgbImage } from '../../contract/clip.ts';
import type { EngineInfo } from '../../contract/engine-info.ts';

export type Findings = Readonly<Analysis> & {
  /** Name of the clip, for people: not trusted, escaped wherever it is written. */
  name: string;
  /** What the models ran on; null if unknown. */
  engine: EngineInfo | null;
  /** One small picture per second, null where there is none. */
  thumbnails: readonly (RgbImage | null)[];
};
