/** Fits what makes probabilities mean frequencies, by the likelihood of validation labels (see `tasks/calibration.ts`), and measures how far they are from that. */
import type { Temperature } from '../../contract/manifest.ts';
import { plain, sigmoid, softmax } from '../../tasks/calibration.ts';

/** Bins of equal width that the expected calibration error is taken over, as in Guo et al. (2017). */
export const calibrationBins = 15;

/** An answer: how probable it was called, 0 to 1, and whether it was right. */
export type Judged = { confidence: number; right: boolean };

/** Mean distance of confidence and frequency over {@link calibrationBins} bins, weighted by their answers, 0 to 1; null without answers. */
export function calibrationError(answers: readonly Judged[]): number | null {
  if (answers.length === 0) return null;
  const bins = Array.from({ length: calibrationBins }, () => ({ confidence: 0, right: 0 }));
  for (const { confidence, right } of answers) {
    const bin = bins[Math.min(calibrationBins - 1, Math.floor(confidence * calibrationBins))]!;
    bin.confidence += confidence;
    bin.right += Number(right);
  }
  return bins.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0) / answers.length;
}

/** The temperature, 0.1 to 10, under which the softmax of these logits makes their labels most likely. */
export function fitSoftmax(rows: readonly { logits: ArrayLike<number>; label: number }[]): Temperature {
  if (rows.length === 0) return plain;
  const cost = (exponent: number): number => {
    const temperature = 10 ** exponent;
    return rows.reduce(
      (sum, { logits, label }) => sum - Math.log(Math.max(1e-12, softmax(logits, { temperature, bias: 0 })[label]!)),
      0,
    );
  };
  return { temperature: 10 ** lowest(cost, -1, 1), bias: 0 };
}

/** How much a change must gain: few answers that are nearly all right shall not make everything sure. */
const caution = 5;

/** Temperature and, where wanted, bias under which sigmoids of these logits make what is true most likely. Fewer than twenty tell nothing. */
export function fitSigmoid(rows: readonly { logit: number; right: boolean }[], withBias: boolean): Temperature {
  if (rows.length < 20) return plain;
  const costOf = ({ temperature, bias }: Temperature): number =>
    rows.reduce(
      (sum, { logit, right }) => {
        const p = sigmoid(logit / temperature + bias);
        return sum - Math.log(Math.max(1e-12, right ? p : 1 - p));
      },
      caution * (Math.log(temperature) ** 2 + bias ** 2),
    );
  const at = (exponent: number): Temperature => {
    const temperature = 10 ** exponent;
    const bias = withBias ? lowest((candidate) => costOf({ temperature, bias: candidate }), -6, 6) : 0;
    return { temperature, bias };
  };
  return at(lowest((exponent) => costOf(at(exponent)), -1, 1));
}

/** Where a function with one valley is lowest, by golden section. */
function lowest(cost: (x: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [from, to];
  let [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [costA, costB] = [cost(a), cost(b)];
  while (high - low > 0.01 * (to - from)) {
    if (costA <= costB) {
      [high, b, costB] = [b, a, costA];
      a = high - ratio * (high - low);
      costA = cost(a);
    } else {
      [low, a, costA] = [a, b, costB];
      b = low + ratio * (high - low);
      costB = cost(b);
    }
  }
  return (low + high) / 2;
}
