/** Ordinary attention over sequences, for the parts of an adapter that look along time. */
import { add, matmul, mul, reshape, softmax, transpose, type Value } from '../ops/index.ts';
import { dense, mlp, norm, residual } from './layers.ts';
import type { Params } from './params.ts';

/** Added to the score of a key that must not be seen. */
const hidden = -1e4;

/** 0 where `mask` [B, length] is 1 and a large negative number where it is 0: [B, 1, 1, length]. */
export function keyBias(mask: Value): Value {
  const [b, length] = mask.shape as [number, number];
  return reshape(mul(add(mul(mask, -1), 1), hidden), [b, 1, 1, length]);
}

/** Multi-head attention of `x` [B, n, c] on `context` [B, m, c]; `bias` [B, 1, 1, m] hides keys. */
export function attention(p: Params, x: Value, context: Value, heads: number, bias?: Value): Value {
  const [b, n, width] = x.shape as [number, number, number];
  const m = context.shape[1]!;
  const size = width / heads;
  const split = (y: Value, length: number): Value => transpose(reshape(y, [b, length, heads, size]), [0, 2, 1, 3]);
  const query = split(mul(dense(p, 'query', x, width), size ** -0.5), n);
  const scores = matmul(query, split(dense(p, 'key', context, width), m), { transposeB: true });
  const mixed = matmul(softmax(bias ? add(scores, bias) : scores), split(dense(p, 'value', context, width), m));
  return dense(p, 'out', reshape(transpose(mixed, [0, 2, 1, 3]), [b, n, width]), width);
}

/** A pre-norm transformer layer over [B, n, c]. */
export function transformerLayer(p: Params, x: Value, heads: number, bias?: Value): Value {
  const attended = residual(x, (y) => {
    const normed = norm(p, 'norm1', y);
    return p.in('attention', (q) => attention(q, normed, normed, heads, bias));
  });
  return residual(attended, (y) => mlp(p, norm(p, 'norm2', y), 4));
}
