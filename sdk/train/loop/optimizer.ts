/**
 * AdamW (Loshchilov and Hutter, ICLR 2019) with clipping by the global norm of all gradients and a moving average of the weights, written twice: as a loop
 * over arrays for a CPU, and as part of the step's graph for a GPU, where the state never leaves it. Both compute the same numbers (to rounding).
 */
import { MettleError } from '../../errors.ts';
import type { ParamSpec } from '../../models/params.ts';
import { add, div, type Graph, minimum, mul, reshape, sizeOf, sqrt, sub, sum, type Value } from '../../ops/index.ts';

/** AdamW (Loshchilov and Hutter, ICLR 2019), with clipping and an average of the weights. */
export type OptimizerConfig = {
  /** Decay of the first moment. */
  beta1: number;
  /** Decay of the second moment. */
  beta2: number;
  /** Added to the root of the second moment. */
  epsilon: number;
  /** Decoupled weight decay, as a share per step of learning rate 1. */
  decay: number;
  /** Largest global norm of the gradients; null leaves them as they are. */
  clip: number | null;
  /** Decay of the moving average of the weights; null keeps none. */
  average: number | null;
};

/** What a training has where nothing else is said. */
export const defaultOptimizer: OptimizerConfig = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  decay: 0.01,
  clip: 1,
  average: null,
};

/** Weights of linear maps and convolutions decay; biases, norms, gates, meta-tokens and embeddings do not. */
export const decays = (spec: ParamSpec): boolean => spec.init === 'fan-in';

/** What changes from step to step, worked out once for both forms. */
export type StepScalars = {
  rate: number;
  /** 1 / (1 - beta^t): undoes that the moments began at zero. */
  correction1: number;
  correction2: number;
  /** Share of the average that is kept in this step: it follows fast at first. */
  keep: number;
};

/** Scalars of the step with this number, from 0. */
export function stepScalars(step: number, rate: number, config: OptimizerConfig): StepScalars {
  const t = step + 1;
  return {
    rate,
    correction1: 1 / (1 - config.beta1 ** t),
    correction2: 1 / (1 - config.beta2 ** t),
    keep: Math.min(config.average ?? 0, t / (t + 9)),
  };
}

/** Throws `invalid-argument` for a configuration that is none. */
export function checkOptimizer(config: OptimizerConfig): void {
  const { beta1, beta2, epsilon, decay, clip, average } = config;
  const share = (x: number): boolean => x >= 0 && x < 1;
  const right =
    share(beta1) &&
    share(beta2) &&
    epsilon > 0 &&
    decay >= 0 &&
    (clip === null || clip > 0) &&
    (average === null || share(average));
  if (right) return;
  throw new MettleError('invalid-argument', `The optimizer ${JSON.stringify(config)} is none.`, {
    hint: 'beta1, beta2 and average must be in [0, 1), epsilon and clip above 0, decay at least 0.',
  });
}

/** Arrays of one parameter; all are changed in place. */
export type Slot = {
  values: Float32Array;
  first: Float32Array;
  second: Float32Array;
  average: Float32Array | null;
  gradient: Float32Array;
  decays: boolean;
};

/** Square root of the sum of all squares. */
export function globalNorm(gradients: Iterable<Float32Array>): number {
  let total = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) total += gradient[i]! * gradient[i]!;
  return Math.sqrt(total);
}

/** By how much gradients of this norm are multiplied. */
const clipScale = (norm: number, clip: number | null): number =>
  clip === null ? 1 : Math.min(1, clip / (norm + 1e-6));

/** One step over arrays. */
export function updateArrays(slots: readonly Slot[], norm: number, at: StepScalars, config: OptimizerConfig): void {
  const { beta1, beta2, epsilon } = config;
  const scale = clipScale(norm, config.clip);
  for (const { values, first, second, average, gradient, decays: shrinks } of slots) {
    const shrink = 1 - (shrinks ? at.rate * config.decay : 0);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]! * scale;
      const m = beta1 * first[i]! + (1 - beta1) * g;
      const v = beta2 * second[i]! + (1 - beta2) * g * g;
      first[i] = m;
      second[i] = v;
      const direction = (m * at.correction1) / (Math.sqrt(v * at.correction2) + epsilon);
      values[i] = values[i]! * shrink - at.rate * direction;
    }
    if (average)
      for (let i = 0; i < values.length; i++) average[i] = at.keep * average[i]! + (1 - at.keep) * values[i]!;
  }
}

/** The same scalars as graph inputs. */
export type ScalarValues = Record<keyof StepScalars, Value>;
export type ValueSlot = { values: Value; first: Value; second: Value; average: Value | null; gradient: Value };

/** The global norm of vectors whose lengths are multiples of `rows`, as a graph: so many sums side by side, and one over those. */
export const normValue = (gradients: readonly Value[], rows: number): Value =>
  sqrt(gradients.map((g) => sum(sum(reshape(mul(g, g), [rows, sizeOf(g.shape) / rows]), [1]))).reduce(add));

/** One step as a graph: what vectors of parameters become. */
export function updateValues(
  graph: Graph,
  slot: ValueSlot,
  shrinks: boolean,
  norm: Value,
  at: ScalarValues,
  config: OptimizerConfig,
): { values: Value; first: Value; second: Value; average: Value | null } {
  const { beta1, beta2, epsilon, clip } = config;
  const scale = clip === null ? graph.scalar(1) : minimum(div(clip, add(norm, 1e-6)), 1);
  const g = mul(slot.gradient, scale);
  const first = add(mul(slot.first, beta1), mul(g, 1 - beta1));
  const second = add(mul(slot.second, beta2), mul(mul(g, g), 1 - beta2));
  const direction = div(mul(first, at.correction1), add(sqrt(mul(second, at.correction2)), epsilon));
  const kept = shrinks ? mul(slot.values, sub(1, mul(at.rate, config.decay))) : slot.values;
  const values = sub(kept, mul(direction, at.rate));
  const average = slot.average && add(mul(slot.average, at.keep), mul(values, sub(1, at.keep)));
  return { values, first, second, average };
}
