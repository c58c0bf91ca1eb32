/** What a student's predictions are worth on samples that it does not learn from, in percent: 100 is all, 0 is what always saying the same is worth at best. */
import type { Weights } from '../../models/params.ts';
import { decodeHalf } from '../../onnx/float16.ts';
import type { Example } from '../loop/batches.ts';
import type { Predictor } from '../loop/predict.ts';
import { divergence as divergenceOfScores, probabilities } from './scores.ts';
import { knownName, sharesName, targetName, truthName } from './student.ts';
import type { Target } from './targets.ts';
import { type Truth, type TruthTarget, weightOf } from './truth.ts';

export type Judgement = {
  /** Share of the variance of each teacher's tap; of scores, share of their divergence from what they mostly are. */
  explained: { tap: string; stage: number; percent: number }[];
  /** Of what made samples show or play, the share of the divergence, weighted as it is learned, by each stage that tells it; null where no sample was made. */
  told: { stage: number; percent: number | null }[];
};

export type HeldSamples = readonly Record<string, Float32Array>[];

/** Arrays whose halves are numbers again. */
export const heldSample = (example: Example): Record<string, Float32Array> =>
  Object.fromEntries(
    Object.entries(example).map(([name, data]) => [name, data instanceof Uint16Array ? decodeHalf(data) : data]),
  );

export async function judge(
  predictor: Predictor,
  weights: Weights,
  held: HeldSamples,
  targets: readonly Target[],
  truth: Truth,
  modality: 'visual' | 'audio',
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  const mostly = targets.map(({ scores }, i) => (scores ? meanScores(held, targetName(i), modality) : null));
  const taps = targets.map(() => new Saved());
  const classes = truth.stages.map(() => new Saved());
  const usual = truth.stages.map(({ stage }) => usualLogits(held, stage, truth.classes));
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
      taps.forEach((tap, i) => {
        const [said, meant] = [outputs[targetName(i)]!, wanted[targetName(i)]!];
        if (mostly[i]) addScores(tap, said, meant, mostly[i], modality);
        else addSquares(tap, said, meant);
      });
      truth.stages.forEach(({ stage }, i) => {
        const told = { shares: wanted[sharesName(stage)]!, known: wanted[knownName(stage)]! };
        addDivergence(classes[i]!, outputs[truthName(stage)]!, usual[i]!, told);
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

/** What is left of a fault, of what it was with the constant answer. */
class Saved {
  left = 0;
  all = 0;

  get percent(): number | null {
    return this.all > 0 ? 100 * (1 - this.left / this.all) : null;
  }
}

/** Of taps, which are standardised: their mean is 0. */
function addSquares(saved: Saved, said: Float32Array, meant: Float32Array): void {
  for (let i = 0; i < meant.length; i++) {
    saved.left += (said[i]! - meant[i]!) ** 2;
    saved.all += meant[i]! ** 2;
  }
}

function meanScores(held: HeldSamples, name: string, modality: 'visual' | 'audio'): Float64Array {
  const sum = new Float64Array(held[0]![name]!.length);
  for (const sample of held) {
    probabilities(sample[name]!, modality).forEach((p, c) => {
      sum[c]! += p;
    });
  }
  return sum.map((all) => all / held.length);
}

function addScores(
  saved: Saved,
  said: Float32Array,
  meant: Float32Array,
  mostly: Float64Array,
  modality: 'visual' | 'audio',
): void {
  const right = probabilities(meant, modality);
  saved.left += divergenceOfScores(right, probabilities(said, modality), modality);
  saved.all += divergenceOfScores(right, mostly, modality);
}

function addDivergence(saved: Saved, logits: Float32Array, usual: Float64Array, { shares, known }: TruthTarget): void {
  const classes = usual.length;
  shares.forEach((share, i) => {
    const weight = known[Math.floor(i / classes)]! * weightOf(share);
    saved.left += weight * divergence(share, logits[i]!);
    saved.all += weight * divergence(share, usual[i % classes]!);
  });
}

/** Kullback-Leibler, of a share from the probability that a logit stands for, in nats. */
function divergence(share: number, logit: number): number {
  const crossEntropy = Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - share * logit;
  const part = (x: number): number => (x > 0 ? x * Math.log(x) : 0);
  return crossEntropy + part(share) + part(1 - share);
}

/** Of each class the logit that costs least where it is always said. */
function usualLogits(held: HeldSamples, stage: number, classes: number): Float64Array {
  const present = new Float64Array(classes);
  const all = new Float64Array(classes);
  for (const sample of held) {
    const known = sample[knownName(stage)]!;
    sample[sharesName(stage)]!.forEach((share, i) => {
      const weight = known[Math.floor(i / classes)]! * weightOf(share);
      present[i % classes]! += weight * share;
      all[i % classes]! += weight;
    });
  }
  return present.map((sum, c) => Math.log((sum + 1e-6) / (all[c]! - sum + 1e-6)));
}
