/** What writers of results are given: a result, several, or a whole analysis; and the events in it, whatever their task. */
import type { AudioTrack, VideoTrack } from '../contract/clip.ts';
import type { EngineInfo } from '../contract/engine-info.ts';
import { checkArgument, record } from '../contract/options.ts';
import { TASKS } from '../contract/task.ts';
import type { Warning } from '../errors.ts';
import { modalityOf } from './timeline.ts';
import type { ParsedEvent, TaskResult } from './types.ts';

/** What a task answered, several such answers, or a whole analysis. */
export type Results = TaskResult | readonly TaskResult[] | AnalysisLike;
/** The part of an {@link Analysis} that is written. */
export type AnalysisLike = Pick<DocumentInfo, 'duration' | 'video' | 'audio' | 'warnings' | 'timing'> & {
  results: readonly TaskResult[];
};

/** What is known about the clip besides its results. Only `source` must be given; of an analysis the rest is known, save `engine`. */
export type DocumentInfo = {
  /** Name of the clip, for people. */
  source: string;
  /** Seconds; default: that of the first result. */
  duration?: number;
  /** The picture; null where there is none. */
  video?: VideoTrack | null;
  /** The sound; null where there is none. */
  audio?: AudioTrack | null;
  /** Warnings about the clip as a whole. */
  warnings?: readonly Warning[];
  /** What `info()` said; null where it is not to be told. */
  engine?: EngineInfo | null;
  /** As `analyze` measured it. */
  timing?: Timing | null;
};

/** Milliseconds. */
export type Timing = {
  /** Spent waiting for the decoder; overlaps with `modelMs`. */
  decodeMs: number;
  /** Spent in the models. */
  modelMs: number;
  /** From first to last. */
  totalMs: number;
};

/** Throws `invalid-argument` for what is neither a result, nor a list of them, nor an analysis. */
export function resultsOf(from: Results): readonly TaskResult[] {
  const isResult = (value: unknown): boolean => record.fits(value) && TASKS.includes((value as TaskResult).task);
  const results = isResult(from) ? [from as TaskResult] : record.fits(from) ? (from as AnalysisLike).results : from;
  const expected = 'a result, a list of results, or what analyze() gave';
  checkArgument(results === undefined ? from : results, { expected, fits: (all) => Array.isArray(all) }, 'results');
  for (const result of results as unknown[])
    checkArgument(result, { expected: 'a result', fits: isResult }, 'each of results');
  return results as TaskResult[];
}

/** An event and the adapter that found it. */
export type FoundEvent = ParsedEvent & { adapter: string };

/** Events of all results by start time; one of localization is `audio-visual` or of the sense that alone decides, segmentation has none. */
export function foundEvents(results: readonly TaskResult[]): FoundEvent[] {
  return results
    .flatMap((result): FoundEvent[] => {
      const { adapter } = result;
      if (result.task === 'segment') return [];
      if (result.task === 'parse') return result.events.map((event) => ({ ...event, adapter }));
      const modality = modalityOf(result);
      return result.events.map((event) => ({ ...event, modality, adapter }));
    })
    .sort((a, b) => a.start - b.start || a.end - b.end);
}
