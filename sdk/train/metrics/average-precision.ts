/** Average precision: how well scores rank what is true before what is not, without any threshold. Not one of the benchmarks' figures; it says which classes are weak. */
import { MettleError } from '../../errors.ts';

/**
 * Sum over the ranking of (step in recall) x precision, equal scores taken together, no interpolation. 0 to 1, or null where nothing is true.
 * Throws `invalid-argument` if the lengths differ.
 */
export function averagePrecision(scores: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  if (scores.length !== truth.length) {
    throw new MettleError('invalid-argument', `${scores.length} scores for ${truth.length} truths; expected as many.`);
  }
  let positives = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i]) positives++;
  if (positives === 0) return null;
  const rank = (score: number) => (Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => {
    const [first, second] = [rank(scores[a]!), rank(scores[b]!)];
    return first === second ? 0 : first > second ? -1 : 1;
  });
  let [seen, right, sum] = [0, 0, 0];
  for (let at = 0; at < order.length; ) {
    const score = rank(scores[order[at]!]!);
    const before = right;
    for (; at < order.length && rank(scores[order[at]!]!) === score; at++) {
      seen++;
      if (truth[order[at]!]) right++;
    }
    sum += ((right - before) / positives) * (right / seen);
  }
  return sum;
}

/** {@link averagePrecision} of each column of [rows, classes]. */
export function averagePrecisionPerClass(
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  classes: number,
): (number | null)[] {
  const column = (values: ArrayLike<number>, c: number) =>
    Float64Array.from({ length: Math.ceil((values.length - c) / classes) }, (_, row) => values[row * classes + c]!);
  return Array.from({ length: classes }, (_, c) => averagePrecision(column(scores, c), column(truth, c)));
}

/** Mean of those that are not null; null if all are. */
export function meanAveragePrecision(perClass: readonly (number | null)[]): number | null {
  const known = perClass.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
