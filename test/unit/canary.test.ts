/** The canary's formula, file and comparison, and where manifests and downloads meet it. */
import { describe, expect, test } from 'vitest';
import { finishManifest, manifestText } from '../../sdk/compile/package.ts';
import {
  adapterOutputs,
  backboneOutputs,
  canaryInput,
  checkCanary,
  readCanary,
  writeCanary,
} from '../../sdk/engine/canary.ts';
import { MettleError } from '../../sdk/errors.ts';
import { openModel } from '../../sdk/hub/hub.ts';
import { readSafetensors, type TensorData, writeSafetensors } from '../../sdk/onnx/safetensors.ts';
import { seededRandom } from '../../sdk/random.ts';
import { brokenCopies, survives } from './fuzz.ts';
import { adapterDraft, adapterFiles, bytesOf, changed, MemoryPlatform } from './hub-fixtures.ts';

const noise = (length: number) => Float32Array.from({ length }, seededRandom('canary test'));

describe('an input', () => {
  test('is the same everywhere for its name and shape, of unit deviation, and all ones for a mask', () => {
    const data = canaryInput('picture', [1, 3, 100, 100]);
    // Of the formula in plain JavaScript; they are part of the format.
    expect([...data.subarray(0, 4)]).toEqual([
      -0.4254951477050781, -1.1501691341400146, -0.5530691146850586, 1.412761926651001,
    ]);
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    const deviation = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length);
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.02);
    expect(canaryInput('picture', [30_000])).toEqual(data);
    expect(canaryInput('sound', [30_000])).not.toEqual(data);
    expect([...canaryInput('mask', [3])]).toEqual([1, 1, 1]);
  });
});

describe('a file', () => {
  const outputs = { segment: { tokens: 5000, mask: 3 }, clip: { scores: 8 } };
  const numbers = { segment: { tokens: noise(5000), mask: noise(3) }, clip: { scores: noise(8) } };
  const where = 'canary.safetensors of adapter "a"';

  test('keeps small outputs whole and every n-th number of large ones', () => {
    const bytes = writeCanary(numbers);
    expect(bytes.byteLength).toBeLessThan(8000);
    expect([...readSafetensors(bytes).tensors.keys()].sort()).toEqual([
      'out/clip/scores',
      'out/segment/mask',
      'out/segment/tokens',
    ]);
    const read = readCanary(bytes, outputs, where);
    expect(read.clip).toEqual(numbers.clip);
    expect(read.segment!.mask).toEqual(numbers.segment.mask);
    expect(read.segment!.tokens).toEqual(numbers.segment.tokens.filter((_, i) => i % 3 === 0));
  });

  const tensor = (...values: number[]): TensorData => ({
    dtype: 'F32',
    shape: [values.length],
    data: new Float32Array(values),
  });
  const whole = { 'out/segment/a': tensor(1, 2), 'out/clip/b': tensor(3) };
  test.each<[string, Record<string, TensorData>, string]>([
    ['lacks one', { 'out/segment/a': tensor(1, 2) }, 'lacks the tensor "out/clip/b"'],
    ['has another', { ...whole, 'in/segment/a': tensor(1) }, '3 tensors, expected the 2 of its outputs'],
    ['is too short', { ...whole, 'out/segment/a': tensor(1) }, '"out/segment/a" is F32 [1], expected F32 [2]'],
    [
      'is too wide',
      { ...whole, 'out/segment/a': { ...tensor(1, 2), shape: [1, 2] } },
      'is F32 [1,2], expected F32 [2]',
    ],
    [
      'holds integers',
      { ...whole, 'out/segment/a': { dtype: 'I32', shape: [2], data: new Int32Array(2) } },
      'is I32 [2], expected F32 [2]',
    ],
    ['holds no numbers', { ...whole, 'out/clip/b': tensor(Number.NaN) }, '"out/clip/b" holds a number that is not'],
    ['is infinite', { ...whole, 'out/clip/b': tensor(Number.POSITIVE_INFINITY) }, 'holds a number that is not finite'],
  ])('that %s is refused', (_what, tensors, problem) => {
    const read = () => readCanary(writeSafetensors(tensors), { segment: { a: 2 }, clip: { b: 1 } }, where);
    expect(read).toThrow(problem);
    expect(read).toThrow(MettleError);
    expect(read).toThrow(where);
  });

  test('that is broken in any place is read or refused, never anything else', () => {
    const copies = brokenCopies(writeCanary(numbers), 400, 5);
    expect(survives(copies, where, (bytes) => readCanary(bytes, outputs, where))).toBeGreaterThan(100);
  });
});

