/**
 * Turns the large weight products of a finished graph into products with quantized matrices. Everything else stays float32: attention, whose operands are both
 * computed; norms; and products too small to gain from it.
 */
import {
  constantOp,
  type Data,
  type DType,
  type Graph,
  reachable,
  rebuild,
  type Shape,
  sizeOf,
  type Value,
} from '../../ops/index.ts';
import { matmulOp } from '../../ops/linear.ts';
import type { Bits } from './grid.ts';
import { blockMatmulOp, int8MatmulOp, restoreOp } from './ops.ts';
import { type Rounded, roundWeight } from './rounding.ts';

/**
 * How large weights are kept and multiplied.
 * `int8`: 7 of 8 bits, a scale per column; inputs are brought to 8 bits as they come and multiplied as integers. Fast on CPUs; rounding inputs adds noise.
 * The eighth bit would let two products overflow 16 bits, in which x86 without VNNI adds them.
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

/**
 * The same outputs with quantized products, in a new graph. Expects constants to be folded. A weight that is not in memory is rounded when the first of its
 * parts is fetched.
 */
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
      const round = (data: Data): Rounded =>
        roundWeight(data as Float32Array, [inner, columns], format, calibration?.get(weight.name));
      done.set(weight, quantized(graph, weight, partsOf[quantization](inner, columns, bits), round));
    }
    const parts = done.get(weight)!;
    if (quantization === 'int8') return graph.adopt(value, [inputs[0]!, ...parts], {}, int8MatmulOp);
    if (quantization !== 'stored8') {
      return graph.adopt(value, [inputs[0]!, ...parts], { bits, blockSize, inner, columns }, blockMatmulOp);
    }
    const restored = graph.scope(weight.name, () => graph.apply(restoreOp, parts, {}, weight.shape));
    return graph.adopt(value, [inputs[0]!, restored]);
  });
}

const numbersIn = (weight: Value): number => sizeOf(weight.shape);

function isLargeProduct({ op, inputs, attributes }: Value, quantization: Quantization): boolean {
  const weight = inputs[1];
  if (op !== matmulOp || weight?.op !== constantOp || weight.rank !== 2 || numbersIn(weight) < minimum) return false;
  if (attributes.transposeA || attributes.transposeB) return false;
  return quantization === 'int8' || weight.shape[0]! % blockSize === 0;
}

function chooseBits(outputs: Record<string, Value>, quantization: Quantization): (weight: Value) => Bits {
  if (quantization !== 'block4') return () => (quantization === 'int8' ? 7 : 8);
  const weights = [...new Set(productsToQuantize(outputs, quantization).map((product) => product.inputs[1]!))];
  weights.sort((a, b) => numbersIn(a) - numbersIn(b));
  let left = shareOf8Bits * weights.reduce((sum, weight) => sum + numbersIn(weight), 0);
  const small = new Set<Value>();
  for (const weight of weights) {
    left -= numbersIn(weight);
    if (left >= 0) small.add(weight);
  }
  return (weight) => (small.has(weight) ? 8 : 4);
}

/** A constant that a product reads in place of its weight. */
type Part = { suffix: string; dtype: DType; shape: Shape; data: (rounded: Rounded) => Data };

const partsOf: Record<Quantization, (inner: number, columns: number, bits: Bits) => Part[]> = {
  int8: (inner, columns) => [
    { suffix: 'int8', dtype: 'int8', shape: [inner, columns], data: ({ levels }) => levels },
    { suffix: 'scale', dtype: 'float32', shape: [columns], data: ({ scales }) => scales },
  ],
  stored8: (inner, columns) => [
    { suffix: 'int8', dtype: 'int8', shape: [inner / blockSize, blockSize, columns], data: ({ levels }) => levels },
    { suffix: 'scale', dtype: 'float32', shape: [inner / blockSize, 1, columns], data: ({ scales }) => scales },
  ],
  block8: blocks,
  block4: blocks,
};

function blocks(inner: number, columns: number, bits: Bits): Part[] {
  const shape = [columns, inner / blockSize, (blockSize * bits) / 8];
  return [
    { suffix: `int${bits}`, dtype: 'uint8', shape, data: packed },
    { suffix: 'scale', dtype: 'float32', shape: [(inner / blockSize) * columns], data: turnedScales },
  ];
}

function quantized(graph: Graph, { name, data, load }: Value, parts: Part[], round: (data: Data) => Rounded): Value[] {
  if (data) {
    const rounded = round(data);
    return parts.map((part) => graph.constant(part.data(rounded), part.shape, `${name}.${part.suffix}`));
  }
  let rounding: Promise<Rounded> | null = null;
  const rounded = (): Promise<Rounded> => {
    rounding ??= load!().then(round);
    return rounding;
  };
  return parts.map((part) => {
    const fetch = async (): Promise<Data> => part.data(await rounded());
    return graph.deferred(fetch, part.shape, `${name}.${part.suffix}`, part.dtype);
  });
}

/** Levels column by column, from zero up; of two in a byte the first takes the low half. */
function packed({ bits, inner, columns, levels }: Rounded): Uint8Array {
  const perByte = 8 / bits;
  // The level that stands for zero: what the operator takes where no zero points are given.
  const zero = 2 ** (bits - 1);
  const bytes = new Uint8Array((inner * columns) / perByte);
  for (let k = 0; k < inner; k++) {
    for (let n = 0; n < columns; n++) {
      const at = n * inner + k;
      bytes[Math.floor(at / perByte)]! |= (levels[k * columns + n]! + zero) << ((at % perByte) * bits);
    }
  }
  return bytes;
}

/** Scales column by column. */
function turnedScales({ columns, scales }: Rounded): Float32Array {
  const turned = new Float32Array(scales.length);
  const rows = scales.length / columns;
  scales.forEach((scale, i) => {
    turned[(i % columns) * rows + Math.floor(i / columns)] = scale;
  });
  return turned;
}
