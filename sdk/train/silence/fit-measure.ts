/**
 * Fits the measure of familiarity of one sense (see `engine/familiarity.ts`): mean, deviation and one shrunk covariance of the training seconds' mean meta-tokens.
 * Shrinking (Ledoit and Wolf's idea, the share ours) keeps directions in which training seconds hardly differ from counting without bound.
 */
import { distanceTo, type SenseMeasure } from '../../engine/familiarity.ts';
import { MettleError } from '../../errors.ts';
import { decodeHalf, encodeHalf } from '../../onnx/float16.ts';
import { cholesky } from './linear-algebra.ts';

/** Share of the covariance that is replaced by its mean variance. More of it lets foreign sounds through (measured on the toybox and real material). */
const shrinkage = 0.01;

/** How many distances the file tells: steps of a half percent. */
const levelCount = 201;

/** Fewest seconds that a covariance is estimated from. */
export const fewestSeconds = 50;

/** Without levels, from mean tokens [c] of training seconds. Throws `invalid-argument` where there are too few. */
export function fitSense(tokens: readonly Float64Array[]): Omit<SenseMeasure, 'levels'> {
  if (tokens.length < fewestSeconds) {
    throw new MettleError(
      'invalid-argument',
      `Familiarity cannot be measured from ${tokens.length} training seconds; expected at least ${fewestSeconds}.`,
      { hint: 'Use more training clips.' },
    );
  }
  return fitTokens(tokens);
}

/** The same of however few: what they leave open is filled by shrinking. */
export function fitTokens(tokens: readonly Float64Array[]): Omit<SenseMeasure, 'levels'> {
  const width = tokens[0]!.length;
  const mean = averageOf(tokens, width);
  const spread = averageOf(
    tokens.map((row) => row.map((x, i) => (x - mean[i]!) ** 2)),
    width,
  ).map(Math.sqrt);
  // A channel that never changes must not count without bound.
  const least = Math.max(1e-6, (1e-3 * spread.reduce((sum, x) => sum + x, 0)) / width);
  const deviation = spread.map((x) => Math.max(x, least));
  const standard = tokens.map((row) => row.map((x, i) => (x - mean[i]!) / deviation[i]!));
  const whitening = invertLower(cholesky(shrunk(covarianceOf(standard, width), width), width), width);
  const map = new Float32Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) map[i * width + j] = whitening[j * width + i]! / deviation[i]!;
  }
  // As the file holds it, so that levels fit what reads them.
  return { mean: Float32Array.from(mean), map: decodeHalf(encodeHalf(map)) };
}

/** Distances that 0, 1/200, 2/200 ... of these seconds do not exceed, which makes a distance a share. Throws `invalid-argument` without seconds. */
export function levelsOf(fitted: Omit<SenseMeasure, 'levels'>, tokens: readonly Float64Array[]): Float32Array {
  if (tokens.length === 0) {
    throw new MettleError('invalid-argument', 'Familiarity cannot be told without validation clips.', {
      hint: 'Give the data a validation split.',
    });
  }
  return levelsAmong(tokens.map((token) => distanceTo(fitted, token)));
}

/** From the distances of seconds that a measure was not fitted to, at least one. */
export function levelsAmong(found: readonly number[]): Float32Array {
  const distances = Float64Array.from(found).sort();
  return Float32Array.from({ length: levelCount }, (_, i) => {
    const at = (i / (levelCount - 1)) * (distances.length - 1);
    const below = Math.floor(at);
    const above = Math.min(below + 1, distances.length - 1);
    return distances[below]! + (at - below) * (distances[above]! - distances[below]!);
  });
}

function averageOf(rows: readonly Float64Array[], width: number): Float64Array {
  const sum = new Float64Array(width);
  for (const row of rows) for (let i = 0; i < width; i++) sum[i]! += row[i]!;
  return sum.map((x) => x / rows.length);
}

function covarianceOf(rows: readonly Float64Array[], width: number): Float64Array {
  const sum = new Float64Array(width * width);
  for (const row of rows) {
    for (let i = 0; i < width; i++) for (let j = 0; j <= i; j++) sum[i * width + j]! += row[i]! * row[j]!;
  }
  return sum.map((x) => x / rows.length);
}

/** Lower triangle in, lower triangle out. */
function shrunk(covariance: Float64Array, width: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < width; i++) trace += covariance[i * width + i]!;
  const scaled = covariance.map((x) => (1 - shrinkage) * x);
  for (let i = 0; i < width; i++) scaled[i * width + i]! += (shrinkage * Math.max(trace, 1e-6)) / width;
  return scaled;
}

function invertLower(lower: Float64Array, width: number): Float64Array {
  const inverse = new Float64Array(width * width);
  for (let j = 0; j < width; j++) {
    inverse[j * width + j] = 1 / lower[j * width + j]!;
    for (let i = j + 1; i < width; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= lower[i * width + k]! * inverse[k * width + j]!;
      inverse[i * width + j] = sum / lower[i * width + i]!;
    }
  }
  return inverse;
}
