/** Operations that take axes away. */
import { div, isGreaterOrEqual, mul } from './elementwise.ts';
import { type Op, range, type Shape, sameShape, sizeOf, type Value } from './graph.ts';
import { expand, reshape } from './layout.ts';

type ReduceAttributes = { axes: number[]; keep: boolean };

const keptShape = (value: Value): number[] =>
  value.inputs[0]!.shape.map((d, i) => ((value.attributes as ReduceAttributes).axes.includes(i) ? 1 : d));

const emitReduce =
  (type: string): NonNullable<Op['emit']> =>
  (to, value, [x], output) => {
    const { axes, keep } = value.attributes as ReduceAttributes;
    to.node(type, [x!, to.integers(axes)], [output], { keepdims: keep ? 1 : 0 });
  };

const sumOp: Op = {
  name: 'sum',
  emit: emitReduce('ReduceSum'),
  backward: (value, dy) => [expand(reshape(dy, keptShape(value)), value.inputs[0]!.shape)],
};
const meanOp: Op = {
  name: 'mean',
  emit: emitReduce('ReduceMean'),
  backward(value, dy) {
    const x = value.inputs[0]!;
    return [expand(reshape(mul(dy, sizeOf(value.shape) / sizeOf(x.shape)), keptShape(value)), x.shape)];
  },
};
/** Where several values are the largest, each of them gets an equal share of the gradient. */
const maxOp: Op = {
  name: 'maxOver',
  emit: emitReduce('ReduceMax'),
  backward(value, dy) {
    const x = value.inputs[0]!;
    const { axes } = value.attributes as ReduceAttributes;
    const hits = isGreaterOrEqual(x, reshape(value, keptShape(value)));
    return [mul(div(hits, sum(hits, axes, true)), reshape(dy, keptShape(value)))];
  },
};

function reduce(op: Op, x: Value, axes: readonly number[], keep: boolean): Value {
  const positive = axes.map((axis) => (axis + x.rank) % x.rank).sort((a, b) => a - b);
  const shape = keep
    ? x.shape.map((d, i) => (positive.includes(i) ? 1 : d))
    : x.shape.filter((_, i) => !positive.includes(i));
  return x.graph.apply(op, [x], { axes: positive, keep }, shape);
}

/** Sum over `axes` (negative counts from the end); `keep` leaves them as axes of length one. */
export const sum = (x: Value, axes: readonly number[] = range(x.rank), keep = false): Value =>
  reduce(sumOp, x, axes, keep);
export const mean = (x: Value, axes: readonly number[] = range(x.rank), keep = false): Value =>
  reduce(meanOp, x, axes, keep);
export const maxOver = (x: Value, axes: readonly number[] = range(x.rank), keep = false): Value =>
  reduce(maxOp, x, axes, keep);

/** Undoes broadcasting: sums a gradient down to its operand's shape. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = range(x.rank).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return reshape(sum(x, axes), shape);
}
