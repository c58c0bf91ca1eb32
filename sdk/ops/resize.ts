/** Resampling of maps: a product with a matrix of weights on each axis, so that its gradient is a product too. */
import type { Graph, Op, Value } from './graph.ts';
import { matmul } from './linear.ts';

const upsampleOp: Op = {
  name: 'upsample2x',
  emit(to, _value, [x], output) {
    const attributes = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
    to.node('Resize', [x!, '', to.floats([1, 1, 2, 2])], [output], attributes);
  },
  backward(value, dy) {
    const [, , h, w] = value.inputs[0]!.shape as [number, number, number, number];
    const rows = weights(dy.graph, 'linear', h, 2 * h);
    const columns = weights(dy.graph, 'linear', w, 2 * w);
    return [matmul(matmul(rows, dy, { transposeA: true }), columns)];
  },
};
/** Twice the height and width of [N, C, H, W], bilinear, pixel centres at one half. */
export function upsample2x(x: Value): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return x.graph.apply(upsampleOp, [x], {}, [n, c, 2 * h, 2 * w]);
}

/** Bicubic stretch (kernel parameter -0.75, first and last sample kept in place) of the second last axis to `length`. */
export function stretchRows(x: Value, length: number): Value {
  const rows = x.shape.at(-2)!;
  return rows === length ? x : matmul(weights(x.graph, 'cubic', rows, length), x);
}

function weights(graph: Graph, kind: 'linear' | 'cubic', from: number, to: number): Value {
  const table = kind === 'linear' ? linearWeights : cubicWeights;
  return graph.remember(`${kind} ${from} ${to}`, () => graph.constant(table(from, to), [to, from]));
}

function linearWeights(from: number, to: number): Float32Array {
  const table = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    const high = Math.min(low + 1, from - 1);
    table[i * from + low]! += 1 - (at - low);
    table[i * from + high]! += at - low;
  }
  return table;
}

function cubicWeights(from: number, to: number): Float32Array {
  const a = -0.75;
  const kernel = (t: number): number => {
    const d = Math.abs(t);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  };
  const table = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = to > 1 ? (i * (from - 1)) / (to - 1) : 0;
    const base = Math.floor(at);
    for (let k = base - 1; k <= base + 2; k++) {
      table[i * from + Math.min(Math.max(k, 0), from - 1)]! += kernel(at - k);
    }
  }
  return table;
}
