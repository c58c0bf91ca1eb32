/**
 * Logistic regression over given features, by the project's own ops and trainer: mean cross-entropy plus decay / 2 times the sum of all squared weights, features
 * standardised, all examples in each step. The objective is convex, so the decay alone decides what comes out.
 */

import type { Runtime } from '../../sdk/contract/runtime.ts';
import { add, linear, mul, sum } from '../../sdk/ops/index.ts';
import { crossEntropy } from '../../sdk/train/adapter/losses.ts';
import type { TrainModel } from '../../sdk/train/loop/step.ts';
import { train } from '../../sdk/train/loop/trainer.ts';

/** `features` are all of one length; `labels` are numbers of classes. */
export type Examples = { features: readonly Float32Array[]; labels: readonly number[] };

/** `weights` is [classes, width]; features are standardised with `mean` and `deviation` [width] first. */
export type Probe = { mean: Float32Array; deviation: Float32Array; weights: Float32Array; bias: Float32Array };

/** From weak to strong. */
export const decays = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] as const;

const steps = 400;

export async function fitProbe(runtime: Runtime, examples: Examples, classes: number, decay: number): Promise<Probe> {
  const { mean, deviation } = standardOf(examples.features);
  const width = mean.length;
  const arrays = examples.features.map((features, i) => {
    const labels = new Float32Array(classes);
    labels[examples.labels[i]!] = 1;
    return { features: standardised(features, mean, deviation), labels, weight: new Float32Array(1).fill(1) };
  });
  const { weights } = await train({
    runtime,
    model: probeModel(width, classes, decay),
    data: { size: arrays.length, id: String, read: (index) => arrays[index]! },
    batch: arrays.length,
    steps,
    seed: 1,
    optimizer: { decay: 0, clip: null, beta2: 0.99 },
    // A step moves every weight by about the rate, and a logit by up to the rate times the width.
    schedule: { rate: Math.min(0.02, 4 / width), warmup: 0, floor: 0.001 },
  });
  return { mean, deviation, weights: weights.get('weights')!, bias: weights.get('bias')! };
}

function probeModel(width: number, classes: number, decay: number): TrainModel {
  return {
    inputs: (batch) => ({ features: [batch, width], labels: [batch, classes], weight: [batch] }),
    forward(p, { features }) {
      const weights = p.get('weights', [classes, width], { constant: 0 });
      const logits = linear(features!, weights, p.get('bias', [classes], { constant: 0 }));
      return { logits, squares: sum(mul(weights, weights)) };
    },
    loss: ({ logits, squares }, { labels, weight }) => ({
      loss: add(crossEntropy(logits!, labels!, weight!), mul(squares!, decay / 2)),
    }),
  };
}

/** Percent of the examples whose class has the largest logit, and the mean cross-entropy. */
export function scoreProbe(probe: Probe, { features, labels }: Examples): { accuracy: number; crossEntropy: number } {
  let [right, entropy] = [0, 0];
  features.forEach((example, i) => {
    const logits = logitsOf(probe, example);
    const most = Math.max(...logits);
    if (logits.indexOf(most) === labels[i]) right++;
    entropy += most + Math.log(logits.reduce((total, x) => total + Math.exp(x - most), 0)) - logits[labels[i]!]!;
  });
  return { accuracy: (100 * right) / labels.length, crossEntropy: entropy / labels.length };
}

export function logitsOf({ mean, deviation, weights, bias }: Probe, example: Float32Array): number[] {
  const x = standardised(example, mean, deviation);
  return Array.from(bias, (b, c) => x.reduce((total, value, i) => total + value * weights[c * x.length + i]!, b));
}

/** The decay whose probe of `fit` is right most often on `held`; of several the one with the least cross-entropy there. */
export async function chooseDecay(
  runtime: Runtime,
  fit: Examples,
  held: Examples,
  classes: number,
  among: readonly number[] = decays,
) {
  const tried = [];
  for (const decay of among) {
    tried.push({ decay, ...scoreProbe(await fitProbe(runtime, fit, classes, decay), held) });
  }
  return tried.reduce((best, next) => {
    const isBetter =
      next.accuracy > best.accuracy || (next.accuracy === best.accuracy && next.crossEntropy < best.crossEntropy);
    return isBetter ? next : best;
  });
}

export const joined = (one: Examples, other: Examples): Examples => ({
  features: [...one.features, ...other.features],
  labels: [...one.labels, ...other.labels],
});

function standardOf(features: readonly Float32Array[]): { mean: Float32Array; deviation: Float32Array } {
  const count = features.length;
  const mean = features[0]!.map((_, i) => features.reduce((total, x) => total + x[i]!, 0) / count);
  // What never changes stays zero.
  const deviation = mean.map(
    (m, i) => Math.sqrt(features.reduce((total, x) => total + (x[i]! - m) ** 2, 0) / count) || 1,
  );
  return { mean, deviation };
}

const standardised = (x: Float32Array, mean: Float32Array, deviation: Float32Array): Float32Array<ArrayBuffer> =>
  Float32Array.from(x, (value, i) => (value - mean[i]!) / deviation[i]!);
