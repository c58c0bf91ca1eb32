/** Quantized products against float64 sums over the numbers that each form keeps. */
import * as native from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { planGraphs, weightsChunks } from '../../sdk/compile/graph-files.ts';
import type { Ort } from '../../sdk/contract/runtime.ts';
import { type Quantization, quantizeGraph } from '../../sdk/onnx/quantize/quantize.ts';
import { restored, roundWeight } from '../../sdk/onnx/quantize/rounding.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { Graph, matmul, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { evaluate } from '../helpers/evaluate.ts';
import {
  expectedProduct,
  multiplied,
  productInput,
  productModel,
  productShape,
  productWeight,
  relativeError,
} from '../helpers/quantized-product.ts';

const forms = ['int8', 'stored8', 'block8', 'block4'] as const;
const [inner, columns] = productShape;

async function run(ort: Ort, provider: string, form: Quantization): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(productModel(form), { executionProviders: [provider] });
  const { shape, data } = productInput;
  const { y } = await session.run({ x: new ort.Tensor('float32', data, shape) });
  await session.release();
  return y!.data as Float32Array;
}

describe.each(['cpu', 'wasm'])('on %s', (provider) => {
  const runtime = async (): Promise<Ort> => (provider === 'cpu' ? native : await import('onnxruntime-web'));

  test.each(['stored8', 'block8', 'block4'] as const)('%s multiplies in float32: within 1e-6', async (form) => {
    expect(relativeError(await run(await runtime(), provider, form), expectedProduct(form))).toBeLessThan(1e-6);
  });

  test('int8 rounds its inputs too: within 1e-2, and not closer than 1e-4', async () => {
    // Inputs of unit deviation spread over 8 bits: steps of about 0.03, an error of 0.03 / sqrt(12).
    const error = relativeError(await run(await runtime(), provider, 'int8'), expectedProduct('int8'));
    expect(error).toBeLessThan(1e-2);
    expect(error).toBeGreaterThan(1e-4);
  });
});

test.each([
  [8, 0.01],
  [7, 0.02],
  [4, 0.12],
] as const)('%i bits keep a weight of normal numbers within %f', (bits, tolerance) => {
  const rounded = roundWeight(productWeight, productShape, { bits, group: 32 });
  expect(relativeError(restored(rounded), productWeight)).toBeLessThan(tolerance);
  expect(Math.max(...rounded.levels)).toBeLessThanOrEqual(2 ** (bits - 1) - 1);
  expect(Math.min(...rounded.levels)).toBeGreaterThanOrEqual(-(2 ** (bits - 1)));
});

test('8 bits move no number by more than half a step', () => {
  const rounded = roundWeight(productWeight, productShape, { bits: 8, group: 32 });
  restored(rounded).forEach((number, i) => {
    const scale = rounded.scales[Math.floor(i / columns / 32) * columns + (i % columns)]!;
    expect(Math.abs(number - productWeight[i]!)).toBeLessThanOrEqual(scale * 0.5001);
  });
});

test('zeros stay zeros', () => {
  const rounded = roundWeight(new Float32Array(64 * 2), [64, 2], { bits: 4, group: 32 }, new Float32Array(64));
  expect(restored(rounded).every((number) => number === 0)).toBe(true);
});

test('inputs that move together make rounding cheaper: error at most half of plain rounding', () => {
  const random = seededRandom('inputs');
  const causes = Float32Array.from({ length: 12 * inner }, () => gaussian(random));
  const inputs = (rows: number): Float32Array => {
    const x = new Float32Array(rows * inner);
    for (let row = 0; row < rows; row++) {
      for (let cause = 0; cause < 12; cause++) {
        const strength = gaussian(random);
        for (let k = 0; k < inner; k++) x[row * inner + k]! += strength * causes[cause * inner + k]!;
      }
      for (let k = 0; k < inner; k++) x[row * inner + k]! += 0.3 * gaussian(random);
    }
    return x;
  };
  const [seen, unseen] = [inputs(600), inputs(100)];
  const wanted = multiplied(unseen, productWeight);
  const errorWith = (calibration?: Float32Array): number => {
    const rounded = roundWeight(productWeight, productShape, { bits: 4, group: 32 }, calibration);
    return relativeError(multiplied(unseen, restored(rounded)), wanted);
  };
  expect(errorWith(seen)).toBeLessThan(0.5 * errorWith());
});

describe('which products change', () => {
  const opTypes = (form: Quantization, shape: [number, number], transposed = false): string[] => {
    const graph = new Graph();
    const random = seededRandom('small');
    const data = Float32Array.from({ length: shape[0] * shape[1] }, () => gaussian(random));
    const weight = graph.constant(data, transposed ? [shape[1], shape[0]] : shape, 'w');
    const y = matmul(graph.input('x', [4, shape[0]]), weight, { transposeB: transposed });
    return readOnnx(writeOnnx(quantizeGraph({ y }, form))).graph.nodes.map(({ opType }) => opType);
  };

  test('large ones do', () => {
    expect(opTypes('int8', [64, 64])).toContain('MatMulInteger');
    expect(opTypes('block8', [64, 64])).toEqual(['MatMulNBits']);
    expect(opTypes('stored8', [64, 64])).toEqual(['Cast', 'Mul', 'Reshape', 'MatMul']);
  });

  test.each(forms)('small ones do not (%s)', (form) => {
    expect(opTypes(form, [32, 32])).toEqual(['MatMul']);
  });

  test('blocks must fill the inner axis', () => {
    expect(opTypes('block8', [48, 128])).toEqual(['MatMul']);
    expect(opTypes('int8', [48, 128])).toContain('MatMulInteger');
  });

  test('a product of two computed matrices does not', () => {
    const graph = new Graph();
    const y = matmul(graph.input('a', [64, 64]), graph.input('b', [64, 64]));
    expect(readOnnx(writeOnnx(quantizeGraph({ y }, 'int8'))).graph.nodes.map(({ opType }) => opType)).toEqual([
      'MatMul',
    ]);
  });
});

test.each(forms)('%s of weights that are fetched gives the same file as of weights in memory', async (form) => {
  const build = (weightOf: (graph: Graph) => Value): Record<string, Value> => {
    const graph = new Graph();
    return quantizeGraph({ y: matmul(graph.input('x', [4, inner]), weightOf(graph)) }, form);
  };
  const bytesOf = async (outputs: Record<string, Value>): Promise<Buffer> => {
    const plan = await planGraphs({ g: outputs }, 'w.safetensors', evaluate);
    const chunks: Uint8Array[] = [plan.files['g.onnx']!];
    for await (const chunk of weightsChunks(plan)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const shape = [inner, columns];
  const ready = await bytesOf(build((graph) => graph.constant(productWeight, shape, 'w')));
  const fetched = await bytesOf(build((graph) => graph.deferred(async () => productWeight, shape, 'w')));
  expect(fetched.equals(ready)).toBe(true);
});
