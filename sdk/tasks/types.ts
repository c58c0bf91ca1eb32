/** Typed results: what a caller of `localize`, `parse` and `segment` gets. Times are seconds from the start of the clip. */
import type { SensesFamiliarity } from '../contract/familiar.ts';
import type { Scope } from '../contract/manifest.ts';
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
  /** Seconds: how finely `start` and `end` are told. 1 where the adapter tells whole seconds, or heard no border within one. */
  resolution: number;
  /** Mean probability of the label over the event's seconds, 0 to 1; never below 0.3, as less probable classes are not named. */
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
  /** What the adapter can answer for: its world, the senses that decide, what it does not know. Null where its maker did not say. */
  scope: Scope | null;
  /** Seconds of which an answer was left out, because they are unlike all that the adapter learned from. 0 where the caller wanted to see everything. */
  withheld: number;
  /** What there is to know about this result. */
  warnings: Warning[];
};

/** One second of a {@link LocalizationResult}. */
export type LocalizationSecond = {
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** The most probable class; null for background, where none is probable enough, and where the answer is withheld. */
  label: string | null;
  /** Softmax over `classes` and, last, background: [classes + 1]. All background where the answer is withheld. */
  probabilities: number[];
  /** 0 to 1, of the less familiar of the senses that decide; null where nobody knows. See {@link SensesFamiliarity}. */
  familiarity: number | null;
  /** True where a class would have been named if the second were familiar. */
  withheld: boolean;
};
/** Which event there is, one at a time: both seen and heard, or whatever its scope says. */
export type LocalizationResult = ResultBase & {
  /** Tells results apart. */
  task: 'localize';
  /** Labels that the adapter knows, background not among them. */
  classes: string[];
  /** By start time. Both seen and heard, if both are in `scope.senses`; an adapter that listens alone tells what is heard. */
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
  /** Probability per class, independent of each other: [classes]. All 0 where the answer is withheld. */
  audio: number[];
  /** As `audio`, of what is seen. */
  visual: number[];
  /** By sense. */
  familiarity: SensesFamiliarity;
  /** True for a sense in which a class would have been named if it were familiar. */
  withheld: {
    /** What is heard. */
    audio: boolean;
    /** What is seen. */
    visual: boolean;
  };
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
  /** 0 to 1, of the less familiar of the senses that decide; null where nobody knows. See {@link SensesFamiliarity}. */
  familiarity: number | null;
  /** True where there would be a mask if the second were familiar; it is empty then. */
  withheld: boolean;
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
