/** Types of truth.js. */
import type { Event, ParsedEvent, TaskResult } from '../sdk/index.ts';
import type { ToyEvent } from '../sdk/toybox/index.ts';

/** What is true of a clip; as JSON it lies beside the clip that the page shows. */
export type ClipTruth = {
  /** Whole number. */
  seconds: number;
  events: ToyEvent[];
  /** Per second, where something sounds: lengths of runs outside and inside by turns, row by row. Null where the clip is not about pixels. */
  masks: { width: number; height: number; runs: number[][] } | null;
};

export type ComparedLane = {
  modality: ParsedEvent['modality'];
  /** For people: `Heard`, `Seen`, `Seen and heard`. */
  title: string;
  found: Event[];
  truth: ToyEvent[];
  /** Per second: is what was found what is true? */
  right: boolean[];
};

export type Comparison = {
  /** None for segmentation. */
  lanes: ComparedLane[];
  /** Per second for segmentation, else null: intersection over union of mask and truth, 1 where both are empty. */
  overlaps: number[] | null;
  /** Seconds that are right, and all; parsing counts each second twice, once for each sense. */
  right: number;
  total: number;
};

/** Compares a result with the truth, second by second. A mask is right where it overlaps the truth by one half or more. */
export function compare(result: TaskResult, truth: ClipTruth): Comparison;

/** Labels that are true in a second, for a lane's modality. */
export function labelsAt(truth: ClipTruth, modality: ParsedEvent['modality'], second: number): string[];

/** The true mask of a second: 1 where something sounds, [height, width]. Empty where the truth has no masks. */
export function maskAt(truth: ClipTruth, second: number): Uint8Array;

/** The runs of a mask: pixels other than 0 are inside. */
export function runsOf(mask: ArrayLike<number>): number[];
