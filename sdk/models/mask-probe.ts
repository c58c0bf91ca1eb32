/**
 * A mask that is linear in the frozen features (ours): every cell of every map that is read says one number, coarse maps are spread over fine ones, and the mean
 * of every layer of sound adds one number to all cells alike. No meta-tokens, no injection, no convolution: it is the baseline that the whole method is compared
 * with, not a way to good masks. What is seen somewhere and what is heard are added up and never meet.
 */
import { add, layerNorm, mean, reshape, upsample2x, type Value } from '../ops/index.ts';
import { dense } from './layers.ts';
import type { Params } from './params.ts';
import type { StageMap } from './segmentation.ts';
import type { Size } from './windows.ts';

/** A layer that is read: what its parameters are called, and its output [N, tokens, D]; a map with its grid. */
export type ProbedSound = { name: string; value: Value };
export type ProbedMap = StageMap & { name: string };

/**
 * A mask's logits [N, 1, 4 * rows, 4 * columns] of the finest grid. `grids` are finest first, each twice as fine as the next; at least one map must have one
 * of them, and none another.
 */
export function maskProbe(
  p: Params,
  grids: readonly Size[],
  maps: readonly ProbedMap[],
  sounds: readonly ProbedSound[],
): Value {
  const heard = sounds.map(({ name, value }) => {
    const score = dense(p, `audio.${name}`, mean(layerNorm(value), [1], true), 1);
    return reshape(score, [score.shape[0]!, 1, 1, 1]);
  });
  const atGrid = (grid: Size): Value[] =>
    maps
      .filter((map) => String(map.grid) === String(grid))
      .map(({ name, value }) =>
        reshape(dense(p, `visual.${name}`, layerNorm(value), 1), [value.shape[0]!, 1, ...grid]),
      );
  const seen = grids.reduceRight<Value | null>((coarser, grid) => {
    const scores = coarser ? [upsample2x(coarser), ...atGrid(grid)] : atGrid(grid);
    return scores.length > 0 ? scores.reduce(add) : null;
  }, null);
  return upsample2x(upsample2x([seen!, ...heard].reduce(add)));
}
