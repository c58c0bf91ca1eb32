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
  /** Where the adapter's meta-tokens attended, one per second; there only where `explain` was asked for. */
  explanation?: ExplainedSecond[];
};

/** Numbers on rows and columns. */
export type NumberGrid = {
  /** How many. */
  rows: number;
  /** How many. */
  columns: number;
  /** [rows, columns] */
  data: Float32Array;
};

/** Shares of attention that add up to 1. */
export type AttentionMap = NumberGrid;

/** One layer of the backbone, as meta-tokens read it. */
export type ExplainedLayer = {
  /** The backbone's name for it, such as `visual.s2.b1`: first stage first. */
  tap: string;
  /** The length of what it adds to the meta-tokens, as a share of the lengths of all layers of its sense: 0 to 1, all together 1. */
  weight: number;
  /**
   * Where they attended, the mean over meta-tokens, heads and both paths. Of a picture rows and columns are those of the whole picture. Of sound rows are equal steps of
   * the second and columns are mel bands from low to high. Null where rows and columns of the layer cannot be told.
   */
  map: AttentionMap | null;
};

/** What was attended to in what is seen, or in what is heard. */
export type ExplainedSense = {
  /** All layers that meta-tokens read, from the input on. */
  layers: ExplainedLayer[];
  /** The maps of all layers in one, each as much as its weight says, on the finest rows and columns; null where no layer has one. */
  map: AttentionMap | null;
};

/** Where an adapter's meta-tokens attended in one second. What is seen and what is heard are read apart: neither map knows of the other. */
export type ExplainedSecond = {
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** Null without picture, or where the adapter has no meta-tokens for it. */
  picture: ExplainedSense | null;
  /** Null without sound, or where the adapter has no meta-tokens for it. */
  sound:
    | (ExplainedSense & {
        /** The second as the backbone hears it: steps of time by mel bands, in decibels or natural logarithms, whichever it takes. */
        spectrum: NumberGrid;
      })
    | null;
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
