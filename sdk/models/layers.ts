/** Layers that several networks share. Parameter names and shapes are those of published checkpoints. */
import { add, gelu, layerNorm, linear, reshape, transpose, type Value } from '../ops/index.ts';
import type { Params } from './params.ts';

/** `width` to `out` over the last axis. */
export function dense(p: Params, name: string, x: Value, out: number, { bias = true } = {}): Value {
  const width = x.shape.at(-1)!;
  const weight = p.get(`${name}.weight`, [out, width], 'fan-in');
  return linear(x, weight, bias ? p.get(`${name}.bias`, [out], { constant: 0 }) : undefined);
}

/** Layer norm with scale and bias over the last axis. */
export function norm(p: Params, name: string, x: Value, scale = 1): Value {
  const width = x.shape.at(-1)!;
  const weight = p.get(`${name}.weight`, [width], { constant: scale });
  return layerNorm(x, weight, p.get(`${name}.bias`, [width], { constant: 0 }));
}

/** Two linear maps with GELU between; the hidden width is `ratio` times the input's. */
export function mlp(p: Params, x: Value, ratio: number, out = x.shape.at(-1)!): Value {
  return p.in('mlp', (q) => dense(q, 'fc2', gelu(dense(q, 'fc1', x, x.shape.at(-1)! * ratio)), out));
}

/** Non-overlapping patches of [B, C, H, W] as tokens, normed: [B, H/patch * W/patch, width]. A strided convolution written as a product. */
export function patchEmbedding(p: Params, image: Value, patch: number, width: number): Value {
  return p.in('patch_embed', (q) => {
    const [b, c, h, w] = image.shape as [number, number, number, number];
    const [rows, columns] = [h / patch, w / patch];
    const patches = patchRows(image, patch);
    const weight = q.get('proj.weight', [width, c, patch, patch], 'fan-in');
    const flat = reshape(weight, [width, c * patch * patch]);
    const tokens = linear(patches, flat, q.get('proj.bias', [width], { constant: 0 }));
    return norm(q, 'norm', reshape(tokens, [b, rows * columns, width]));
  });
}

/** Concatenates each 2 x 2 neighbourhood of a token map: [B, H*W, C] to [B, H/2*W/2, 4C], order (0,0), (1,0), (0,1), (1,1). */
export function joinNeighbours(tokens: Value, [rows, columns]: [number, number]): Value {
  const [b, , c] = tokens.shape as [number, number, number];
  const cells = reshape(tokens, [b, rows / 2, 2, columns / 2, 2, c]);
  return reshape(transpose(cells, [0, 1, 3, 4, 2, 5]), [b, (rows / 2) * (columns / 2), 4 * c]);
}

/** Adds a residual branch. */
export const residual = (x: Value, branch: (x: Value) => Value): Value => add(x, branch(x));

/** [B, C, H, W] to [B * H/patch * W/patch, C*patch*patch]. */
function patchRows(image: Value, patch: number): Value {
  const [b, c, h, w] = image.shape as [number, number, number, number];
  const cells = reshape(image, [b, c, h / patch, patch, w / patch, patch]);
  return reshape(transpose(cells, [0, 2, 4, 1, 3, 5]), [b * (h / patch) * (w / patch), c * patch * patch]);
}
