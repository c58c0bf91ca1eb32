/**
 * Video parsing on meta-tokens: attention within and between modalities along time in the manner of HAN (Tian et al., ECCV 2020) or none of it, one sigmoid
 * classifier for both, and attentive pooling to the whole clip (MMIL) so that labels of clips are enough to learn from.
 */
import {
  add,
  concat,
  mean,
  mul,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sum,
  transpose,
  type Value,
} from '../ops/index.ts';
import { dense, norm } from './layers.ts';
import type { ClipTokens } from './localization.ts';
import type { Params } from './params.ts';
import { attention, keyBias } from './transformer.ts';

export type ParsingConfig = {
  classes: number;
  /** Layers in which seconds and senses look at each other; with 0 every second of a sense is judged by itself. HAN has 1. */
  layers: number;
  heads: number;
};

export type ParsingOutputs = {
  /** Probability per second: [B, T, classes]. */
  audio: Value;
  visual: Value;
  /** Probability for the whole clip, per modality and for both: [B, classes]. */
  audioClip: Value;
  visualClip: Value;
  clip: Value;
};

export function parsing(p: Params, { audio, visual, mask }: ClipTokens, config: ParsingConfig): ParsingOutputs {
  const [heard, seen] = mix(p, mean(audio, [2]), mean(visual, [2]), mask, config);
  const probability = (x: Value): Value => sigmoid(dense(p, 'classifier', x, config.classes));
  const [pa, pv] = [probability(heard), probability(seen)];

  // [B, 2, T, classes]: softmax over time and softmax over modality, as two learned shares.
  const [b, t] = mask.shape as [number, number];
  const pair = (x: Value, y: Value): Value =>
    concat([reshape(x, [b, 1, t, config.classes]), reshape(y, [b, 1, t, config.classes])], 1);
  const score = (name: string): Value =>
    pair(dense(p, name, heard, config.classes), dense(p, name, seen, config.classes));
  const absent = reshape(mul(add(mask, -1), 1e4), [b, 1, t, 1]);
  const overTime = softmaxOn(add(score('time_attention'), absent), 2);
  const overSense = softmaxOn(score('modality_attention'), 1);
  const probabilities = pair(pa, pv);
  const pooled = sum(mul(probabilities, overTime), [2]);
  const of = (i: number): Value => reshape(slice(pooled, 1, i, i + 1), [b, config.classes]);
  const clip = sum(mul(mul(probabilities, overTime), overSense), [1, 2]);
  return { audio: pa, visual: pv, audioClip: of(0), visualClip: of(1), clip };
}

/** Sound and picture of each second, [B, T, c] each, after all layers. */
function mix(p: Params, audio: Value, visual: Value, mask: Value, { layers, heads }: ParsingConfig): [Value, Value] {
  const bias = layers > 0 ? keyBias(mask) : null;
  let [a, v] = [audio, visual];
  for (let layer = 0; layer < Math.max(1, layers); layer++) {
    const one = (sense: string, own: Value, other: Value): Value =>
      p.in(`layers.${layer}.${sense}`, (q) => hybrid(q, own, bias && { other, heads, bias }));
    [a, v] = [one('audio', a, v), one('visual', v, a)];
  }
  return [a, v];
}

/** Self-attention and cross-attention of one modality along time, added, or neither; then a small network; norm after each. */
function hybrid(p: Params, own: Value, along: { other: Value; heads: number; bias: Value } | null): Value {
  const attended = along && [
    p.in('self', (q) => attention(q, own, own, along.heads, along.bias)),
    p.in('cross', (q) => attention(q, own, along.other, along.heads, along.bias)),
  ];
  const mixed = norm(p, 'norm1', attended ? add(own, attended.reduce(add)) : own);
  const width = own.shape[2]!;
  return norm(p, 'norm2', add(mixed, dense(p, 'fc2', relu(dense(p, 'fc1', mixed, width)), width)));
}

/** Softmax over any axis of a rank-4 value. */
function softmaxOn(x: Value, axis: 1 | 2): Value {
  const order = axis === 1 ? [0, 3, 2, 1] : [0, 1, 3, 2];
  return transpose(softmax(transpose(x, order)), order);
}
