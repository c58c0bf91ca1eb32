/** Operations that move values and compute nothing. */
import { type Op, range, type Shape, sameShape, sizeOf, type Value } from './graph.ts';
import { matmul } from './linear.ts';
import { sumTo } from './reduce.ts';

const reshapeOp: Op = {
  name: 'reshape',
  emit: (to, value, [x], output) => to.node('Reshape', [x!, to.integers(value.shape)], [output]),
  backward: (value, dy) => [reshape(dy, value.inputs[0]!.shape)],
};
/** Same values in the same order under another shape. */
export function reshape(x: Value, shape: Shape): Value {
  if (sizeOf(shape) !== sizeOf(x.shape)) throw new Error(`cannot reshape [${x.shape}] to [${shape}] (${x.name})`);
  const source = x.op === reshapeOp ? x.inputs[0]! : x;
  return sameShape(source.shape, shape) ? source : source.graph.apply(reshapeOp, [source], { shape }, shape);
}

const transposeOp: Op = {
  name: 'transpose',
  emit: (to, value, inputs, output) =>
    to.node('Transpose', inputs, [output], { perm: value.attributes.axes as number[] }),
  backward(value, dy) {
    const axes = value.attributes.axes as number[];
    return [
      transpose(
        dy,
        range(axes.length).map((i) => axes.indexOf(i)),
      ),
    ];
  },
};
/** Axis i of the result is axis `axes[i]` of `x`. */
export function transpose(x: Value, axes: readonly number[]): Value {
  if (axes.length !== x.rank) throw new Error(`transpose of [${x.shape}] by [${axes}] (${x.name})`);
  if (axes.every((axis, i) => axis === i)) return x;
  return x.graph.apply(
    transposeOp,
    [x],
    { axes: [...axes] },
    axes.map((axis) => x.shape[axis]!),
    x.dtype,
  );
}

const expandOp: Op = {
  name: 'expand',
  emit: (to, value, [x], output) => to.node('Expand', [x!, to.integers(value.shape)], [output]),
  backward: (value, dy) => [sumTo(dy, value.inputs[0]!.shape)],
};
/** Repeats axes of length one (and missing leading axes) up to `shape`. */
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : x.graph.apply(expandOp, [x], { shape }, shape);

export const sliceOp: Op = {
  name: 'slice',
  emit(to, value, [x], output) {
    const { starts, ends } = value.attributes as { starts: number[]; ends: number[] };
    const whole = value.inputs[0]!.shape;
    const axes = range(whole.length).filter((i) => starts[i] !== 0 || ends[i] !== whole[i]);
    const at = (values: number[]): string => to.integers(axes.map((i) => values[i]!));
    to.node('Slice', [x!, at(starts), at(ends), to.integers(axes)], [output]);
  },
  backward(value, dy) {
    const { starts, ends } = value.attributes as { starts: number[]; ends: number[] };
    return [
      pad(
        dy,
        starts,
        value.inputs[0]!.shape.map((d, i) => d - ends[i]!),
      ),
    ];
  },
};
/** The part of `x` from `start` to before `end` on one axis. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  const starts = x.shape.map((_, i) => (i === axis ? start : 0));
  const ends = x.shape.map((d, i) => (i === axis ? end : d));
  return sliceAll(x, starts, ends);
}
/** The box of `x` from `starts` to before `ends`. */
export function sliceAll(x: Value, starts: readonly number[], ends: readonly number[]): Value {
  const shape = starts.map((s, i) => ends[i]! - s);
  if (shape.some((d, i) => d <= 0 || starts[i]! < 0 || ends[i]! > x.shape[i]!)) {
    throw new Error(`slice [${starts}] to [${ends}] of [${x.shape}] (${x.name})`);
  }
  return sameShape(shape, x.shape) ? x : x.graph.apply(sliceOp, [x], { starts, ends }, shape, x.dtype);
}

