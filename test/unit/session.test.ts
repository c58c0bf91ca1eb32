/** What is said where a runtime cannot make a session: in its own words, as they were seen, and with the fix. */
import { describe, expect, test } from 'vitest';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { GraphSession } from '../../sdk/engine/session.ts';

/** A runtime that makes no session and says why. */
function failing(device: Runtime['device'], message: string): Runtime {
  const create = () => Promise.reject(new Error(message));
  return { ort: { InferenceSession: { create } }, device, name: 'runtime 1.0', threads: 1, lost: null } as never;
}

const open = (device: Runtime['device'], message: string) =>
  GraphSession.open(
    failing(device, message),
    { label: 'visual.onnx', graph: new Uint8Array(1) },
    { inputs: [], outputs: [] },
  );

describe('a session that cannot be made', () => {
  test.each([
    ['wasm', "Can't create a session. ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc", /4 GiB.*smaller form/],
    ['wasm', 'RangeError: Array buffer allocation failed', /4 GiB.*smaller form/],
    ['cpu', 'std::bad_alloc', /smaller form/],
  ] as const)('on %s for want of memory: %s', async (device, message, hint) => {
    await expect(open(device, message)).rejects.toMatchObject({
      code: 'device',
      message: expect.stringContaining('visual.onnx does not fit into the memory of runtime 1.0'),
      hint: expect.stringMatching(hint),
    });
  });

  test.each([
    ['wasm', 'no available backend found. ERR: [wasm] no file', 'device'],
    ['webgpu', 'Failed to create a buffer', 'device'],
    ['cuda', 'CUDA failure 100', 'device'],
    ['cpu', 'Load model failed: Protobuf parsing failed', 'invalid-file'],
    ['webgpu', 'Load model failed: [ShapeInferenceError] Incompatible dimensions', 'invalid-file'],
    ['cuda', 'Fatal error: Foo is not a registered function/op', 'invalid-file'],
  ] as const)('on %s: %s', async (device, message, code) => {
    const wanted = { code, message: expect.not.stringContaining('memory of') };
    await expect(open(device, message)).rejects.toMatchObject(wanted);
  });
});
