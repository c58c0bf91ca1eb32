/** Typed results: what a caller of `localize`, `parse` and `segment` gets. Times are seconds from the start of the clip. */
import type { Warning } from '../errors.ts';

/** A stretch of time with one label. */
export type Event = {
  /** Name of the class. */
  label: string;
  /** Index of `label` in the result's `classes`. */
  classIndex: number;
  /** Seconds. */
  start: number;
  /** Seconds; never after the clip. */
  end: number;
  /** Mean probability of the label over the event's seconds, 0 to 1. */
  confidence: number;
};

/** An event of video parsing: heard, seen, or both. */
export type ParsedEvent = Event & {
  /** Whether it is heard, seen, or both at once. */
  modality: 'audio' | 'visual' | 'audio-visual';
};

/** What every result has. */
export type ResultBase = {
  /** Id of the adapter that answered. */
  adapter: string;
  /** Seconds. */
  duration: number;
  /** True if the adapter's weights were never trained: the result then means nothing. */
  untrained: boolean;
  /** What there is to know about this result. */
  warnings: Warning[];
};

/** One second of a {@link LocalizationResult}. */
export type LocalizationSecond = {
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** The most probable class, or null for background. */
  label: string | null;
  /** Softmax over `classes` and, last, background: [classes + 1]. */
  probabilities: number[];
};
/** Which event is both seen and heard. */
export type LocalizationResult = ResultBase & {
  /** Tells results apart. */
  task: 'localize';
  /** Labels that the adapter knows, background not among them. */
  classes: string[];
  /** Events both seen and heard, by start time. */
  events: Event[];
  /** Second by second. */
  seconds: LocalizationSecond[];
};

/** One second of a {@link ParsingResult}. */
export type ParsingSecond = {
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** Probability per class, independent of each other: [classes]. */
  audio: number[];
  /** As `audio`, of what is seen. */
  visual: number[];
};
/** Which events are heard, which are seen, which both. */
export type ParsingResult = ResultBase & {
  /** Tells results apart. */
  task: 'parse';
  /** Labels that the adapter knows. */
  classes: string[];
  /** By start time. */
  events: ParsedEvent[];
  /** Second by second. */
  seconds: ParsingSecond[];
};

/** Where it sounds, in one second. */
export type Mask = {
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** Pixels of the mask, not of the clip: stretch it over the picture. */
  width: number;
  /** As `width`. */
  height: number;
  /** Probability that a pixel makes the sound, as 0 to 255: [height, width]. */
  data: Uint8Array;
  /** Share of pixels above one half, 0 to 1. */
  area: number;
};
/** Which pixels make the sound. */
export type SegmentationResult = ResultBase & {
  /** Tells results apart. */
  task: 'segment';
  /** One per second. */
  masks: Mask[];
};

/** What an adapter found, told apart by `task`. */
export type TaskResult = LocalizationResult | ParsingResult | SegmentationResult;
