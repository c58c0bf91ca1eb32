/**
 * Computes graphs of `sdk/ops` in float64, one plain loop per operation: the reference for what the emitted ONNX computes in float32,
 * and precise enough for finite differences and identities.
 */
import { constantOp, inputOp, reachable, type Shape, sizeOf, type Value } from '../../sdk/ops/index.ts';

type Array64 = Float64Array;

const strides = (shape: Shape): number[] => shape.map((_, i) => sizeOf(shape.slice(i + 1)));

/** Calls `visit` for each index of `shape` in order. */
function each(shape: Shape, visit: (index: number[], flat: number) => void): void {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
}

/** Where an index of a broadcast result lies in an operand. */
function locate(index: readonly number[], shape: Shape): number {
  const lead = index.length - shape.length;
  return strides(shape).reduce((at, stride, i) => at + (shape[i] === 1 ? 0 : index[lead + i]! * stride), 0);
}

const gaussianErf = (x: number): number => {
  // Series where it converges fast, continued fraction beyond.
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
};

const unary: Record<string, (x: number) => number> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  tanh: Math.tanh,
  erf: gaussianErf,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  relu: (x) => Math.max(x, 0),
  gelu: (x) => 0.5 * x * (1 + gaussianErf(x * Math.SQRT1_2)),
};
const binary: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
  greaterOrEqual: (a, b) => +(a >= b),
};

type Rule = (value: Value, inputs: Array64[], out: Array64) => void;

const reduceWith =
  (start: number, join: (a: number, b: number) => number, mean = false): Rule =>
  (value, [x], out) => {
    const shape = value.inputs[0]!.shape;
    const axes = value.attributes.axes as number[];
    const kept = shape.map((d, i) => (axes.includes(i) ? 1 : d));
    out.fill(start);
    each(shape, (index, flat) => {
      const at = locate(index, kept);
      out[at] = join(out[at]!, x![flat]!);
    });
    if (mean) out.forEach((total, i) => (out[i] = (total * out.length) / x!.length));
  };