const padOp: Op = {
  name: 'pad',
  emit(to, value, [x], output) {
    const { before, after } = value.attributes as { before: number[]; after: number[] };
    to.node('Pad', [x!, to.integers([...before, ...after])], [output]);
  },
  backward(value, dy) {
    const before = value.attributes.before as number[];
    return [
      sliceAll(
        dy,
        before,
        value.inputs[0]!.shape.map((d, i) => d + before[i]!),
      ),
    ];
  },
};
/** Zeros around `x`: so many before and after on each axis. */
export function pad(x: Value, before: readonly number[], after: readonly number[]): Value {
  if ([...before, ...after].every((p) => p === 0)) return x;
  return x.graph.apply(
    padOp,
    [x],
    { before, after },
    x.shape.map((d, i) => d + before[i]! + after[i]!),
  );
}

const concatOp: Op = {
  name: 'concat',
  emit: (to, value, inputs, output) => to.node('Concat', inputs, [output], { axis: value.attributes.axis as number }),
  backward(value, dy) {
    const axis = value.attributes.axis as number;
    let start = 0;
    return value.inputs.map((x) => {
      const end = start + x.shape[axis]!;
      const part = slice(dy, axis, start, end);
      start = end;
      return part;
    });
  },
};
/** Puts values side by side on one axis. */
export function concat(xs: readonly Value[], axis: number): Value {
  const first = xs[0]!;
  if (xs.length === 1) return first;
  const shape = first.shape.map((d, i) => (i === axis ? xs.reduce((sum, x) => sum + x.shape[axis]!, 0) : d));
  return first.graph.apply(concatOp, xs, { axis }, shape, first.dtype);
}

const oneHotOp: Op = {
  name: 'oneHot',
  emit(to, value, [indices], output) {
    const [count, depth] = value.shape as [number, number];
    to.node('Reshape', [indices!, to.integers([count, 1])], [`${output}/column`]);
    to.node('Equal', [`${output}/column`, to.integers(range(depth))], [`${output}/equal`]);
    to.node('Cast', [`${output}/equal`], [output], { to: to.dtypeCode('float32') });
  },
};
/** 1 where a column's number is the row's index: int64 [n] to [n, depth]. */
export const oneHot = (indices: Value, depth: number): Value =>
  indices.graph.apply(oneHotOp, [indices], { depth }, [sizeOf(indices.shape), depth]);

const gatherOp: Op = {
  name: 'gather',
  emit: (to, _value, inputs, output) => to.node('Gather', inputs, [output], { axis: 0 }),
  backward(value, dy) {
    const [x, indices] = value.inputs as [Value, Value];
    const rows = x.shape[0]!;
    const picked = sizeOf(indices.shape);
    const flat = reshape(dy, [picked, sizeOf(x.shape) / rows]);
    return [reshape(matmul(oneHot(indices, rows), flat, { transposeA: true }), x.shape), null];
  },
};
/** Rows of `x` (its first axis) by int64 indices: [...indices.shape, ...x.shape.slice(1)]. */
export const gather = (x: Value, indices: Value): Value =>
  x.graph.apply(gatherOp, [x, indices], {}, [...indices.shape, ...x.shape.slice(1)], x.dtype);

const permuteRowsOp: Op = {
  name: 'permuteRows',
  emit: (to, _value, inputs, output) => to.node('Gather', inputs, [output], { axis: 1 }),
  backward(value, dy) {
    const order = value.attributes.order as number[];
    const inverse = new Array<number>(order.length);
    order.forEach((from, to) => {
      inverse[from] = to;
    });
    return [permuteRows(dy, inverse), null];
  },
};
/** Row i of the second axis becomes what row `order[i]` of `x` was; `order` names each row once. One operation, however far rows move. */
export function permuteRows(x: Value, order: readonly number[]): Value {
  if (order.length !== x.shape[1]) throw new Error(`order of ${order.length} for [${x.shape}] (${x.name})`);
  if (order.every((from, to) => from === to)) return x;
  const indices = x.graph.remember(`order ${order}`, () => x.graph.integers(order));
  return x.graph.apply(permuteRowsOp, [x, indices], { order: [...order] }, x.shape, x.dtype);
}
