/** The shipped models give the same numbers on onnxruntime-node's CPU and on WASM: within 1e-3 of each output's largest value. */
import { test } from 'vitest';
import { expectSame, shippedOutputs } from '../helpers/shipped-cases.ts';

test('onnxruntime-node and WASM agree', async () => {
  expectSame(await shippedOutputs('cpu', 12), await shippedOutputs('wasm', 12), 1e-3);
});
