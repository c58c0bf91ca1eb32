/**
 * HTS-AT (Chen et al., ICASSP 2022): a Swin Transformer of the first generation (norm before each branch, a table of position biases) over a log-mel picture.
 * Parameter names and shapes are those of the published checkpoints.
 */
import {
  add,
  div,
  gather,
  matmul,
  mul,
  reshape,
  softmax,
  sqrt,
  stretchRows,
  sub,
  transpose,
  type Value,
} from '../ops/index.ts';
import { dense, joinNeighbours, mlp, norm, patchEmbedding, residual } from './layers.ts';
import type { Params } from './params.ts';
import { type Adapt, byHeads, type Features, joinHeads, partOf, type StageConfig, stages, withMask } from './swin.ts';
import { cutWindows, joinWindows, offsetIndex, type Size, type Windowing } from './windows.ts';

export type HtsAtConfig = StageConfig & {
  mels: number;
  /**
   * `fold` stretches time and stacks pieces of it along frequency into a square, as published (1024 x 64 to 256 x 256);
   * `plain` takes the log-mel as it is, one row per frame (ours, for pieces of a second).
   */
  layout: { kind: 'fold'; side: number } | { kind: 'plain' };
};

/** `logMel` is [B, 1, frames, mels]. */
export function htsAt(p: Params, logMel: Value, config: HtsAtConfig, adapt?: Adapt): Features {
  const picture = layOut(normMels(p, logMel), config);
  const grid = picture.shape.slice(2).map((length) => length / config.patch) as Size;
  const tokens = patchEmbedding(p, picture, config.patch, config.width);
  return stages(p, tokens, grid, config, (q, x, w, heads) => block(q, x, w, heads, config), merge, adapt);
}

/** Batch norm over the mel bins with fixed statistics. */
function normMels(p: Params, x: Value): Value {
  const bins = [x.shape[3]!];
  return p.in('bn0', (q) => {
    const deviation = sqrt(add(q.get('running_var', bins, { constant: 1 }), 1e-5));
    const scale = div(q.get('weight', bins, { constant: 1 }), deviation);
    const shift = sub(q.get('bias', bins, { constant: 0 }), mul(q.get('running_mean', bins, { constant: 0 }), scale));
    return add(mul(x, scale), shift);
  });
}

function layOut(x: Value, { layout, mels }: HtsAtConfig): Value {
  if (layout.kind === 'plain') return x;
  const b = x.shape[0]!;
  const { side } = layout;
  const pieces = side / mels;
  const stretched = reshape(stretchRows(x, side * pieces), [b, pieces, side, mels]);
  return reshape(transpose(stretched, [0, 1, 3, 2]), [b, 1, side, side]);
}

function block(p: Params, x: Value, w: Windowing, heads: number, config: HtsAtConfig): Value {
  const attend = (y: Value): Value => p.in('attn', (q) => attention(q, y, w, heads));
  const attended = residual(x, (y) => joinWindows(attend(cutWindows(norm(p, 'norm1', y), w)), w));
  return residual(attended, (y) => mlp(p, norm(p, 'norm2', y), config.mlpRatio));
}

/** Halves the map: the norm comes first, over all four neighbours. */
function merge(p: Params, x: Value, map: Size): Value {
  const width = x.shape[2]!;
  return dense(p, 'reduction', norm(p, 'norm', joinNeighbours(x, map)), 2 * width, { bias: false });
}

/** Attention within windows: [B * windows, tokens, width]. */
function attention(p: Params, x: Value, w: Windowing, heads: number): Value {
  const width = x.shape[2]!;
  const qkv = dense(p, 'qkv', x, 3 * width);
  const parts = byHeads(qkv, heads);
  const query = mul(partOf(parts, 0), (width / heads) ** -0.5);
  const scores = matmul(query, partOf(parts, 1), { transposeB: true });
  const logits = withMask(add(scores, positionBias(p, w.window, heads)), w);
  return dense(p, 'proj', joinHeads(matmul(softmax(logits), partOf(parts, 2))), width);
}

/** One learned number per offset and head: [heads, tokens, tokens]. */
function positionBias(p: Params, window: Size, heads: number): Value {
  const [h, w] = window;
  const table = p.get('relative_position_bias_table', [(2 * h - 1) * (2 * w - 1), heads], { normal: 0.02 });
  const pairs = reshape(gather(table, offsetIndex(p.graph, window)), [h * w, h * w, heads]);
  return transpose(pairs, [2, 0, 1]);
}
