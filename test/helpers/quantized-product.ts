/** One product with a large weight, in every form that ships, and what it must give. */
import { type Quantization, quantizeGraph } from '../../sdk/onnx/quantize/quantize.ts';
import { restored, roundWeight } from '../../sdk/onnx/quantize/rounding.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { Graph, matmul } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';

const [rows, inner, columns] = [50, 96, 80] as const;

const noise = (seed: string, length: number): Float32Array<ArrayBuffer> => {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => gaussian(random));
};

export const productInput = { shape: [1, rows, inner], data: noise('x', rows * inner) };
export const productWeight = noise('w', inner * columns);
export const productShape = [inner, columns] as const;

/** ONNX bytes of `y = x W`. */
export function productModel(form: Quantization): Uint8Array<ArrayBuffer> {
  const graph = new Graph();
  const weight = graph.constant(productWeight, [inner, columns], 'w');
  const y = matmul(graph.input('x', productInput.shape), weight);
  return writeOnnx(quantizeGraph({ y }, form));
}

/** x W in float64 with the numbers that the form keeps of W: levels times scales. */
export function expectedProduct(form: Quantization): Float64Array {
  const bits = { int8: 7, stored8: 8, block8: 8, block4: 4 } as const;
  const format = { bits: bits[form], group: form === 'int8' ? inner : 32 };
  return multiplied(productInput.data, restored(roundWeight(productWeight, productShape, format)));
}

export function multiplied(x: Float32Array, weight: Float32Array): Float64Array {
  const height = x.length / inner;
  const y = new Float64Array(height * columns);
  for (let i = 0; i < height; i++) {
    for (let k = 0; k < inner; k++) {
      for (let n = 0; n < columns; n++) y[i * columns + n]! += x[i * inner + k]! * weight[k * columns + n]!;
    }
  }
  return y;
}

/** Length of the difference over the length of the reference. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}
