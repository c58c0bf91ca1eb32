/**
 * Turns the large weight products of a finished graph into products with quantized matrices. Everything else stays float32: attention, whose operands are both
 * computed; norms; and products too small to gain from it.
 */
import { constantOp, type Graph, reachable, rebuild, type Value } from '../../ops/index.ts';
import { matmulOp } from '../../ops/linear.ts';
import { blockMatmulOp, int8MatmulOp } from './ops.ts';
import { type Rounded, roundWeight } from './rounding.ts';

/**
 * How weights are kept and multiplied. `int8`: 8 bits per output column, and inputs brought to 8 bits as they come; for CPUs. `block8`, `block4`: 8 or 4 bits
 * in blocks of 32 along the inner axis, multiplied in float32; for GPUs.
 */
export type Quantization = 'int8' | 'block8' | 'block4';

/** Inputs that a product has seen, [samples, K], by the name of its weight: rounding then spares the outputs that such inputs give. */
export type Calibration = ReadonlyMap<string, Float32Array>;

/** Numbers along a weight's inner axis that share a scale in the block forms. */
const blockSize = 32;
/** Weights with fewer numbers stay float32. */
const minimum = 4096;

/** The products that `quantizeGraph` would change: each a value whose inputs are x [..., K] and a constant [K, N]. */
export function productsToQuantize(outputs: Record<string, Value>, quantization: Quantization): Value[] {
  return reachable(Object.values(outputs)).filter((value) => isLargeProduct(value, quantization));
}

/** The same outputs with quantized products, in a new graph. Expects constants to be folded. */
export function quantizeGraph(
  outputs: Record<string, Value>,
  quantization: Quantization,
  calibration?: Calibration,
): Record<string, Value> {
  const weights = new Map<Value, [Value, Value]>();
  const bits = quantization === 'block4' ? 4 : 8;
  return rebuild(outputs, (graph, value, inputs) => {
    if (!isLargeProduct(value, quantization)) return graph.adopt(value, inputs);
    const weight = value.inputs[1]!;
    const [inner, columns] = weight.shape as [number, number];
    if (!weights.has(weight)) {
      const format = { bits, group: quantization === 'int8' ? inner : blockSize } as const;
      const rounded = roundWeight(weight.data as Float32Array, [inner, columns], format, calibration?.get(weight.name));
      weights.set(weight, quantization === 'int8' ? byColumn(graph, weight, rounded) : byBlock(graph, weight, rounded));
    }
    const operands = [inputs[0]!, ...weights.get(weight)!];
    if (quantization === 'int8') return graph.adopt(value, operands, {}, int8MatmulOp);
    return graph.adopt(value, operands, { bits, blockSize, inner, columns }, blockMatmulOp);
  });
}

function isLargeProduct({ op, inputs, attributes }: Value, quantization: Quantization): boolean {
  const weight = inputs[1];
  if (op !== matmulOp || weight?.op !== constantOp || weight.rank !== 2 || weight.data!.length < minimum) return false;
  if (attributes.transposeA || attributes.transposeB) return false;
  return quantization === 'int8' || weight.shape[0]! % blockSize === 0;
}

/** int8 [K, N] and scales [N]. */
function byColumn(graph: Graph, { name, shape }: Value, { levels, scales, columns }: Rounded): [Value, Value] {
  return [graph.constant(levels, shape, `${name}.int8`), graph.constant(scales, [columns], `${name}.scale`)];
}

/** uint8 [N, K / block, bytes], the first number of a pair in the low half of a byte, and scales [N * K / block]. */
function byBlock(graph: Graph, { name }: Value, { bits, inner, columns, levels, scales }: Rounded): [Value, Value] {
  const blocks = inner / blockSize;
  const perByte = 8 / bits;
  // The level that stands for zero: what the operator takes where no zero points are given.
  const zero = 2 ** (bits - 1);
  const packed = new Uint8Array((inner * columns) / perByte);
  for (let k = 0; k < inner; k++) {
    for (let n = 0; n < columns; n++) {
      const at = n * inner + k;
      packed[Math.floor(at / perByte)]! |= (levels[k * columns + n]! + zero) << ((at % perByte) * bits);
    }
  }
  const turned = new Float32Array(scales.length);
  scales.forEach((scale, i) => {
    turned[(i % columns) * blocks + Math.floor(i / columns)] = scale;
  });
  const shape = [columns, blocks, blockSize / perByte];
  return [
    graph.constant(packed, shape, `${name}.int${bits}`),
    graph.constant(turned, [turned.length], `${name}.scale`),
  ];
}
