/**
 * Segmentation of what sounds: Meta-Token Injection, then a mask decoder. That the top layer's audio and visual meta-tokens guide the maps of earlier layers
 * is the paper's; the form is ours. The guidance tokens differ from frame to frame, but there are few of them, so keys and values are again taken to their
 * side: scores are n(F) (W_q' W_k g_j), and W_o W_v g_j is formed before it is spread over the map.
 */
import {
  add,
  conv2d,
  layerNorm,
  matmul,
  mul,
  relu,
  reshape,
  softmax,
  transpose,
  upsample2x,
  type Value,
} from '../ops/index.ts';
import { dense } from './layers.ts';
import { bottleneck } from './lcd.ts';
import type { Params } from './params.ts';
import type { Size } from './windows.ts';

export type SegmentationConfig = { heads: number; channels: number };
/** A stage-end map of the visual backbone: [N, rows * columns, D]. */
export type StageMap = { value: Value; grid: Size };

/** Logits of the mask, [N, 1, 4 * rows, 4 * columns] of the first (finest) map. `guidance` is [N, G, c]. */
export function segmentation(p: Params, maps: readonly StageMap[], guidance: Value, config: SegmentationConfig): Value {
  const guided = maps.map(({ value, grid }, i) => ({
    value: p.in(`injection.${i}`, (q) => inject(q, value, guidance, config.heads)),
    grid,
  }));
  return p.in('decoder', (q) => decode(q, guided, config.channels));
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
function decode(p: Params, maps: readonly StageMap[], channels: number): Value {
  const lateral = ({ value, grid }: StageMap, i: number): Value => {
    const narrowed = dense(p, `lateral.${i}`, layerNorm(value), channels);
    return reshape(transpose(narrowed, [0, 2, 1]), [value.shape[0]!, channels, ...grid]);
  };
  let x: Value | null = null;
  for (let i = maps.length - 1; i >= 0; i--) {
    const map = lateral(maps[i]!, i);
    x = p.in(`refine.${i}`, (q) => residualUnit(q, x ? add(map, upsample2x(x)) : map));
  }
  const half = channels / 2;
  const finer = relu(convolution(p, 'up1', upsample2x(x!), half));
  const finest = relu(convolution(p, 'up2', upsample2x(finer), half));
  return convolution(p, 'mask', finest, 1, 1);
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