const rules: Record<string, Rule> = {
  reshape: (_value, [x], out) => out.set(x!),
  expand: (value, [x], out) => each(value.shape, (i, flat) => (out[flat] = x![locate(i, value.inputs[0]!.shape)]!)),
  transpose(value, [x], out) {
    const axes = value.attributes.axes as number[];
    const steps = strides(value.inputs[0]!.shape);
    each(value.shape, (i, flat) => (out[flat] = x![axes.reduce((at, axis, k) => at + i[k]! * steps[axis]!, 0)]!));
  },
  slice(value, [x], out) {
    const starts = value.attributes.starts as number[];
    const steps = strides(value.inputs[0]!.shape);
    each(value.shape, (i, flat) => (out[flat] = x![steps.reduce((at, s, k) => at + (i[k]! + starts[k]!) * s, 0)]!));
  },
  pad(value, [x], out) {
    const before = value.attributes.before as number[];
    const steps = strides(value.shape);
    each(value.inputs[0]!.shape, (i, flat) => {
      out[steps.reduce((at, s, k) => at + (i[k]! + before[k]!) * s, 0)] = x![flat]!;
    });
  },
  concat(value, inputs, out) {
    const axis = value.attributes.axis as number;
    const steps = strides(value.shape);
    let start = 0;
    value.inputs.forEach((input, n) => {
      each(input.shape, (i, flat) => {
        out[steps.reduce((at, s, k) => at + (i[k]! + (k === axis ? start : 0)) * s, 0)] = inputs[n]![flat]!;
      });
      start += input.shape[axis]!;
    });
  },
  gather(value, [x, indices], out) {
    const row = sizeOf(value.inputs[0]!.shape.slice(1));
    indices!.forEach((from, to) => out.set(x!.subarray(from * row, (from + 1) * row), to * row));
  },
  permuteRows(value, [x, order], out) {
    const [batch, rows] = value.shape as [number, number];
    const row = sizeOf(value.shape.slice(2));
    for (let b = 0; b < batch; b++) {
      order!.forEach((from, to) => {
        const start = (b * rows + from) * row;
        out.set(x!.subarray(start, start + row), (b * rows + to) * row);
      });
    }
  },
  oneHot(value, [indices], out) {
    const depth = value.shape[1]!;
    indices!.forEach((column, row) => (out[row * depth + column] = 1));
  },
  sum: reduceWith(0, (a, b) => a + b),
  mean: reduceWith(0, (a, b) => a + b, true),
  maxOver: reduceWith(Number.NEGATIVE_INFINITY, Math.max),
  softmax(value, [x], out) {
    const width = value.shape.at(-1)!;
    for (let at = 0; at < x!.length; at += width) {
      const row = x!.subarray(at, at + width);
      const top = Math.max(...row);
      const total = row.reduce((sum, z) => sum + Math.exp(z - top), 0);
      row.forEach((z, i) => (out[at + i] = Math.exp(z - top) / total));
    }
  },
  layerNorm(value, [x, scale, bias], out) {
    const width = value.shape.at(-1)!;
    for (let at = 0; at < x!.length; at += width) {
      const row = x!.subarray(at, at + width);
      const mean = row.reduce((a, b) => a + b, 0) / width;
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
      const deviation = Math.sqrt(variance + (value.attributes.epsilon as number));
      row.forEach((z, i) => (out[at + i] = ((z - mean) / deviation) * scale![i]! + (bias?.[i] ?? 0)));
    }
  },
  matmul(value, [a, b], out) {
    const { transposeA, transposeB } = value.attributes as { transposeA: boolean; transposeB: boolean };
    const [aShape, bShape] = value.inputs.map((v) => v.shape) as [Shape, Shape];
    const [n, m] = value.shape.slice(-2) as [number, number];
    const inner = transposeA ? aShape.at(-2)! : aShape.at(-1)!;
    each(value.shape.slice(0, -2), (lead, k) => {
      const aAt = locate(lead, aShape.slice(0, -2)) * n * inner;
      const bAt = locate(lead, bShape.slice(0, -2)) * m * inner;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < m; j++) {
          let total = 0;
          for (let l = 0; l < inner; l++) {
            total +=
              a![aAt + (transposeA ? l * n + i : i * inner + l)]! * b![bAt + (transposeB ? j * inner + l : l * m + j)]!;
          }
          out[(k * n + i) * m + j] = total;
        }
      }
    });
  },
  conv2d(value, [x, weight, bias], out) {
    const { stride, padding } = value.attributes as { stride: number; padding: number };
    const [, c, h, w] = value.inputs[0]!.shape as [number, number, number, number];
    const [, , kh, kw] = value.inputs[1]!.shape as [number, number, number, number];
    each(value.shape, ([n, o, i, j], flat) => {
      let total = bias?.[o!] ?? 0;
      each([c, kh, kw], ([k, di, dj]) => {
        const [y, z] = [i! * stride + di! - padding, j! * stride + dj! - padding];
        if (y < 0 || z < 0 || y >= h || z >= w) return;
        total += x![((n! * c + k!) * h + y) * w + z]! * weight![((o! * c + k!) * kh + di!) * kw + dj!]!;
      });
      out[flat] = total;
    });
  },
  upsample2x(value, [x], out) {
    const [, , h, w] = value.inputs[0]!.shape as [number, number, number, number];
    const spread = (i: number, length: number): [number, number, number] => {
      const at = Math.min(Math.max((i + 0.5) / 2 - 0.5, 0), length - 1);
      return [Math.floor(at), Math.min(Math.floor(at) + 1, length - 1), at - Math.floor(at)];
    };
    each(value.shape, ([n, c, i, j], flat) => {
      const [top, bottom, fy] = spread(i!, h);
      const [left, right, fx] = spread(j!, w);
      const at = (y: number, z: number): number => x![((n! * value.shape[1]! + c!) * h + y) * w + z]!;
      out[flat] =
        (1 - fy) * ((1 - fx) * at(top, left) + fx * at(top, right)) +
        fy * ((1 - fx) * at(bottom, left) + fx * at(bottom, right));
    });
  },
};

/** Values of `outputs` in float64 for these inputs (by name). */
export function interpret(
  outputs: Record<string, Value>,
  feeds: Record<string, ArrayLike<number>> = {},
): Record<string, Float64Array> {
  const known = new Map<Value, Array64>();
  for (const value of reachable(Object.values(outputs))) {
    const inputs = value.inputs.map((input) => known.get(input)!);
    const { name } = value.op;
    if (value.op === inputOp) known.set(value, Float64Array.from(feeds[value.name]!));
    else if (value.op === constantOp)
      known.set(value, Float64Array.from(value.data as ArrayLike<number | bigint>, Number));
    else {
      const out = new Float64Array(sizeOf(value.shape));
      if (unary[name]) inputs[0]!.forEach((x, i) => (out[i] = unary[name]!(x)));
      else if (binary[name]) {
        const [a, b] = value.inputs as [Value, Value];
        each(value.shape, (index, flat) => {
          out[flat] = binary[name]!(inputs[0]![locate(index, a.shape)]!, inputs[1]![locate(index, b.shape)]!);
        });
      } else rules[name]!(value, inputs, out);
      known.set(value, out);
    }
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, known.get(value)!]));
}
