/** Quantized products on the devices of a page, against float64 sums over the numbers that each form keeps: within 1e-4, so devices agree within twice that. */
import { describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { GraphSession } from '../../sdk/engine/session.ts';
import type { Quantization } from '../../sdk/onnx/quantize/quantize.ts';
import { expectedProduct, productInput, productModel, relativeError } from '../helpers/quantized-product.ts';

async function run(device: 'webgpu' | 'wasm', form: Quantization): Promise<Float32Array> {
  const runtime = await runtimes.loadRuntime({ device, runtimePath: '/node_modules/onnxruntime-web/dist/' });
  const source = { label: form, graph: productModel(form) };
  const session = await GraphSession.open(runtime, source, { inputs: ['x'], outputs: ['y'] });
  try {
    const { shape, data } = productInput;
    const { y } = await session.run({ x: new runtime.ort.Tensor('float32', data, shape) }, ['y']);
    return (await y!.getData()) as Float32Array;
  } finally {
    await session.release();
    runtime.dispose();
  }
}

describe('on WASM', () => {
  test.each(['stored8', 'block8', 'block4'] as const)('%s', async (form) => {
    expect(relativeError(await run('wasm', form), expectedProduct(form))).toBeLessThan(1e-4);
  });

  test('int8, whose inputs are rounded too: within 1e-2', async () => {
    expect(relativeError(await run('wasm', 'int8'), expectedProduct('int8'))).toBeLessThan(1e-2);
  });
});

describe('on WebGPU', () => {
  test.for(['stored8', 'block8', 'block4'] as const)('%s', async (form, { skip }) => {
    if (!(await navigator.gpu?.requestAdapter())) return skip('no WebGPU adapter');
    expect(relativeError(await run('webgpu', form), expectedProduct(form))).toBeLessThan(1e-4);
  });
});
