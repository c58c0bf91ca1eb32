/** The shipped models give the same numbers on WebGPU and WASM: within 1e-3 of each output's largest value. */
import { test } from 'vitest';
import { expectSame, shippedBackbones, shippedOutputs } from '../helpers/shipped-cases.ts';

const runtimePath = '/node_modules/onnxruntime-web/dist/';

test('WebGPU and WASM agree', async ({ skip }) => {
  if (!(await navigator.gpu?.requestAdapter())) return skip('no WebGPU adapter');
  for (const id of await shippedBackbones()) {
    const [gpu, wasm] = [
      await shippedOutputs(id, 'webgpu', 2, runtimePath),
      await shippedOutputs(id, 'wasm', 2, runtimePath),
    ];
    expectSame(gpu, wasm, 1e-3);
  }
});
