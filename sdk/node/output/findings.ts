/** All that is known about one clip after an analysis: what the writers write. */
import type { Analysis } from '../../analyze.ts';
import type { EngineInfo } from '../../engine/types.ts';
import type { RgbImage } from '../../media/types.ts';

export type Findings = Readonly<Analysis> & {
  /** Name of the clip, for people: not trusted, escaped wherever it is written. */
  name: string;
  /** What the models ran on; null if unknown. */
  engine: EngineInfo | null;
  /** One small picture per second, null where there is none. */
  thumbnails: readonly (RgbImage | null)[];
};
