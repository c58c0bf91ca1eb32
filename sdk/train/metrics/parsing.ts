/**
 * The ten figures of video parsing (LLP): F for what is heard, what is seen and both at once, per second and per event. Computed per video and averaged over
 * videos, as the published evaluation of AVVP does. Everything is 0/1; thresholds belong to {@link decodeParsing}.
 */
import { MettleError } from '../../errors.ts';
import { maximalRuns } from '../../tasks/runs.ts';

/** What is heard and what is seen: 0 or 1, each [seconds, classes]. */
export type Activity = {
  /** What is heard. */
  audio: ArrayLike<number>;
  /** What is seen. */
  visual: ArrayLike<number>;
};

/** In percent. `typeAV` is the mean of the first three; `eventAV` joins the counts of sound and picture before forming F. */
export type ParsingFigures = {
  /** F of what is heard. */
  audio: number;
  /** F of what is seen. */
  visual: number;
  /** F of what is both at once. */
  audioVisual: number;
  /** Type@AV. */
  typeAV: number;
  /** Event@AV. */
  eventAV: number;
};

/** A predicted event is right where it overlaps a true one by at least this (intersection over union), as published. */
const publishedOverlap = 0.5;

/**
 * Active where both the second's probability and the clip's reach the threshold, one for all classes or one per class: `seconds` [seconds, classes],
 * `clip` [classes] -> [seconds, classes].
 */
export function decodeParsing(
  seconds: ArrayLike<number>,
  clip: ArrayLike<number>,
  threshold: number | readonly number[] = 0.5,
): Uint8Array {
  // Outputs are float32: a probability of exactly 0.7 must reach a threshold of 0.7.
  const limits = Array.from(clip, (_, c) => Math.fround(typeof threshold === 'number' ? threshold : threshold[c]!));
  return Uint8Array.from(seconds, (p, index) => {
    const c = index % clip.length;
    return Math.fround(p) >= limits[c]! && Math.fround(clip[c]!) >= limits[c]! ? 1 : 0;
  });
}

/** Averages over videos. */
export class ParsingScore {
  readonly #classes: number;
  readonly #leastOverlap: number;
  readonly #segment: Sums = { audio: 0, visual: 0, audioVisual: 0, eventAV: 0 };
  readonly #event: Sums = { audio: 0, visual: 0, audioVisual: 0, eventAV: 0 };
  #videos = 0;

  /** `classes` is their number; an event is right from an intersection over union of `leastOverlap` on. */
  constructor(classes: number, leastOverlap = publishedOverlap) {
    this.#classes = classes;
    this.#leastOverlap = leastOverlap;
  }

  /** Adds one video. Throws `invalid-argument` if the four arrays differ in length or do not hold whole rows of classes. */
  add(predicted: Activity, truth: Activity): void {
    const arrays = [predicted.audio, predicted.visual, truth.audio, truth.visual];
    const { length } = truth.audio;
    if (arrays.some((array) => array.length !== length) || length % this.#classes !== 0) {
      throw new MettleError(
        'invalid-argument',
        `Arrays of ${arrays.map((array) => array.length).join(', ')} values; expected four of the same length, a multiple of ${this.#classes} classes.`,
      );
    }
    this.#videos++;
    const countEvents: Count = (claimed, actual, classes) =>
      countOverlaps(claimed, actual, classes, this.#leastOverlap);
    for (const [sums, count] of [
      [this.#segment, countSeconds],
      [this.#event, countEvents],
    ] as const) {
      const audio = count(predicted.audio, truth.audio, this.#classes);
      const visual = count(predicted.visual, truth.visual, this.#classes);
      sums.audio += meanF(audio);
      sums.visual += meanF(visual);
      sums.audioVisual += meanF(count(both(predicted), both(truth), this.#classes));
      sums.eventAV += meanF(
        audio.map((one, c) => {
          const other = visual[c]!;
          return { right: one.right + other.right, wrong: one.wrong + other.wrong, missed: one.missed + other.missed };
        }),
      );
    }
  }

  /** Means over the videos added, in percent; 0 if there are none. */
  figures(): {
    /** Second by second. */
    segment: ParsingFigures;
    /** By events that overlap by half. */
    event: ParsingFigures;
  } {
    return { segment: this.#mean(this.#segment), event: this.#mean(this.#event) };
  }

  #mean(sums: Sums): ParsingFigures {
    const percent = (sum: number) => (this.#videos === 0 ? 0 : (100 * sum) / this.#videos);
    const { audio, visual, audioVisual, eventAV } = sums;
    return {
      audio: percent(audio),
      visual: percent(visual),
      audioVisual: percent(audioVisual),
      typeAV: percent((audio + visual + audioVisual) / 3),
      eventAV: percent(eventAV),
    };
  }
}

type Sums = Omit<ParsingFigures, 'typeAV'>;
type Counts = { right: number; wrong: number; missed: number };
type Count = (predicted: ArrayLike<number>, truth: ArrayLike<number>, classes: number) => Counts[];

const both = ({ audio, visual }: Activity): Uint8Array =>
  Uint8Array.from(audio, (on, index) => (on && visual[index] ? 1 : 0));

/** F averaged over the classes that were predicted or are true; 1 where there is none, since nothing was to be found and nothing was claimed. */
function meanF(counts: Counts[]): number {
  const present = counts.filter(({ right, wrong, missed }) => right + wrong + missed > 0);
  if (present.length === 0) return 1;
  const sum = present.reduce(
    (total, { right, wrong, missed }) => total + (2 * right) / (2 * right + wrong + missed),
    0,
  );
  return sum / present.length;
}

function countSeconds(predicted: ArrayLike<number>, truth: ArrayLike<number>, classes: number): Counts[] {
  const counts = Array.from({ length: classes }, (): Counts => ({ right: 0, wrong: 0, missed: 0 }));
  for (let i = 0; i < truth.length; i++) {
    const count = counts[i % classes]!;
    if (predicted[i]) count[truth[i] ? 'right' : 'wrong']++;
    else if (truth[i]) count.missed++;
  }
  return counts;
}

/** Events are maximal runs, and nothing is matched one to one: of one class two runs can never both overlap a third by half, and for less than half any overlap counts, as published. */
function countOverlaps(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  classes: number,
  leastOverlap: number,
): Counts[] {
  return Array.from({ length: classes }, (_, c): Counts => {
    const claimed = runsOf(predicted, c, classes);
    const actual = runsOf(truth, c, classes);
    const right = claimed.filter((event) => actual.some((other) => overlap(event, other) >= leastOverlap)).length;
    const missed = actual.filter((event) => !claimed.some((other) => overlap(event, other) >= leastOverlap)).length;
    return { right, wrong: claimed.length - right, missed };
  });
}

type Span = { first: number; end: number };

const runsOf = (activity: ArrayLike<number>, c: number, classes: number): Span[] =>
  maximalRuns(Array.from({ length: activity.length / classes }, (_, second) => activity[second * classes + c] || null));

function overlap(a: Span, b: Span): number {
  const shared = Math.min(a.end, b.end) - Math.max(a.first, b.first);
  return shared <= 0 ? 0 : shared / (a.end - a.first + b.end - b.first - shared);
}
