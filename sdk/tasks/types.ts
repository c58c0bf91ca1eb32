/** Typed results: what a caller of `localize`, `parse` and `segment` gets. Times are seconds from the start of the clip. */
import type { Warning } from '../errors.ts';

/** A stretch of time with one label. */
export type Event = {
  label: string;
  /** Index of `label` in the result's `classes`. */
  classIndex: number;
  start: number;
  end: number;
  /** Mean probability of the label over the event's seconds, 0 to 1. */
  confidence: number;
};

/** An event of video parsing: heard, seen, or both. */
export type ParsedEvent = Event & { modality: 'audio' | 'visual' | 'audio-visual' };

type ResultBase = {
  /** Id of the adapter that answered. */
  adapter: string;
  /** Seconds. */
  duration: number;
  /** True if the adapter's weights were never trained: the result then means nothing. */
  untrained: boolean;
  warnings: Warning[];
};

export type LocalizationSecond = {
  start: number;
  end: number;
  /** The most probable class, or null for background. */
  label: string | null;
  /** Softmax over `classes` and, last, background: [classes + 1]. */
  probabilities: number[];
};
export type LocalizationResult = ResultBase & {
  task: 'localize';
  classes: string[];
  /** Events both seen and heard, by start time. */
  events: Event[];
  seconds: LocalizationSecond[];
};

export type ParsingSecond = {
  start: number;
  end: number;
  /** Probability per class, independent of each other: [classes]. */
  audio: number[];
  visual: number[];
};
export type ParsingResult = ResultBase & {
  task: 'parse';
  classes: string[];
  events: ParsedEvent[];
  seconds: ParsingSecond[];
};

export type Mask = {
  start: number;
  end: number;
  width: number;
  height: number;
  /** Probability that a pixel makes the sound, as 0 to 255: [height, width]. */
  data: Uint8Array;
  /** Share of pixels above one half, 0 to 1. */
  area: number;
};
export type SegmentationResult = ResultBase & { task: 'segment'; masks: Mask[] };

export type TaskResult = LocalizationResult | ParsingResult | SegmentationResult;
