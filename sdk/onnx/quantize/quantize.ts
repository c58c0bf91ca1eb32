/**
 * Turns the large weight products of a finished graph into products with quantized matrices. Everything else stays float32: attention, whose operands are both
 * computed; norms; and products too small to gain from it.
 */
import { constantOp, type Graph, reachable, rebuild, type Value } from '../../ops/index.ts';
import { matmulOp } from '../../ops/linear.ts';
import { blockMatmulOp, int8MatmulOp, restoreOp } from './ops.ts';
import { type Rounded, roundWeight } from './rounding.ts';

/**
 * How large weights are kept and multiplied.
 * `int8`: 8 bits, a scale per column; inputs are brought to 8 bits as they come and multiplied as integers. Fast on CPUs; rounding inputs adds noise.
 * `stored8`: 8 bits in blocks of 32 along K, restored when the graph is loaded. Small files, float32 from then on.
 * `block8`: the same numbers, but they stay in 8 bits and are restored within each product: small in memory too, made for GPUs.
 * `block4`: likewise in 4 bits, but for the smallest weights, which keep 8.
 */
export type Quantization = 'int8' | 'stored8' | 'block8' | 'block4';

/** Inputs that a product has seen, [samples, K], by the name of its weight: rounding then spares the outputs that such inputs give. */
export type Calibration = ReadonlyMap<string, Float32Array>;

/** Numbers along a weight's inner axis that share a scale in the block forms. */
const blockSize = 32;
/** Weights with fewer numbers stay float32. */
const minimum = 4096;
/** In `block4`, the smallest weights keep 8 bits up to this share of all numbers: early layers are small, and all that follows depends on them. */
const shareOf8Bits = 0.1;

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
  const bitsOf = chooseBits(outputs, quantization);
  const done = new Map<Value, Value[]>();
  return rebuild(outputs, (graph, value, inputs) => {
    if (!isLargeProduct(value, quantization)) return graph.adopt(value, inputs);
    const weight = value.inputs[1]!;
    const [inner, columns] = weight.shape as [number, number];
    const bits = bitsOf(weight);
    if (!done.has(weight)) {
      const format = { bits, group: quantization === 'int8' ? inner : blockSize };
      const rounded = roundWeight(weight.data as Float32Array, [inner, columns], format, calibration?.get(weight.name));
      done.set(weight, operandsOf[quantization](graph, weight, rounded));
    }
    const operands = [inputs[0]!, ...done.get(weight)!];
    if (quantization === 'stored8') return graph.adopt(value, operands);
    if (quantization === 'int8') return graph.adopt(value, operands, {}, int8MatmulOp);
    return graph.adopt(value, operands, { bits, blockSize, inner, columns }, blockMatmulOp);
  });
}

function chooseBits(outputs: Record<string, Value>, quantization: Quantization): (weight: Value) => 4 | 8 {
  if (quantization !== 'block4') return () => 8;
  const size = (weight: Value): number => weight.data!.length;
  const weights = [...new Set(productsToQuantize(outputs, quantization).map((product) => product.inputs[1]!))];
  weights.sort((a, b) => size(a) - size(b));
  let left = shareOf8Bits * weights.reduce((sum, weight) => sum + size(weight), 0);
  const small = new Set<Value>();
  for (const weight of weights) {
    left -= size(weight);
    if (left >= 0) small.add(weight);
  }
  return (weight) => (small.has(weight) ? 8 : 4);
}

function isLargeProduct({ op, inputs, attributes }: Value, quantization: Quantization): boolean {
  const weight = inputs[1];
  if (op !== matmulOp || weight?.op !== constantOp || weight.rank !== 2 || weight.data!.length < minimum) return false;
  if (attributes.transposeA || attributes.transposeB) return false;
  return quantization === 'int8' || weight.shape[0]! % blockSize === 0;
}

/** What a product reads in place of its weight. */
const operandsOf: Record<Quantization, (graph: Graph, weight: Value, rounded: Rounded) => Value[]> = {
  int8: byColumn,
  stored8: stored,
  block8: byBlock,
  block4: byBlock,
};

/** int8 [K, N] and scales [N]. */
function byColumn(graph: Graph, { name, shape }: Value, { levels, scales, columns }: Rounded): Value[] {
  return [graph.constant(levels, shape, `${name}.int8`), graph.constant(scales, [columns], `${name}.scale`)];
}

/** The restored weight [K, N]. */
function stored(graph: Graph, { name, shape }: Value, { inner, columns, levels, scales }: Rounded): Value[] {
  const blocks = inner / blockSize;
  const operands = [
    graph.constant(levels, [blocks, blockSize, columns], `${name}.int8`),
    graph.constant(scales, [blocks, 1, columns], `${name}.scale`),
  ];
  return [graph.scope(name, () => graph.apply(restoreOp, operands, {}, shape))];
}

/** uint8 [N, K / block, bytes], the first number of a pair in the low half of a byte, and scales [N * K / block]. */
function byBlock(graph: Graph, { name }: Value, { bits, inner, columns, levels, scales }: Rounded): Value[] {
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
