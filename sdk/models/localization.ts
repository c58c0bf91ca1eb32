/**
 * Event localization on meta-tokens (ours): a small transformer over all seconds and both modalities, then per second the class of the event that is both
 * seen and heard. Head A gives one softmax over classes and background; head B, for comparison with the line of CMBS and DG-SCT, an event logit per second
 * and the class of the clip.
 */
import { add, concat, expand, gelu, maxOver, mean, mul, reshape, slice, sub, type Value } from '../ops/index.ts';
import { dense, norm } from './layers.ts';
import type { Params } from './params.ts';
import { keyBias, transformerLayer } from './transformer.ts';

export type LocalizationConfig = { classes: number; layers: number; heads: number; head: 'A' | 'B' };

/** Meta-tokens of each second of both modalities, [B, T, K, c], and which seconds there are, [B, T]. */
export type ClipTokens = { audio: Value; visual: Value; mask: Value };

/** {@link ClipTokens} of which one sense's may be missing. */
export type SensedTokens = { audio: Value | null; visual: Value | null; mask: Value };

/** Each second's mean token after both senses have looked along time: [B, T, c] each. */
export function fuse(p: Params, { audio, visual, mask }: ClipTokens, layers: number, heads: number): [Value, Value] {
  const [b, t, k, c] = audio.shape as [number, number, number, number];
  const time = p.get('time', [t, 1, c], { normal: 0.02 });
  const sense = (tokens: Value, name: string): Value =>
    reshape(add(add(tokens, time), p.get(name, [c], { normal: 0.02 })), [b, t * k, c]);
  let x = concat([sense(audio, 'audio'), sense(visual, 'visual')], 1);
  const seen = reshape(expand(reshape(mask, [b, 1, t, 1]), [b, 2, t, k]), [b, 2 * t * k]);
  for (let i = 0; i < layers; i++) x = p.in(`layers.${i}`, (q) => transformerLayer(q, x, heads, keyBias(seen)));
  const perSecond = mean(reshape(norm(p, 'norm', x), [b, 2, t, k, c]), [3]);
  return [pick(perSecond, 0), pick(perSecond, 1)];
}

function pick(x: Value, modality: 0 | 1): Value {
  const [b, , t, c] = x.shape as [number, number, number, number];
  return reshape(slice(x, 1, modality, modality + 1), [b, t, c]);
}

/** Head A: logits [B, T, classes + 1], background last. Head B: `event` [B, T] and `class` [B, classes]. */
export function localization(p: Params, tokens: ClipTokens, config: LocalizationConfig): Record<string, Value> {
  const [audio, visual] = p.in('fusion', (q) => fuse(q, tokens, config.layers, config.heads));
  const [b, t, c] = audio.shape as [number, number, number];
  const both = norm(p, 'head.norm', concat([audio, visual], 2));
  const hiddenUnits = gelu(dense(p, 'head.fc1', both, c));
  if (config.head === 'A') return { logits: dense(p, 'head.fc2', hiddenUnits, config.classes + 1) };
  const perSecond = dense(p, 'head.class', hiddenUnits, config.classes);
  const absent = mul(add(tokens.mask, -1), 1e4);
  return {
    event: reshape(dense(p, 'head.event', hiddenUnits, 1), [b, t]),
    class: maxOver(add(perSecond, reshape(absent, [b, t, 1])), [1]),
  };
}

/**
 * Head B as logits per second [B, T, classes + 1], background last, so that the largest is the clip's class where sigmoid(event) > 0.5 and background
 * elsewhere: event / 2 + (class - largest class) against -event / 2. Softmax of them between the clip's class and background alone is sigmoid(event).
 */
export function decodeEvents(event: Value, classes: Value): Value {
  const [b, t] = event.shape as [number, number];
  const count = classes.shape[1]!;
  const below = reshape(sub(classes, maxOver(classes, [1], true)), [b, 1, count]);
  const half = reshape(mul(event, 0.5), [b, t, 1]);
  return concat([add(half, below), mul(half, -1)], 2);
}
