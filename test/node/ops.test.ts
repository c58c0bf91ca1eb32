/** Every operation: its ONNX against a float64 interpreter (1e-5), and its backward rule against finite differences in float64 (1e-6). */
import { describe, expect, test } from 'vitest';
import * as ops from '../../sdk/ops/index.ts';
import { Graph, grad, type Shape, sizeOf, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { interpret } from '../helpers/interpret.ts';

type Case = { shapes: Shape[]; build: (...xs: Value[]) => Value; positive?: boolean };

const cases: Record<string, Case> = {
  add: {
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
    build: ops.add,
  },
  sub: { shapes: [[4], [2, 3, 4]], build: ops.sub },
  mul: {
    shapes: [
      [2, 1, 4],
      [3, 1],
    ],
    build: ops.mul,
  },
  div: {
    shapes: [
      [2, 3, 4],
      [1, 4],
    ],
    build: ops.div,
    positive: true,
  },
  maximum: { shapes: [[3, 4], [4]], build: ops.maximum },
  minimum: {
    shapes: [
      [3, 4],
      [3, 1],
    ],
    build: ops.minimum,
  },
  exp: { shapes: [[3, 4]], build: ops.exp },
  log: { shapes: [[3, 4]], build: ops.log, positive: true },
  sqrt: { shapes: [[3, 4]], build: ops.sqrt, positive: true },
  abs: { shapes: [[3, 4]], build: ops.abs },
  tanh: { shapes: [[3, 4]], build: ops.tanh },
  sigmoid: { shapes: [[3, 4]], build: ops.sigmoid },
  relu: { shapes: [[3, 4]], build: ops.relu },
  erf: { shapes: [[3, 4]], build: ops.erf },
  gelu: { shapes: [[3, 4]], build: ops.gelu },
  softplus: { shapes: [[3, 4]], build: ops.softplus },
  softmax: { shapes: [[3, 5]], build: ops.softmax },
  layerNorm: { shapes: [[3, 6], [6], [6]], build: (x, s, b) => ops.layerNorm(x, s, b) },
  'layerNorm without affine': { shapes: [[3, 6]], build: (x) => ops.layerNorm(x) },
  l2Normalize: { shapes: [[3, 6]], build: ops.l2Normalize },
  sum: { shapes: [[2, 3, 4]], build: (x) => ops.sum(x, [0, 2]) },
  mean: { shapes: [[2, 3, 4]], build: (x) => ops.mean(x, [1], true) },
  maxOver: { shapes: [[2, 3, 4]], build: (x) => ops.maxOver(x, [1]) },
  reshape: { shapes: [[2, 3, 4]], build: (x) => ops.reshape(x, [6, 4]) },
  transpose: { shapes: [[2, 3, 4]], build: (x) => ops.transpose(x, [2, 0, 1]) },
  expand: { shapes: [[3, 1]], build: (x) => ops.expand(x, [2, 3, 4]) },
  slice: { shapes: [[4, 5]], build: (x) => ops.slice(x, 1, 2, 5) },
  'slices side by side': {
    shapes: [[4, 5]],
    build: (x) => ops.mul(ops.add(ops.slice(x, 1, 0, 2), ops.exp(ops.slice(x, 1, 3, 5))), ops.slice(x, 1, 2, 3)),
  },
  'slices that overlap': {
    shapes: [[4, 5]],
    build: (x) => ops.mul(ops.slice(x, 1, 0, 3), ops.exp(ops.slice(x, 1, 2, 5))),
  },
  'slices of two axes': {
    shapes: [[4, 4]],
    build: (x) => ops.matmul(ops.slice(x, 0, 0, 2), ops.slice(x, 1, 0, 2)),
  },
  'a value and slices of it': {
    shapes: [[2, 4]],
    build: (x) => ops.add(ops.concat([ops.slice(x, 1, 2, 4), ops.slice(x, 1, 0, 2)], 1), ops.mul(x, x)),
  },
  pad: { shapes: [[2, 3]], build: (x) => ops.pad(x, [1, 0], [0, 2]) },
  concat: {
    shapes: [
      [2, 3],
      [2, 2],
    ],
    build: (a, b) => ops.concat([a, b], 1),
  },
  permuteRows: { shapes: [[2, 4, 3]], build: (x) => ops.permuteRows(x, [2, 0, 3, 1]) },
  gather: { shapes: [[5, 3]], build: (x) => ops.gather(x, x.graph.integers([0, 3, 3, 1])) },
  matmul: {
    shapes: [
      [3, 4],
      [4, 5],
    ],
    build: (a, b) => ops.matmul(a, b),
  },
  'matmul, both transposed': {
    shapes: [
      [4, 3],
      [5, 4],
    ],
    build: (a, b) => ops.matmul(a, b, { transposeA: true, transposeB: true }),
  },
  'matmul, batch times matrix': {
    shapes: [
      [2, 3, 4],
      [4, 5],
    ],
    build: (a, b) => ops.matmul(a, b),
  },
  'matmul, matrix times batch': {
    shapes: [
      [3, 4],
      [2, 2, 4, 5],
    ],
    build: (a, b) => ops.matmul(a, b),
  },
  'matmul, broadcast, right transposed': {
    shapes: [
      [2, 1, 3, 4],
      [3, 5, 4],
    ],
    build: (a, b) => ops.matmul(a, b, { transposeB: true }),
  },
  'matmul, broadcast, left transposed': {
    shapes: [
      [2, 1, 4, 3],
      [3, 4, 5],
    ],
    build: (a, b) => ops.matmul(a, b, { transposeA: true }),
  },
  linear: { shapes: [[2, 3, 4], [5, 4], [5]], build: ops.linear },
  'conv2d 3x3': { shapes: [[2, 3, 5, 6], [4, 3, 3, 3], [4]], build: (x, w, b) => ops.conv2d(x, w, b, { padding: 1 }) },
  'conv2d 1x1': {
    shapes: [
      [2, 3, 4, 4],
      [4, 3, 1, 1],
    ],
    build: (x, w) => ops.conv2d(x, w),
  },
  'conv2d stride 2': {
    shapes: [[1, 2, 7, 6], [3, 2, 3, 3], [3]],
    build: (x, w, b) => ops.conv2d(x, w, b, { padding: 1, stride: 2 }),
  },
  'conv2d stride 2, even kernel': {
    shapes: [
      [1, 2, 6, 8],
      [3, 2, 2, 2],
    ],
    build: (x, w) => ops.conv2d(x, w, undefined, { stride: 2 }),
  },
  upsample2x: { shapes: [[2, 2, 3, 4]], build: ops.upsample2x },
  stretchRows: { shapes: [[2, 5, 3]], build: (x) => ops.stretchRows(x, 12) },
};

describe.each(Object.entries(cases))('%s', (name, { shapes, build, positive }) => {
  const random = seededRandom(name);
  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, shape));
  const data = shapes.map((shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => (positive ? 0.5 + random() : gaussian(random))),
  );
  const feeds = Object.fromEntries(data.map((d, i) => [`x${i}`, d]));
  const result = build(...inputs);
  // A weighted sum of tanh: every output matters, each differently.
  const weights = graph.constant(
    Float32Array.from({ length: sizeOf(result.shape) }, () => random() + 0.5),
    result.shape,
  );
  const loss = ops.sum(ops.mul(ops.tanh(result), weights));
  const gradients = grad(loss, inputs);
  const outputs: Record<string, Value> = { result, loss };
  gradients.forEach((g, i) => {
    outputs[`g${i}`] = g;
  });
  const exact = interpret(outputs, feeds);

  test('ONNX equals the interpreter', async () => {
    const shaped = Object.fromEntries(data.map((d, i) => [`x${i}`, { data: d, shape: shapes[i]! }]));
    const got = await evaluate(outputs, shaped);
    for (const key of Object.keys(outputs)) {
      exact[key]!.forEach((x, i) =>
        expect(Math.abs(got[key]![i]! - x), key).toBeLessThan(1e-5 * Math.max(1, Math.abs(x))),
      );
    }
  });

  test('the gradient equals finite differences', () => {
    const h = 1e-5;
    data.forEach((d, i) => {
      d.forEach((_, k) => {
        const at = (shift: number): number => {
          const moved = Float64Array.from(d);
          moved[k]! += shift;
          return interpret({ loss }, { ...feeds, [`x${i}`]: moved }).loss![0]!;
        };
        expect(exact[`g${i}`]![k]!, `input ${i}, value ${k}`).toBeCloseTo((at(h) - at(-h)) / (2 * h), 6);
      });
    });
  });
});
