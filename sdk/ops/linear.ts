/** Matrix products and convolution. */
import { add } from './elementwise.ts';
import { broadcast, type Op, range, sizeOf, type Value } from './graph.ts';
import { concat, gather, pad, reshape, sliceAll, transpose } from './layout.ts';
import { sum, sumTo } from './reduce.ts';

type MatmulAttributes = { transposeA: boolean; transposeB: boolean };
const swapLast = (rank: number): number[] => [...range(rank - 2), rank - 1, rank - 2];

export const matmulOp: Op = {
  name: 'matmul',
  emit(to, value, inputs, output) {
    const { transposeA, transposeB } = value.attributes as MatmulAttributes;
    const ranks = value.inputs.map((x) => x.rank);
    if (ranks[0] === 2 && ranks[1] === 2 && (transposeA || transposeB)) {
      to.node('Gemm', inputs, [output], { transA: +transposeA, transB: +transposeB });
      return;
    }
    const flipped = inputs.map((name, i) => {
      if (!(i === 0 ? transposeA : transposeB)) return name;
      return to.once(`${name}/transposed`, (out) => to.node('Transpose', [name], [out], { perm: swapLast(ranks[i]!) }));
    });
    to.node('MatMul', flipped, [output]);
  },
  backward(value, dy, needs) {
    const [a, b] = value.inputs as [Value, Value];
    const { transposeA, transposeB } = value.attributes as MatmulAttributes;
    if (b.rank === 2 && a.rank > 2 && !transposeA) return flatBackward(a, b, dy, transposeB, needs);
    const da = (): Value =>
      transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
        : matmul(dy, b, { transposeB: !transposeB });
    const db = (): Value =>
      transposeB
        ? matmul(dy, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, dy, { transposeA: !transposeA });
    return [needs[0] ? sumTo(da(), a.shape) : null, needs[1] ? sumTo(db(), b.shape) : null];
  },
};

/** Gradients of a product with a plain matrix: leading axes flattened, so that the matrix' gradient is one 2-D product. */
function flatBackward(a: Value, b: Value, dy: Value, transposeB: boolean, needs: boolean[]): (Value | null)[] {
  const rows = sizeOf(a.shape) / a.shape.at(-1)!;
  const flatA = reshape(a, [rows, a.shape.at(-1)!]);
  const flatDy = reshape(dy, [rows, dy.shape.at(-1)!]);
  const db = (): Value =>
    transposeB ? matmul(flatDy, flatA, { transposeA: true }) : matmul(flatA, flatDy, { transposeA: true });
  return [needs[0] ? matmul(dy, b, { transposeB: !transposeB }) : null, needs[1] ? db() : null];
}

/** Matrix product over the last two axes, leading axes broadcast; either operand may be taken transposed. */
export function matmul(a: Value, b: Value, options: Partial<MatmulAttributes> = {}): Value {
  const attributes = { transposeA: options.transposeA ?? false, transposeB: options.transposeB ?? false };
  const [rows, inner] = lastTwo(a, attributes.transposeA);
  const [innerB, columns] = lastTwo(b, attributes.transposeB);
  if (inner !== innerB) throw new Error(`matmul of [${a.shape}] and [${b.shape}] (${a.name}, ${b.name})`);
  const lead = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return a.graph.apply(matmulOp, [a, b], attributes, [...lead, rows, columns]);
}

