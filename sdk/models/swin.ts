/** What both Swin generations share: stages of blocks on a map that halves, multi-head products within windows, and the features they show. */
import { add, reshape, slice, transpose, type Value } from '../ops/index.ts';
import { norm } from './layers.ts';
import type { Params } from './params.ts';
import { isShifted, type Size, shiftMask, type Windowing, windowing } from './windows.ts';

/** The sizes that both generations have; `width` is that of the first stage, every later one doubles it. */
export type StageConfig = {
  patch: number;
  width: number;
  depths: readonly number[];
  heads: readonly number[];
  window: number;
  mlpRatio: number;
};

/** What a backbone shows: every block's output and every stage's end. */
export type Features = {
  /** [stage][block]: [B, tokens, width]. */
  blocks: Value[][];
  /** The last block's output of each stage, before the map is halved; that of the last stage is normed. */
  stageEnds: Value[];
  /** After the patch merging that ends a stage, where there is one. */
  merged: Value[];
  /** Rows and columns of each stage's map. */
  grids: Size[];
};

export type Block = (p: Params, x: Value, w: Windowing, heads: number, stage: number) => Value;
export type Merge = (p: Params, x: Value, map: Size) => Value;
/** Changes a block's output [B, tokens, width] before the next block reads it; `name` is the block's, as in `layers.0.blocks.1`. */
export type Adapt = (x: Value, name: string) => Value;

/**
 * Runs all stages on tokens [B, rows * columns, width]; every second block has its windows shifted. `adapt` is how other methods put trainable layers inside;
 * ours leaves it out.
 */
export function stages(
  p: Params,
  tokens: Value,
  grid: Size,
  config: StageConfig,
  block: Block,
  merge: Merge,
  adapt: Adapt = (x) => x,
): Features {
  const features: Features = { blocks: [], stageEnds: [], merged: [], grids: [] };
  let x = tokens;
  let map = grid;
  config.depths.forEach((depth, s) => {
    const outputs: Value[] = [];
    for (let b = 0; b < depth; b++) {
      const w = windowing(map, config.window, b % 2 === 1);
      const name = `layers.${s}.blocks.${b}`;
      const output = p.in(name, (q) => block(q, x, w, config.heads[s]!, s));
      x = adapt(output, name);
      outputs.push(x);
    }
    const last = s === config.depths.length - 1;
    features.blocks.push(outputs);
    features.grids.push(map);
    features.stageEnds.push(last ? norm(p, 'norm', x) : x);
    if (!last) {
      x = p.in(`layers.${s}.downsample`, (q) => merge(q, x, map));
      map = [map[0] / 2, map[1] / 2];
    }
    features.merged.push(x);
  });
  return features;
}

/** The three parts of `qkv` [N, tokens, 3 * width] by heads, one after the other: [3, N, heads, tokens, width / heads]. */
export function byHeads(qkv: Value, heads: number): Value {
  const [n, tokens, all] = qkv.shape as [number, number, number];
  return transpose(reshape(qkv, [n, tokens, 3, heads, all / 3 / heads]), [2, 0, 3, 1, 4]);
}

/** One part of what `byHeads` gave, or of its beginning: [N, heads, tokens, width / heads]. */
export const partOf = (parts: Value, part: 0 | 1 | 2): Value =>
  reshape(slice(parts, 0, part, part + 1), parts.shape.slice(1));

/** [N, heads, tokens, size] back to [N, tokens, heads * size]. */
export function joinHeads(x: Value): Value {
  const [n, heads, tokens, size] = x.shape as [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [n, tokens, heads * size]);
}

/** Adds the shift mask to attention logits [B * windows, heads, tokens, tokens]. */
export function withMask(logits: Value, w: Windowing): Value {
  if (!isShifted(w)) return logits;
  const mask = shiftMask(logits.graph, w);
  const [n, ...rest] = logits.shape as [number, number, number, number];
  const windows = mask.shape[0]!;
  return reshape(add(reshape(logits, [n / windows, windows, ...rest]), mask), logits.shape);
}
