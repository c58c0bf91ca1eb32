/** The shipped models give the same numbers on onnxruntime-node's CPU and on WASM: within 1e-3 of each output's largest value. */
import { test } from 'vitest';
import { expectSame, shippedBackbones, shippedOutputs } from '../helpers/shipped-cases.ts';

test('onnxruntime-node and WASM agree', async () => {
  for (const id of await shippedBackbones()) {
    expectSame(await shippedOutputs(id, 'cpu', 12), await shippedOutputs(id, 'wasm', 12), 1e-3);
  }
});
