/**
 * The two figures of sound segmentation (AVSBench): M_J, the mean overlap, and M_F, an F measure at the best of 255 thresholds. The best threshold is chosen per
 * batch, so M_F depends on the batch size: the published figures use batches of 4 clips in file order, and so does this.
 */
import { MettleError } from '../../errors.ts';

/** Shares, 0 to 1. */
export type SegmentationFigures = {
  /** Mean overlap. */
  mJ: number;
  /** F at the best threshold of each batch. */
  mF: number;
};

/** Clips per batch in the published test scripts. */
export const publishedBatchClips = 4;

const betaSquared = 0.3;

/** 255 steps from 0 to 1 - 1e-10 as float32 has them, from both ends towards the middle. */
const thresholds = Float32Array.from({ length: 255 }, (_, i) => {
  const step = Math.fround(1 / 254);
  return i < 127 ? step * i : 1 - step * (254 - i);
});

/** Averages over frames within a batch, then over batches. Holds a curve of 255 numbers, never a picture. */
export class SegmentationScore {
  readonly #batchClips: number;
  readonly #batches = { count: 0, mJ: 0, mF: 0 };
  #batch = newBatch();

  /** `batchClips` clips share a threshold; default {@link publishedBatchClips}. Throws `invalid-argument` for no whole number from 1 on. */
  constructor(options: { batchClips?: number } = {}) {
    const { batchClips = publishedBatchClips } = options;
    if (!Number.isInteger(batchClips) || batchClips < 1) {
      throw new MettleError('invalid-argument', `batchClips must be a whole number from 1 on, got ${batchClips}.`);
    }
    this.#batchClips = batchClips;
  }

  /**
   * Adds one clip: `logits` [frames, height, width] before the sigmoid, `truth` 0, 1, or -1 for pixels that count for nothing, of the same shape, `pixels` = height * width.
   * Throws `invalid-argument` if the lengths do not fit.
   */
  addClip(logits: ArrayLike<number>, truth: ArrayLike<number>, pixels: number): void {
    if (!(pixels >= 1) || logits.length !== truth.length || logits.length === 0 || logits.length % pixels !== 0) {
      throw new MettleError(
        'invalid-argument',
        `${logits.length} logits and ${truth.length} true pixels; expected the same number, a multiple of ${pixels}.`,
      );
    }
    for (let start = 0; start < logits.length; start += pixels) addFrame(this.#batch, logits, truth, start, pixels);
    this.#batch.clips++;
    if (this.#batch.clips === this.#batchClips) {
      close(this.#batch, this.#batches);
      this.#batch = newBatch();
    }
  }

  /** Means over the batches; an unfinished batch counts as one. 0 if nothing was added. */
  figures(): SegmentationFigures {
    const sums = { ...this.#batches };
    if (this.#batch.clips > 0) close(this.#batch, sums);
    return { mJ: sums.mJ / Math.max(1, sums.count), mF: sums.mF / Math.max(1, sums.count) };
  }
}

type Batch = { clips: number; frames: number; overlap: number; withObject: number; curve: Float64Array };

const newBatch = (): Batch => ({
  clips: 0,
  frames: 0,
  overlap: 0,
  withObject: 0,
  curve: new Float64Array(thresholds.length),
});

/** A batch whose frames are all empty has M_F 0, as published. */
function close(batch: Batch, sums: { count: number; mJ: number; mF: number }): void {
  sums.count++;
  sums.mJ += batch.overlap / Math.max(1, batch.frames);
  if (batch.withObject > 0) sums.mF += Math.max(...batch.curve) / batch.withObject;
}

function addFrame(
  batch: Batch,
  logits: ArrayLike<number>,
  truth: ArrayLike<number>,
  start: number,
  pixels: number,
): void {
  // Pixels by the number of thresholds that they reach.
  const reached = new Uint32Array(thresholds.length + 1);
  const reachedInObject = new Uint32Array(thresholds.length + 1);
  let [inside, union, object, known] = [0, 0, 0, 0];
  for (let i = start; i < start + pixels; i++) {
    if (truth[i]! < 0) continue;
    known++;
    const probability = Math.fround(1 / (1 + Math.exp(-logits[i]!)));
    const level = thresholdsReached(probability);
    reached[level]!++;
    const on = probability > 0.5;
    if (truth[i]) {
      object++;
      union++;
      reachedInObject[level]!++;
      if (on) inside++;
    } else if (on) union++;
  }
  if (known === 0) return;
  batch.frames++;
  if (object === 0) {
    batch.overlap += (known - union) / (known + 1e-7);
    return;
  }
  batch.overlap += inside / (union + 1e-7);
  batch.withObject++;
  let [positive, right] = [0, 0];
  for (let i = thresholds.length - 1; i >= 0; i--) {
    positive += reached[i + 1]!;
    right += reachedInObject[i + 1]!;
    const precision = right / (positive + 1e-20);
    const recall = right / (object + 1e-20);
    if (right > 0) batch.curve[i]! += ((1 + betaSquared) * precision * recall) / (betaSquared * precision + recall);
  }
}

/** How many thresholds are at most `probability`; NaN reaches none. */
function thresholdsReached(probability: number): number {
  let count = Math.min(255, Math.max(0, Math.floor(probability * 254) + 1)) || 0;
  while (count < 255 && probability >= thresholds[count]!) count++;
  while (count > 0 && probability < thresholds[count - 1]!) count--;
  return count;
}
