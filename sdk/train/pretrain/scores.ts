/**
 * Scores of a teacher's classes, and how far a student's are from them: of pictures, which show one thing of many, the cross entropy of softmaxes, of sounds, where each class may be
 * heard beside others, that of sigmoids. Both are taken of halved scores, which tell more of classes that are not the first (Hinton et al., "Distilling the
 * Knowledge in a Neural Network", 2015); the weights are ours.
 */
import { exp, mean, mul, neg, sigmoid, softplus, sub, sum, type Value } from '../../ops/index.ts';
import { logSoftmax } from '../adapter/losses.ts';

const temperature = 2;
const weights = { visual: 0.25, audio: 0.1 };

type Modality = keyof typeof weights;

/** `said` and `meant` are [B, 1, classes]; the error is a mean over samples, in nats, and comes with the weight that it has among others. */
export function divergenceOf(said: Value, meant: Value, modality: Modality): { error: Value; weight: number } {
  const [student, teacher] = [mul(said, 1 / temperature), mul(meant, 1 / temperature)];
  const entropy =
    modality === 'visual'
      ? neg(mul(logSoftmax(student), exp(logSoftmax(teacher))))
      : sub(softplus(student), mul(sigmoid(teacher), student));
  return { error: mean(sum(entropy, [-1]), [0, 1]), weight: weights[modality] };
}

/** What scores are before anything is learned: sounds have few of very many classes. */
export const scoreBias = (modality: Modality): number => (modality === 'visual' ? 0 : -8);

/** Probabilities of halved scores [classes]. */
export function probabilities(scores: Float32Array, modality: Modality): Float64Array {
  if (modality === 'audio') return Float64Array.from(scores, (score) => 1 / (1 + Math.exp(-score / temperature)));
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = Float64Array.from(scores, (score) => Math.exp((score - most) / temperature));
  const all = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / all);
}

/** Kullback-Leibler divergence of what was meant from what was said, in nats, both as {@link probabilities} has them. */
export function divergence(meant: Float64Array, said: Float64Array, modality: Modality): number {
  const part = (p: number, q: number): number => (p > 1e-12 ? p * Math.log(p / Math.max(q, 1e-12)) : 0);
  return meant.reduce((all, p, c) => {
    const q = said[c]!;
    return all + part(p, q) + (modality === 'audio' ? part(1 - p, 1 - q) : 0);
  }, 0);
}
