/** What a student's predictions are worth on samples that it does not learn from: shares of what varies that they explain, in percent. */
import type { Weights } from '../../models/params.ts';
import type { Predictor } from '../predict.ts';
import { knownName, sharesName, type Target, targetName, truthName } from './student.ts';
import type { Truth } from './truth.ts';

/** 100 is all, 0 is what always saying the mean explains. */
export type Judgement = {
  /** Each teacher's tap. */
  explained: { tap: string; stage: number; percent: number }[];
  /** What made samples show or play, by each stage that tells it; null where none of the samples was made. */
  told: { stage: number; percent: number | null }[];
};

export type HeldSamples = readonly Record<string, Float32Array>[];

export async function judge(
  predictor: Predictor,
  weights: Weights,
  held: HeldSamples,
  targets: readonly Target[],
  truth: Truth,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  const taps = targets.map(() => new Explained(null));
  const classes = truth.stages.map(({ stage }) => new Explained(meanShares(held, stage, truth.classes)));
  const examples = {
    size: held.length,
    id: (index: number) => `sample ${index}`,
    read: (index: number) => held[index]!,
  };
  await predictor.each(
    weights,
    examples,
    (outputs, index) => {
      const wanted = held[index]!;
      taps.forEach((tap, i) => void tap.add(outputs[targetName(i)]!, wanted[targetName(i)]!));
      truth.stages.forEach(({ stage }, i) => {
        const said = outputs[truthName(stage)]!.map((logit) => 1 / (1 + Math.exp(-logit)));
        classes[i]!.add(said, wanted[sharesName(stage)]!, wanted[knownName(stage)]!);
      });
    },
    signal,
  );
  return {
    explained: targets.map(({ name, stage }, i) => ({ tap: name, stage, percent: taps[i]!.percent ?? 0 })),
    told: truth.stages.map(({ stage }, i) => ({ stage, percent: classes[i]!.percent })),
  };
}

/** One number for it: the mean of both means. */
export function scoreOf({ explained, told }: Judgement): number {
  const known = told.flatMap(({ percent }) => percent ?? []);
  const means = [explained.map(({ percent }) => percent), known].filter(({ length }) => length > 0).map(mean);
  return mean(means);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

class Explained {
  readonly #mean: Float64Array | null;
  #left = 0;
  #all = 0;

  /** Of what was standardised the mean is 0, null. */
  constructor(mean: Float64Array | null) {
    this.#mean = mean;
  }

  /** `weights` counts each row of as many numbers as the mean has. */
  add(said: Float32Array, meant: Float32Array, weights?: Float32Array): void {
    const width = this.#mean?.length ?? 1;
    for (let i = 0; i < meant.length; i++) {
      const weight = weights?.[Math.floor(i / width)] ?? 1;
      this.#left += weight * (said[i]! - meant[i]!) ** 2;
      this.#all += weight * (meant[i]! - (this.#mean?.[i % width] ?? 0)) ** 2;
    }
  }

  get percent(): number | null {
    return this.#all > 0 ? 100 * (1 - this.#left / this.#all) : null;
  }
}

/** Of the places where it is known. */
function meanShares(held: HeldSamples, stage: number, classes: number): Float64Array {
  const sums = new Float64Array(classes);
  let places = 0;
  for (const sample of held) {
    const [shares, known] = [sample[sharesName(stage)]!, sample[knownName(stage)]!];
    known.forEach((weight, place) => {
      places += weight;
      for (let c = 0; c < classes; c++) sums[c]! += weight * shares[place * classes + c]!;
    });
  }
  return sums.map((sum) => sum / Math.max(places, 1));
}