function lastTwo(x: Value, transposed: boolean): [number, number] {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

/** x W' + b over the last axis: `weight` is [out, in], as published checkpoints store it, `bias` [out]. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  const y = matmul(x, weight, { transposeB: true });
  return bias ? add(y, bias) : y;
}

export type ConvOptions = { stride?: number; padding?: number };
type ConvAttributes = { stride: number; padding: number };

const convOp: Op = {
  name: 'conv2d',
  emit(to, value, inputs, output) {
    const { stride, padding } = value.attributes as ConvAttributes;
    const kernel = value.inputs[1]!.shape.slice(2);
    to.node('Conv', inputs, [output], {
      kernel_shape: kernel,
      pads: Array(4).fill(padding),
      strides: [stride, stride],
    });
  },
  backward(value, dy, needs) {
    const [x, weight, bias] = value.inputs as [Value, Value, Value?];
    const attributes = value.attributes as ConvAttributes;
    const dx = needs[0] ? inputGradient(x, weight, dy, attributes) : null;
    const dw = needs[1] ? weightGradient(x, weight, dy, attributes) : null;
    return bias ? [dx, dw, needs[2] ? sum(dy, [0, 2, 3]) : null] : [dx, dw];
  },
};

/** 2-D convolution: `x` [N, C, H, W], `weight` [O, C, kh, kw], `bias` [O]. */
export function conv2d(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}): Value {
  const { stride = 1, padding = 0 } = options;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [out, channels, kh, kw] = weight.shape as [number, number, number, number];
  if (c !== channels) throw new Error(`conv2d of [${x.shape}] with [${weight.shape}] (${x.name})`);
  const size = (length: number, k: number): number => Math.floor((length + 2 * padding - k) / stride) + 1;
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return x.graph.apply(convOp, inputs, { stride, padding }, [n, out, size(h, kh), size(w, kw)]);
}

/** Convolution of the gradient (zeros put between its values where the stride skipped) with the kernel turned round: faster than ConvTranspose. */
function inputGradient(x: Value, weight: Value, dy: Value, { stride, padding }: ConvAttributes): Value {
  const [, c, h, w] = x.shape as [number, number, number, number];
  const [out, , kh, kw] = weight.shape as [number, number, number, number];
  const rows = reshape(transpose(weight, [2, 3, 1, 0]), [kh * kw, c * out]);
  const turned = gather(rows, x.graph.integers(range(kh * kw).reverse()));
  const kernel = transpose(reshape(turned, [kh, kw, c, out]), [2, 3, 0, 1]);
  const spread = spreadOut(dy, stride);
  const wide = pad(
    spread,
    [0, 0, kh - 1, kw - 1],
    [0, 0, h + 2 * padding - spread.shape[2]!, w + 2 * padding - spread.shape[3]!],
  );
  return sliceAll(conv2d(wide, kernel), [0, 0, padding, padding], [dy.shape[0]!, c, padding + h, padding + w]);
}

/** Values `stride` apart with zeros between. */
function spreadOut(x: Value, stride: number): Value {
  if (stride === 1) return x;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const cells = pad(reshape(x, [n, c, h, 1, w, 1]), Array(6).fill(0), [0, 0, 0, stride - 1, 0, stride - 1]);
  const grid = reshape(cells, [n, c, h * stride, w * stride]);
  return sliceAll(grid, [0, 0, 0, 0], [n, c, (h - 1) * stride + 1, (w - 1) * stride + 1]);
}

/** One batched product per kernel tap: on a CPU faster than a convolution with swapped axes. */
function weightGradient(x: Value, weight: Value, dy: Value, { stride, padding }: ConvAttributes): Value {
  const [n, c] = x.shape as [number, number];
  const [out, , kh, kw] = weight.shape as [number, number, number, number];
  const [, , oh, ow] = dy.shape as [number, number, number, number];
  const flatDy = reshape(dy, [n, out, oh * ow]);
  const needed = [(oh - 1) * stride + kh + stride - 1, (ow - 1) * stride + kw + stride - 1] as const;
  const extra = (i: 0 | 1): number => Math.max(0, needed[i] - x.shape[2 + i]! - 2 * padding);
  const wide = pad(x, [0, 0, padding, padding], [0, 0, padding + extra(0), padding + extra(1)]);
  const taps = range(kh * kw).map((t) => {
    const [i, j] = [Math.floor(t / kw), t % kw] as [number, number];
    const box = sliceAll(wide, [0, 0, i, j], [n, c, i + oh * stride, j + ow * stride]);
    const cells = reshape(box, [n, c, oh, stride, ow, stride]);
    const picked = sliceAll(cells, [0, 0, 0, 0, 0, 0], [n, c, oh, 1, ow, 1]);
    const product = matmul(flatDy, reshape(picked, [n, c, oh * ow]), { transposeB: true });
    return reshape(sum(product, [0]), [1, out, c]);
  });
  return transpose(reshape(concat(taps, 0), [kh, kw, out, c]), [2, 3, 0, 1]);
}