describe('a comparison', () => {
  const on = { model: 'Backbone "nano"', rtol: 0.02, device: 'webgpu' } as const;
  const expected = { x: Float32Array.of(-4, 1, 0) };

  test.each([
    [[-4, 1, 0]],
    // 0.02 of the largest value is 0.08, for small values too.
    [[-4.07, 1.07, -0.07]],
  ])('takes %j', (values) => {
    expect(() => checkCanary({ x: Float32Array.from(values) }, expected, on)).not.toThrow();
  });

  test.each<[number[], string]>([
    [[-4, 1, 0.1], 'output "x" differs by 2.5 % of its largest value, where 2 % are allowed'],
    [[4, 1, 0], 'output "x" differs by 200 % of its largest value'],
    [[-4, Number.NaN, 0], 'output "x" differs by holding numbers that are not finite'],
    [[Number.NEGATIVE_INFINITY, 1, 0], 'numbers that are not finite'],
  ])('refuses %j', (values, fault) => {
    let error: unknown;
    try {
      checkCanary({ x: Float32Array.from(values) }, expected, on);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'device', hint: expect.stringContaining('"wasm"') });
    expect((error as MettleError).message).toContain(`Backbone "nano" gives wrong numbers on webgpu: `);
    expect((error as MettleError).message).toContain(fault);
  });

  test('of an output that is zero allows next to nothing', () => {
    const zero = { x: new Float32Array(2) };
    expect(() => checkCanary({ x: Float32Array.of(0, 1e-9) }, zero, on)).not.toThrow();
    expect(() => checkCanary({ x: Float32Array.of(0, 1e-3) }, zero, on)).toThrow('wrong numbers');
  });

  test('of a large output looks at what the file kept', () => {
    const whole = noise(5000);
    const kept = readCanary(writeCanary({ g: { x: whole } }), { g: { x: 5000 } }, 'here').g!;
    expect(() => checkCanary({ x: whole }, kept, on)).not.toThrow();
    expect(() => checkCanary({ x: whole.map((x) => -x) }, kept, on)).toThrow('wrong numbers');
  });
});

describe('a package with a canary', () => {
  const file = 'canary.safetensors';
  const files = { ...adapterFiles, [file]: bytesOf('numbers') };
  const withCanary = async (canary: unknown) => changed(await adapterDraft(), 'canary', canary);

  test('says what it has numbers of', async () => {
    expect(adapterOutputs(await adapterDraft())).toEqual({ segment: { scores: 3, state: 8 }, clip: { logits: 30 } });
    const tap = (name: string) => ({
      name,
      layout: 'tokens' as const,
      tokens: 6,
      width: 4,
      grid: [2, 3] as [number, number],
    });
    expect(backboneOutputs({ taps: { visual: [tap('v0'), tap('v1')], audio: [] } })).toEqual({ visual: { v1: 24 } });
  });

  test.each<[unknown, string]>([
    [undefined, 'canary: missing'],
    ['canary.safetensors', 'canary: expected an object'],
    [{ file }, 'canary.rtol: missing'],
    [{ file, rtol: 0 }, 'canary.rtol: expected a number from 0.000001 to 1, got 0'],
    [{ file, rtol: 2 }, 'canary.rtol: expected a number from 0.000001 to 1, got 2'],
    [{ file, rtol: 0.1, inputs: file }, 'canary.inputs: unknown field'],
    [{ file: '../canary', rtol: 0.1 }, 'canary.file: expected a relative path'],
    [{ file: 'other', rtol: 0.1 }, 'canary.file: expected a file listed in "files", got "other"'],
  ])('and %j in its manifest is refused by path', async (canary, problem) => {
    await expect(finishManifest(await withCanary(canary), files)).rejects.toThrow(problem);
  });

  test('may not make it large, nor keep a file that it does not name', async () => {
    const large = { ...files, [file]: new Uint8Array(2 ** 20 + 1) };
    await expect(finishManifest(await withCanary({ file, rtol: 0.02 }), large)).rejects.toThrow(
      'canary.file: expected at most 1048576',
    );
    await expect(finishManifest(await adapterDraft(), files)).rejects.toThrow('"canary.safetensors" is used by no');
  });

  test.each(['webgpu', 'wasm'] as const)('has it downloaded with the %s variant', async (variant) => {
    const platform = new MemoryPlatform();
    const manifest = await finishManifest(await withCanary({ file, rtol: 0.02 }), files);
    platform.put('memory://page/a/', { ...files, 'manifest.json': bytesOf(manifestText(manifest)) });
    const model = await openModel('./a', 'adapter', { platform });
    const got = await model.download(variant);
    expect(got.files[file]).toEqual(files[file]);
    const bytes = Object.values(got.files).reduce((sum, data) => sum + data.byteLength, 0);
    expect(model.bytes(variant)).toBe(bytes);
  });
});
