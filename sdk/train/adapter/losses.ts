/**
 * What training makes small. Every loss is a graph over `sdk/ops`, and a mean over what `weight` says is there: padded seconds and padded clips have weight 0.
 * Labels are inputs; no gradient goes to them. Nothing here knows a model.
 */
import {
  add,
  div,
  exp,
  isGreaterOrEqual,
  log,
  maximum,
  maxOver,
  mean,
  minimum,
  mul,
  neg,
  relu,
  reshape,
  sigmoid,
  slice,
  softplus,
  sub,
  sum,
  type Value,
} from '../../ops/index.ts';

/** Sum of `values` by `weight` (same shape) over the sum of `weight`; 0 where nothing has weight. */
export function weightedMean(values: Value, weight: Value): Value {
  return div(sum(mul(values, weight)), maximum(sum(weight), 1e-6));
}

/** log softmax over the last axis. The largest value is taken off first; the gradient through it cancels. */
export function logSoftmax(x: Value): Value {
  const shifted = sub(x, maxOver(x, [-1], true));
  return sub(shifted, log(sum(exp(shifted), [-1], true)));
}

/** Cross-entropy of `logits` [..., C] with `target` [..., C] (a distribution, mostly one-hot), meaned over `weight` [...]. */
export function crossEntropy(logits: Value, target: Value, weight: Value): Value {
  return weightedMean(neg(sum(mul(logSoftmax(logits), target), [-1])), weight);
}

/** Share of `weight` [...] where the largest of `logits` [..., C] is the one that `target` [..., C] marks. */
export function accuracy(logits: Value, target: Value, weight: Value): Value {
  const best = isGreaterOrEqual(logits, maxOver(logits, [-1], true));
  return weightedMean(minimum(sum(mul(best, target), [-1]), 1), weight);
}

/** Binary cross-entropy of `logits` with `target` of the same shape, meaned over `weight` of that shape: log(1 + exp(x)) - x y, which cannot overflow. */
export function bceWithLogits(logits: Value, target: Value, weight: Value): Value {
  return weightedMean(sub(softplus(logits), mul(logits, target)), weight);
}

/** How near to 0 and 1 a probability may come before its logarithm is taken. */
const probabilityMargin = 1e-6;

/**
 * Binary cross-entropy of `probabilities` [B, C] with `target` [B, C], meaned over the classes of the clips that `weight` [B] counts.
 * `smoothing` s moves the target to s y + (1 - s) / 2, as HAN's recipe does (Tian et al., ECCV 2020): 1 leaves it as it is.
 */
export function bceOnProbabilities(probabilities: Value, target: Value, weight: Value, smoothing = 1): Value {
  const p = minimum(maximum(probabilities, probabilityMargin), 1 - probabilityMargin);
  const y = smoothing === 1 ? target : add(mul(target, smoothing), (1 - smoothing) / 2);
  const entropy = neg(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p)))));
  return weightedMean(mean(entropy, [-1]), weight);
}

/** Masks [N, 1, H, W] of 0, 1 and -1, where -1 is a pixel that nobody knows: 1 where the object is, and 1 where it is known whether it is. */
const known = (masks: Value): { object: Value; known: Value } => ({
  object: relu(masks),
  known: minimum(add(masks, 1), 1),
});

const pixels = [1, 2, 3];

/**
 * 1 - (2 sum p y + 1) / (sum p + sum y + 1) per frame over its known pixels, p = sigmoid of `logits` [N, 1, H, W], meaned over the frames that `weight` [N] counts.
 */
export function dice(logits: Value, masks: Value, weight: Value): Value {
  const { object, known: there } = known(masks);
  const p = mul(sigmoid(logits), there);
  const overlap = add(mul(sum(mul(p, object), pixels), 2), 1);
  const area = add(add(sum(p, pixels), sum(object, pixels)), 1);
  return weightedMean(sub(1, div(overlap, area)), weight);
}

/** Binary cross-entropy of mask `logits` [N, 1, H, W] with `masks`, meaned over the known pixels of each frame and then over the frames that `weight` [N] counts. */
export function maskBce(logits: Value, masks: Value, weight: Value): Value {
  const { object, known: there } = known(masks);
  const entropy = mul(sub(softplus(logits), mul(logits, object)), there);
  return weightedMean(div(sum(entropy, pixels), maximum(sum(there, pixels), 1)), weight);
}

/** The event line of CMBS and DG-SCT: whether anything happens in a second, and of which class the clip is. */
export type EventAndClass = { event: Value; class: Value };

/**
 * Head B: BCE of `event` [B, T] plus cross-entropy of `class` [B, C]. `labels` [B, T, C + 1] are one-hot, background last; `mask` [B, T] says which seconds
 * there are. A clip without an event has no class to learn and counts for its seconds only.
 */
export function eventAndClass(outputs: EventAndClass, labels: Value, mask: Value): Value {
  const [b, t, all] = labels.shape as [number, number, number];
  const background = reshape(slice(labels, 2, all - 1, all), [b, t]);
  const happens = sub(1, background);
  const inside = mul(slice(labels, 2, 0, all - 1), reshape(mask, [b, t, 1]));
  const counts = sum(inside, [1]);
  const seconds = sum(counts, [-1], true);
  const distribution = div(counts, maximum(seconds, 1));
  const hasEvent = reshape(minimum(seconds, 1), [b]);
  return add(bceWithLogits(outputs.event, happens, mask), crossEntropy(outputs.class, distribution, hasEvent));
}

/** Label smoothing of video parsing, by level: HAN's recipe. */
export const parsingSmoothing = { clip: 1, audio: 1, visual: 0.9 };

/** MMIL: BCE on the clip, the audio and the visual probabilities [B, C], all with the clip's `labels` [B, C]. */
export function weakParsing(
  outputs: { clip: Value; audioClip: Value; visualClip: Value },
  labels: Value,
  weight: Value,
): Value {
  const { clip, audio, visual } = parsingSmoothing;
  const whole = bceOnProbabilities(outputs.clip, labels, weight, clip);
  const heard = bceOnProbabilities(outputs.audioClip, labels, weight, audio);
  return add(add(whole, heard), bceOnProbabilities(outputs.visualClip, labels, weight, visual));
}

/**
 * Audio-visual matching of MS3: KL(softmax(visual) || softmax(audio)) summed over channels, meaned over the frames that `weight` [N] counts and over the
 * maps. `audio` is [N, c], each of `visual` [N, c] one map pooled under the predicted mask (AVSBench, Zhou et al., ECCV 2022; that sums over frames).
 */
export function matchingKl(audio: Value, visual: readonly Value[], weight: Value): Value {
  const heard = logSoftmax(audio);
  const terms = visual.map((pooled) => {
    const seen = logSoftmax(pooled);
    return weightedMean(sum(mul(exp(seen), sub(seen, heard)), [-1]), weight);
  });
  return mul(terms.reduce(add), 1 / terms.length);
}

/** 1 for a clip that has a second, 0 for one that only fills the batch: `mask` [B, T] to [B]. */
export const clipWeight = (mask: Value): Value => maxOver(relu(mask), [1]);
