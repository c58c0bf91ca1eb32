/**
 * Swin Transformer V2 (Liu et al., CVPR 2022): window attention by cosine, position bias by a small network on log-spaced offsets, norm after each branch.
 * Parameter names and shapes are those of the published checkpoints, so that they can be read in as they are.
 */
import {
  add,
  concat,
  exp,
  gather,
  l2Normalize,
  linear,
  matmul,
  minimum,
  mul,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  transpose,
  type Value,
} from '../ops/index.ts';
import { dense, joinNeighbours, mlp, norm, patchEmbedding, residual } from './layers.ts';
import type { Params } from './params.ts';
import { type Adapt, byHeads, type Features, joinHeads, partOf, type StageConfig, stages, withMask } from './swin.ts';
import { cutWindows, joinWindows, offsetIndex, type Size, type Windowing } from './windows.ts';

export type SwinV2Config = StageConfig & {
  /** Height and width of the picture in pixels. */
  image: Size;
  /** The window that each stage was pretrained with, where it was another: offsets are measured by it. */
  pretrainedWindows?: readonly number[];
};

/** `picture` is [B, 3, H, W], normalised. */
export function swinV2(p: Params, picture: Value, config: SwinV2Config, adapt?: Adapt): Features {
  const grid = config.image.map((length) => length / config.patch) as Size;
  const tokens = patchEmbedding(p, picture, config.patch, config.width);
  return stages(p, tokens, grid, config, (q, x, w, heads, s) => block(q, x, w, heads, config, s), merge, adapt);
}

function block(p: Params, x: Value, w: Windowing, heads: number, config: SwinV2Config, stage: number): Value {
  const attend = (y: Value): Value =>
    p.in('attn', (q) => attention(q, y, w, heads, config.pretrainedWindows?.[stage] ?? 0));
  const attended = residual(x, (y) => norm(p, 'norm1', joinWindows(attend(cutWindows(y, w)), w)));
  return residual(attended, (y) => norm(p, 'norm2', mlp(p, y, config.mlpRatio)));
}

/** Halves the map: four neighbours to twice the width, and only then the norm. */
function merge(p: Params, x: Value, map: Size): Value {
  const width = x.shape[2]!;
  return norm(p, 'norm', dense(p, 'reduction', joinNeighbours(x, map), 2 * width, { bias: false }));
}

/** Attention within windows: [B * windows, tokens, width]. */
function attention(p: Params, x: Value, w: Windowing, heads: number, pretrainedWindow: number): Value {
  const width = x.shape[2]!;
  const weight = p.get('qkv.weight', [3 * width, width], 'fan-in');
  const qBias = p.get('q_bias', [width], { constant: 0 });
  const vBias = p.get('v_bias', [width], { constant: 0 });
  const noBias = p.graph.remember(`zeros ${width}`, () => p.graph.constant(new Float32Array(width), [width]));
  const qkv = linear(x, weight, concat([qBias, noBias, vBias], 0));

  // exp(min(scale, ln 100)): the published clamp of the temperature.
  const scale = exp(minimum(p.get('logit_scale', [heads, 1, 1], { constant: Math.log(10) }), Math.log(100)));
  // The queries are scaled and not the scores, which are several times as many numbers.
  const parts = byHeads(qkv, heads);
  const units = l2Normalize(slice(parts, 0, 0, 2));
  const cosine = matmul(mul(partOf(units, 0), scale), partOf(units, 1), { transposeB: true });
  const logits = withMask(add(cosine, positionBias(p, w.window, heads, pretrainedWindow)), w);
  return dense(p, 'proj', joinHeads(matmul(softmax(logits), partOf(parts, 2))), width);
}

/** 16 sigmoid(network(offset)) per head: [heads, tokens, tokens]. */
function positionBias(p: Params, window: Size, heads: number, pretrainedWindow: number): Value {
  const tokens = window[0] * window[1];
  const offsets = p.graph.remember(`log offsets ${window} ${pretrainedWindow}`, () => {
    const table = logOffsets(window, pretrainedWindow);
    return p.graph.constant(table, [table.length / 2, 2]);
  });
  const hidden = relu(dense(p, 'cpb_mlp.0', offsets, 512));
  const bias = dense(p, 'cpb_mlp.2', hidden, heads, { bias: false });
  const pairs = reshape(gather(bias, offsetIndex(p.graph, window)), [tokens, tokens, heads]);
  return mul(sigmoid(transpose(pairs, [2, 0, 1])), 16);
}

/** sign(d) log2(1 + |d|) / log2(8), d = 8 offset / (window - 1), for every offset within a window: [(2h-1)(2w-1), 2]. */
function logOffsets([h, w]: Size, pretrainedWindow: number): Float32Array {
  const spaced = (offset: number, length: number): number => {
    const span = (pretrainedWindow || length) - 1;
    const d = span > 0 ? (8 * offset) / span : 0;
    return (Math.sign(d) * Math.log2(1 + Math.abs(d))) / 3;
  };
  const table: number[] = [];
  for (let dy = 1 - h; dy < h; dy++) for (let dx = 1 - w; dx < w; dx++) table.push(spaced(dy, h), spaced(dx, w));
  return Float32Array.from(table);
}
