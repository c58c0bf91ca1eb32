/**
 * Segmentation of what sounds: Meta-Token Injection, then a mask decoder. That the top layer's audio and visual meta-tokens guide the maps of earlier layers
 * is the paper's; the form is ours. The guidance tokens differ from frame to frame, but there are few of them, so keys and values are again taken to their
 * side: scores are n(F) (W_q' W_k g_j), and W_o W_v g_j is formed before it is spread over the map.
 */

import { MettleError } from '../errors.ts';
import {
  add,
  concat,
  conv2d,
  layerNorm,
  matmul,
  mean,
  mul,
  relu,
  reshape,
  sigmoid,
  softmax,
  transpose,
  upsample2x,
  type Value,
} from '../ops/index.ts';
import { dense } from './layers.ts';
import { bottleneck } from './lcd.ts';
import type { Params } from './params.ts';
import { tpavi } from './tpavi.ts';
import type { Size } from './windows.ts';

export type SegmentationConfig = {
  heads: number;
  channels: number;
  /** Whose meta-tokens guide the maps; `none` leaves the maps as they are. Default: both. */
  injection?: Injection;
  /** Adds an audio-visual non-local block over the seconds of a clip (`tpavi.ts`), for whole clips of so many seconds. Default: none. */
  nonLocal?: { seconds: number };
};
export type Injection = 'both' | 'audio' | 'visual' | 'none';
/** A stage-end map of the visual backbone: [N, rows * columns, D]. */
export type StageMap = { value: Value; grid: Size };

/** Meta-tokens of the top layers: [N, K, c] each, null of a sense that is not read. */
export type TopTokens = { audio: Value | null; visual: Value | null };

/** A mask's logits [N, 1, 4 * rows, 4 * columns] of the first (finest) map, and the maps that it was decoded from, [N, channels, rows, columns]. */
export type Decoded = { mask: Value; laterals: Value[] };

export function segmentation(
  p: Params,
  maps: readonly StageMap[],
  tokens: TopTokens,
  config: SegmentationConfig,
): Decoded {
  const { injection = 'both', nonLocal, heads } = config;
  const guidance = injection === 'none' ? null : injection === 'both' ? joinTokens(tokens) : tokens[injection];
  const guided = maps.map(({ value, grid }, i) => {
    const injected = guidance ? p.in(`injection.${i}`, (q) => inject(q, value, guidance, heads)) : value;
    if (!nonLocal) return { value: injected, grid };
    const heard = mean(soundFor('The non-local block', tokens.audio), [1]);
    return { value: p.in(`non_local.${i}`, (q) => tpavi(q, injected, heard, nonLocal.seconds)), grid };
  });
  return p.in('decoder', (q) => decode(q, guided, config.channels));
}

/** Both modalities' tokens side by side: [N, 2K, c]; of one alone [N, K, c]. */
const joinTokens = ({ audio, visual }: TopTokens): Value | null =>
  audio && visual ? concat([audio, visual], 1) : (audio ?? visual);

function soundFor(what: string, audio: Value | null): Value {
  if (audio) return audio;
  throw new MettleError('invalid-argument', `${what} compares pictures with sound, which this adapter does not hear.`, {
    hint: 'Let it read both senses, or leave that out.',
  });
}

/**
 * What the matching loss of MS3 compares: the sound of each second, and each map's mean under the predicted mask, all [N, channels]. For training alone; its
 * one parameter is not part of what ships.
 */
export function matching(p: Params, { mask, laterals }: Decoded, audio: Value | null): { heard: Value; seen: Value[] } {
  const sound = soundFor('The matching loss', audio);
  const [n, , height, width] = mask.shape as [number, number, number, number];
  const probability = sigmoid(mask);
  const seen = laterals.map((map) => {
    const [, channels, rows, columns] = map.shape as [number, number, number, number];
    const cells = reshape(probability, [n, 1, rows, height / rows, columns, width / columns]);
    return reshape(mean(mul(map, mean(cells, [3, 5])), [2, 3]), [n, channels]);
  });
  return { heard: p.in('matching', (q) => dense(q, 'audio', mean(sound, [1]), seen[0]!.shape[1]!)), seen };
}

/** F + gate * W_o Attention(W_q n(F), guidance): [N, tokens, D]; the gate is zero at the start. */
export function inject(p: Params, map: Value, guidance: Value, heads: number): Value {
  const [n, , width] = map.shape as [number, number, number];
  const [, count, c] = guidance.shape as [number, number, number];
  const inner = bottleneck(width);
  const size = inner / heads;
  const weight = (name: string, out: number, from: number): Value => p.get(name, [out, from], 'fan-in');
  const perHead = (x: Value): Value => transpose(reshape(x, [n, count, heads, size]), [0, 2, 1, 3]);
  const keys = perHead(matmul(guidance, weight('key.weight', inner, c), { transposeB: true }));
  const values = perHead(matmul(guidance, weight('value.weight', inner, c), { transposeB: true }));

  const query = reshape(weight('query.weight', inner, width), [heads, size, width]);
  const rows = reshape(mul(matmul(keys, query), size ** -0.5), [n, heads * count, width]);
  const out = reshape(transpose(weight('out.weight', width, inner), [1, 0]), [heads, size, width]);
  const spread = reshape(matmul(values, out), [n, heads * count, width]);

  const scores = matmul(layerNorm(map), rows, { transposeB: true });
  const tokens = map.shape[1]!;
  const shares = reshape(softmax(reshape(scores, [n, tokens, heads, count])), [n, tokens, heads * count]);
  return add(map, mul(matmul(shares, spread), p.get('gate', [width], { constant: 0 })));
}

/** A feature pyramid from the coarsest map up to the finest, then twice that and twice again. */
function decode(p: Params, maps: readonly StageMap[], channels: number): Decoded {
  const lateral = ({ value, grid }: StageMap, i: number): Value => {
    const narrowed = dense(p, `lateral.${i}`, layerNorm(value), channels);
    return reshape(transpose(narrowed, [0, 2, 1]), [value.shape[0]!, channels, ...grid]);
  };
  const laterals = maps.map(lateral);
  let x: Value | null = null;
  for (let i = maps.length - 1; i >= 0; i--) {
    const map = laterals[i]!;
    x = p.in(`refine.${i}`, (q) => residualUnit(q, x ? add(map, upsample2x(x)) : map));
  }
  const half = channels / 2;
  const finer = relu(convolution(p, 'up1', upsample2x(x!), half));
  const finest = relu(convolution(p, 'up2', upsample2x(finer), half));
  return { mask: convolution(p, 'mask', finest, 1, 1), laterals };
}

/** x + conv(relu(conv(relu(x)))). */
const residualUnit = (p: Params, x: Value): Value => {
  const channels = x.shape[1]!;
  return add(x, convolution(p, 'conv2', relu(convolution(p, 'conv1', relu(x), channels)), channels));
};

function convolution(p: Params, name: string, x: Value, out: number, kernel = 3): Value {
  const weight = p.get(`${name}.weight`, [out, x.shape[1]!, kernel, kernel], 'fan-in');
  return conv2d(x, weight, p.get(`${name}.bias`, [out], { constant: 0 }), { padding: (kernel - 1) / 2 });
}
