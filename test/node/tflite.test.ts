/** TensorFlow Lite files as ONNX: operators against plain loops, integers, what has no translation, damaged files. */
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { chooseTaps, openTflite } from '../../sdk/compile/tflite.ts';
import { MettleError } from '../../sdk/errors.ts';
import { melFilters } from '../../sdk/front-end/mel.ts';
import { encodeHalf } from '../../sdk/onnx/float16.ts';
import { convertTflite } from '../../sdk/tflite/convert.ts';
import { importTflite } from '../../sdk/train/index.ts';
import { bilinear, channelsFirst, conv, depthwise, type Map3, pool } from '../helpers/tflite-reference.ts';
import { codes, type TinyOperator, type TinyTensor, tinyPictureNet, tinyTflite, wave } from '../helpers/tiny-tflite.ts';
import { brokenCopies, survives } from '../unit/fuzz.ts';

type Outputs = Record<string, { dims: readonly number[]; data: Float32Array }>;

async function run(onnx: Uint8Array, feed: Float32Array, dims: number[]): Promise<Outputs> {
  const session = await ort.InferenceSession.create(onnx, { logSeverityLevel: 4 });
  try {
    return (await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', feed, dims) })) as never as Outputs;
  } finally {
    await session.release();
  }
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(1, ...Array.from(expected, Math.abs));
  const worst = Math.max(...Array.from(expected, (x, i) => Math.abs(x - actual[i]!)));
  expect(worst / largest).toBeLessThan(tolerance);
}

/** One operator on a map [1, rows, columns, channels]; its further inputs are constants. */
async function one(
  operator: Omit<TinyOperator, 'inputs' | 'outputs'>,
  map: Map3,
  constants: TinyTensor[],
  output: number[],
  order?: number[],
): Promise<Outputs[string]> {
  const inputs = order ?? [0, ...constants.map((_, i) => i + 1)];
  const out = constants.length + 1;
  const bytes = tinyTflite({
    tensors: [{ name: 'x', shape: [1, ...map.shape] }, ...constants, { name: 'y', shape: output }],
    operators: [{ ...operator, inputs, outputs: [out] }],
    inputs: [0],
    outputs: [out],
  });
  const [rows, columns, channels] = map.shape;
  const outputs = await run(convertTflite(bytes, 'tiny').onnx, channelsFirst(map), [1, channels, rows, columns]);
  return Object.values(outputs)[0]!;
}

const mapOf = (rows: number, columns: number, channels: number): Map3 => ({
  shape: [rows, columns, channels],
  data: wave(rows * columns * channels, 0.37),
});

describe('operators, against plain loops', () => {
  test.each([
    [5, 6, 3, 1, true, 1],
    [5, 6, 3, 2, true, 1],
    [8, 7, 3, 2, true, 1],
    [7, 7, 2, 3, true, 1],
    [9, 8, 3, 1, true, 2],
    [9, 8, 3, 2, false, 1],
    [11, 9, 3, 1, false, 3],
  ])(
    'convolutions of %d x %d by %d, stride %d, same %s, dilation %d',
    async (rows, columns, size, stride, same, dilation) => {
      const map = mapOf(rows, columns, 4);
      const how = { stride, same, dilation };
      const shape = [6, size, size, 4];
      const [filter, bias] = [wave(6 * size * size * 4, 0.71), wave(6, 2)];
      const expected = conv(map, filter, shape, bias, how);
      const options = { 1: stride, 2: stride, 4: dilation, 5: dilation };
      const constants = [
        { shape, data: filter },
        { shape: [6], data: bias },
      ];
      const bytes = { 0: same ? 0 : 1, 3: 0 };
      const y = await one({ code: codes.convolution, options, bytes }, map, constants, [1, ...expected.shape]);
      expectNear(y.data, channelsFirst(expected));

      const twice = [1, size, size, 8];
      const own = wave(size * size * 8, 1.1);
      const separate = depthwise(map, own, twice, how);
      const z = await one(
        { code: codes.depthwise, options: { 1: stride, 2: stride, 3: 2, 5: dilation, 6: dilation }, bytes },
        map,
        [{ shape: twice, data: own }],
        [1, ...separate.shape],
      );
      expectNear(z.data, channelsFirst(separate));
    },
  );

  test('convolutions in groups, and activations that are part of them', async () => {
    const map = mapOf(4, 5, 6);
    const [shape, filter] = [[4, 1, 1, 3], wave(12, 0.7)];
    const bounds = { 1: [0, Infinity], 2: [-1, 1], 3: [0, 6] } as const;
    for (const [activation, [least, most]] of Object.entries(bounds)) {
      const expected = conv(map, filter, shape, null, { stride: 1, same: true, least, most });
      const y = await one(
        { code: codes.convolution, options: { 1: 1, 2: 1 }, bytes: { 0: 0, 3: Number(activation) } },
        map,
        [{ shape, data: filter }],
        [1, ...expected.shape],
      );
      expectNear(y.data, channelsFirst(expected));
    }
  });

  test.each([
    [6, 5, 3, 2, true],
    [6, 5, 2, 2, false],
    [7, 7, 3, 1, true],
  ])('pooling of %d x %d by %d, stride %d, same %s', async (rows, columns, size, stride, same) => {
    const map = mapOf(rows, columns, 3);
    for (const [kind, code] of [
      ['mean', codes.averagePool],
      ['max', codes.maxPool],
    ] as const) {
      const expected = pool(map, size, { stride, same }, kind);
      const options = { 1: stride, 2: stride, 3: size, 4: size };
      const y = await one({ code, options, bytes: { 0: same ? 0 : 1 } }, map, [], [1, ...expected.shape]);
      expectNear(y.data, channelsFirst(expected));
    }
  });

  test.each([
    ['half', { 3: 1 }, 7, 9],
    ['corners', { 2: 1 }, 7, 9],
    ['plain', {}, 7, 9],
    ['half', { 3: 1 }, 2, 3],
    ['corners', { 2: 1 }, 1, 1],
  ] as const)('bilinear resizing, %s', async (how, bytes, rows, columns) => {
    const map = mapOf(4, 5, 2);
    const expected = bilinear(map, rows, columns, how);
    const size: TinyTensor = { shape: [2], type: 'int32', data: Int32Array.of(rows, columns) };
    const y = await one({ code: codes.resizeBilinear, bytes }, map, [size], [1, rows, columns, 2]);
    expectNear(y.data, channelsFirst(expected));
  });

  test('nearest resizing takes the place below', async () => {
    const map = mapOf(2, 2, 1);
    const size: TinyTensor = { shape: [2], type: 'int32', data: Int32Array.of(3, 3) };
    const y = await one({ code: codes.resizeNearest }, map, [size], [1, 3, 3, 1]);
    const [a, b, c, d] = map.data;
    expectNear(y.data, [a!, a!, b!, a!, a!, b!, c!, c!, d!]);
  });

  test('transposed convolutions undo the size of strided ones', async () => {
    // By hand: each input number is laid out by the filter, two apart; "same" cuts one row and column in front.
    const map: Map3 = { shape: [2, 2, 1], data: Float32Array.of(1, 2, 3, 4) };
    const filter = Float32Array.of(1, 10, 100, 1000, 1, 10, 100, 1000, 1);
    const whole = new Float32Array(25);
    map.data.forEach((x, i) => {
      filter.forEach((w, k) => {
        whole[(2 * Math.floor(i / 2) + Math.floor(k / 3)) * 5 + 2 * (i % 2) + (k % 3)]! += w * x;
      });
    });
    const size: TinyTensor = { shape: [4], type: 'int32', data: Int32Array.of(1, 4, 4, 1) };
    const operator = { code: codes.transposeConvolution, options: { 1: 2, 2: 2 }, bytes: { 0: 0 } };
    const y = await one(operator, map, [size, { shape: [1, 3, 3, 1], data: filter }], [1, 4, 4, 1], [1, 2, 0]);
    // Of the 5 x 5 places one lies outside; its half, rounded down, is cut in front: none.
    expectNear(
      y.data,
      Array.from({ length: 16 }, (_, i) => whole[Math.floor(i / 4) * 5 + (i % 4)]!),
    );
  });

  test('constants broadcast from their last axes, and channels stay last where a transpose wants it', async () => {
    const map = mapOf(3, 2, 4);
    const factor = wave(4, 1.9);
    const y = await one({ code: codes.multiply }, map, [{ shape: [4], data: factor }], [1, 3, 2, 4]);
    expectNear(y.data, channelsFirst({ ...map, data: map.data.map((x, i) => x * factor[i % 4]!) }));
    const perm: TinyTensor = { shape: [4], type: 'int32', data: Int32Array.of(0, 3, 1, 2) };
    const z = await one({ code: codes.transpose }, map, [perm], [1, 4, 3, 2]);
    expectNear(z.data, channelsFirst(map));
    expect(z.dims).toEqual([1, 4, 3, 2]);
  });

  test('reshapes read rows, columns, channels in this order', async () => {
    const map = mapOf(3, 2, 4);
    const y = await one({ code: codes.reshape }, map, [], [1, 24]);
    expectNear(y.data, map.data);
    const begin = [0, 1, 0, 1];
    const list = (xs: number[]): TinyTensor => ({ shape: [4], type: 'int32', data: Int32Array.from(xs) });
    const cut = [list(begin), list([1, 3, 2, 4]), list([1, 1, 1, 2])];
    const z = await one({ code: codes.stridedSlice }, map, cut, [1, 2, 2, 2]);
    const kept = Float32Array.from({ length: 8 }, (_, i) => map.data[8 + 4 * Math.floor(i / 2) + 1 + 2 * (i % 2)]!);
    expectNear(z.data, channelsFirst({ shape: [2, 2, 2], data: kept }));
    const pads: TinyTensor = { shape: [4, 2], type: 'int32', data: Int32Array.of(0, 0, 1, 0, 0, 1, 0, 0) };
    const p = await one({ code: codes.pad }, map, [pads], [1, 4, 3, 4]);
    expect(p.dims).toEqual([1, 4, 4, 3]);
    expect([...p.data.slice(0, 4)].map((x) => x === 0)).toEqual([true, true, true, false]);
  });
});

describe('integers', () => {
  /** q = round(x / scale) + zero, as a file has it. */
  const quantized = (values: Float32Array, scale: number, zero: number): Uint8Array =>
    Uint8Array.from(values, (x) => Math.min(255, Math.max(0, Math.round(x / scale) + zero)));

  test('a network of 8 bits computes what its integers stand for, within their range', async () => {
    const shape = [2, 1, 1, 3];
    const filter = quantized(wave(6, 0.9), 0.01, 120);
    const bias = Int32Array.of(500, -300);
    const bytes = tinyTflite({
      tensors: [
        { name: 'in', shape: [1, 2, 2, 3], type: 'uint8', scale: [0.0078125], zeroPoint: [128] },
        { shape, type: 'uint8', data: filter, scale: [0.01], zeroPoint: [120] },
        { shape: [2], type: 'int32', data: bias, scale: [0.000078125] },
        { name: 'out', shape: [1, 2, 2, 2], type: 'uint8', scale: [0.004], zeroPoint: [100] },
      ],
      operators: [
        { code: codes.convolution, inputs: [0, 1, 2], outputs: [3], options: { 1: 1, 2: 1 }, bytes: { 0: 1 } },
      ],
      inputs: [0],
      outputs: [3],
    });
    const { onnx, picture } = convertTflite(bytes, 'tiny');
    expect(picture).toEqual({ width: 2, height: 2, scale: { mean: 128 / 255, std: 128 / 255 } });
    const map = mapOf(2, 2, 3);
    const real = Float32Array.from(filter, (q) => (q - 120) * 0.01);
    const added = Float32Array.from(bias, (q) => q * 0.000078125);
    const expected = conv(map, real, shape, added, { stride: 1, same: false, least: -0.4, most: 0.62 });
    expect(expected.data).toContain(Math.fround(0.62));
    const { out } = await run(onnx, channelsFirst(map), [1, 3, 2, 2]);
    expectNear(out!.data, channelsFirst(expected));
  });

  test('weights in 8 bits per channel and in half precision are what they stand for', async () => {
    const shape = [2, 1, 1, 3];
    const filter = Int8Array.of(127, -5, 40, -127, 99, 3);
    const scale = [0.02, 0.003];
    const map = mapOf(2, 3, 3);
    const eight = { shape, type: 'int8' as const, data: filter, scale, dimension: 0 };
    const operator = { code: codes.convolution, options: { 1: 1, 2: 1 }, bytes: { 0: 1 } };
    const y = await one(operator, map, [eight], [1, 2, 3, 2]);
    const real = Float32Array.from(filter, (q, i) => q * scale[Math.floor(i / 3)]!);
    expectNear(y.data, channelsFirst(conv(map, real, shape, null, { stride: 1, same: false })));

    const exact = Float32Array.of(0.5, -1.25, 3, 0.0625, 2, -7);
    const bytes = tinyTflite({
      tensors: [
        { name: 'x', shape: [1, 2, 3, 3] },
        { shape, type: 'float16', data: encodeHalf(exact) },
        { shape },
        { name: 'y', shape: [1, 2, 3, 2] },
      ],
      operators: [
        { code: codes.dequantize, inputs: [1], outputs: [2] },
        { ...operator, inputs: [0, 2], outputs: [3] },
      ],
      inputs: [0],
      outputs: [3],
    });
    const outputs = await run(convertTflite(bytes, 'tiny').onnx, channelsFirst(map), [1, 3, 2, 3]);
    expectNear(outputs.y!.data, channelsFirst(conv(map, exact, shape, null, { stride: 1, same: false })));
  });
});

describe('a whole network', () => {
  const net = tinyPictureNet();

  test('has its blocks as taps, takes any batch, and tells how pictures are fed', async () => {
    const { onnx, blockEnds, untranslated, picture, audio } = convertTflite(net, 'tiny');
    expect({ blockEnds, untranslated, audio }).toEqual({ blockEnds: ['tap_00'], untranslated: [], audio: null });
    expect(picture).toEqual({ width: 8, height: 9, scale: null });
    const map = mapOf(9, 8, 3);
    const single = await run(onnx, channelsFirst(map), [1, 3, 9, 8]);
    expect(single.tap_00!.dims).toEqual([1, 4, 5, 4]);
    const stem = conv(map, wave(108, 0.7), [4, 3, 3, 3], wave(4, 2), { stride: 2, same: true, least: 0, most: 6 });
    const dw = depthwise(stem, wave(36, 1.3), [1, 3, 3, 4], { stride: 1, same: true, least: 0 });
    const scales = [0.01, 0.02, 0.005, 0.03];
    const weights = Float32Array.from({ length: 16 }, (_, i) => (((i * 37) % 255) - 127) * scales[Math.floor(i / 4)]!);
    const pw = conv(dw, weights, [4, 1, 1, 4], wave(4, 3), { stride: 1, same: true });
    const sum = { ...pw, data: pw.data.map((x, i) => x + stem.data[i]!) };
    expectNear(single.tap_00!.data, channelsFirst(sum));
    const both = new Float32Array(2 * 216);
    both.set(channelsFirst(map).map((x) => -x));
    both.set(channelsFirst(map), 216);
    const pair = await run(onnx, both, [2, 3, 9, 8]);
    expect(pair.out!.dims).toEqual([2, 3]);
    expectNear(pair.out!.data.slice(3), single.out!.data);
  });

  test('becomes a package by the public door, which asks how floats are scaled', async () => {
    const source = { bytes: net, where: 'tiny.tflite', id: 'tiny', license: 'MIT' };
    const runtime = await runtimes.loadRuntime({ device: 'cpu' });
    await expect(importTflite(source, runtime)).rejects.toMatchObject({ code: 'invalid-argument' });
    const half: [number, number, number] = [0.5, 0.5, 0.5];
    const { manifest, files } = await importTflite({ ...source, scale: { mean: half, std: half } }, runtime);
    expect(manifest.inputs).toEqual({
      audio: null,
      visual: { input: 'image', width: 8, height: 9, mean: half, std: half },
    });
    expect(manifest.taps.visual).toEqual([
      { name: 'visual.tap_00', layout: 'map', tokens: 20, width: 4, grid: [5, 4] },
    ]);
    expect(Object.keys(files).sort()).toEqual([
      'canary.safetensors',
      'manifest.json',
      'model.onnx',
      'model.safetensors',
    ]);
  });

  test('names all operators that have no translation at once, and goes without what depends on them', async () => {
    const bytes = tinyTflite({
      tensors: [
        { name: 'x', shape: [1, 4, 4, 3] },
        { shape: [2, 1, 1, 3], data: wave(6, 1) },
        { name: 'good', shape: [1, 4, 4, 2] },
        { name: 'a', shape: [1, 4, 4, 2] },
        { name: 'b', shape: [1, 4, 4, 2] },
        { name: 'after', shape: [1, 4, 4, 2] },
      ],
      operators: [
        { code: codes.convolution, inputs: [0, 1], outputs: [2], options: { 1: 1, 2: 1 } },
        { code: codes.custom, custom: 'MyOwnPost', inputs: [2], outputs: [3] },
        { code: codes.topK, inputs: [2], outputs: [4] },
        { code: codes.add, inputs: [3, 4], outputs: [5] },
      ],
      inputs: [0],
      outputs: [2, 5],
    });
    const opened = openTflite(bytes, 'odd.tflite');
    expect(opened.untranslated).toEqual(['MyOwnPost', 'TOPK_V2']);
    expect(chooseTaps(opened, ['good'])).toEqual(['good']);
    expect(() => chooseTaps(opened, ['after'])).toThrow(
      'odd.tflite: "after" is not among what can be had without operators that are not translated: MyOwnPost, TOPK_V2.',
    );
    expect(() => chooseTaps(opened, [])).toThrow('no blocks are recognised in it');
    const nothing = tinyTflite({
      tensors: [{ shape: [1, 2, 2, 3] }, { shape: [1, 2, 2, 3] }, { shape: [1, 2, 2, 3] }],
      operators: [
        { code: codes.topK, inputs: [0], outputs: [1] },
        { code: codes.custom, custom: 'Other', inputs: [1], outputs: [2] },
      ],
      inputs: [0],
      outputs: [2],
    });
    expect(() => convertTflite(nothing, 'odd.tflite')).toThrow(
      /without operators .* not translated: TOPK_V2, Other\.$/,
    );
  });

  test('a damaged file gives an error of ours and nothing else', async () => {
    for (const good of [net, tinySoundNet()]) {
      const convert = (bytes: Uint8Array): void => {
        try {
          convertTflite(bytes, 'x.tflite');
        } catch (error) {
          // What is left may be a whole file of another network.
          if (error instanceof MettleError && error.code === 'incompatible') return;
          throw error;
        }
      };
      expect(survives(brokenCopies(good, 500, 3), 'x.tflite', convert)).toBeGreaterThan(200);
    }
  });

  test.each([
    ['an offset beyond the end', 0, 0x7fffffff],
    ['an offset that turns back', 0, 0xffffffff],
  ])('%s is refused', (_, at, value) => {
    const bytes = net.slice();
    new DataView(bytes.buffer).setUint32(at, value, true);
    expect(() => convertTflite(bytes, 'x')).toThrow(/^x: model lies at byte/);
  });

  test('a list that says it is longer than the file is refused before memory is taken', () => {
    const bytes = net.slice();
    const view = new DataView(bytes.buffer);
    let refused = 0;
    for (let at = 8; at + 4 <= bytes.length; at += 4) {
      const kept = view.getUint32(at, true);
      view.setUint32(at, 0x7ffffff0, true);
      try {
        convertTflite(bytes, 'x');
      } catch (error) {
        expect(error).toBeInstanceOf(MettleError);
        refused++;
      }
      view.setUint32(at, kept, true);
    }
    expect(refused).toBeGreaterThan(50);
  });
});

/** Waveform to log-mel inside the file, then one depthwise block. Windows of 200 in a transform of 256, hop 100. */
function tinySoundNet({ hann = true, floor = 0.01 } = {}): Uint8Array {
  const [frames, window, hop, fftSize, bands] = [20, 200, 100, 256, 12];
  const bins = fftSize / 2 + 1;
  const filters = new Float32Array(bands * bins);
  const bank = { sampleRate: 8000, fftSize, mels: bands, minHz: 200, maxHz: 3600, scale: 'htk' as const };
  melFilters(bank).forEach(({ first, weights }, band) => {
    filters.set(weights, band * bins + first);
  });
  const places = Int32Array.from({ length: frames * 2 }, (_, i) => Math.floor(i / 2) + (i % 2));
  const shape = Float32Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const tensors: TinyTensor[] = [
    { name: 'waveform', shape: [2100] },
    { shape: [21, hop] },
    { shape: [frames, 2], type: 'int32', data: places },
    { shape: [frames, 2, hop] },
    { shape: [frames, window] },
    { shape: [window], data: hann ? shape : shape.map((x) => Math.sqrt(x)) },
    { shape: [frames, window] },
    { shape: [2, 2], type: 'int32', data: Int32Array.of(0, 0, 0, fftSize - window) },
    { shape: [frames, fftSize] },
    { shape: [frames, 1, fftSize] },
    { shape: [2], type: 'int32', data: Int32Array.of(1, fftSize) },
    { shape: [frames, 1, bins], type: 'complex64' },
    { shape: [frames, bins], type: 'complex64' },
    { shape: [frames, bins] },
    { shape: [bands, bins], type: 'int8', data: Int8Array.from(filters, (x) => Math.round(x * 127)), scale: [1 / 127] },
    { shape: [bands], data: new Float32Array(bands).fill(floor) },
    { shape: [frames, bands] },
    { shape: [frames, bands] },
    { name: 'picture', shape: [1, frames, bands, 1] },
    { shape: [1, 3, 3, 1], data: wave(9, 1) },
    { shape: [1, frames, bands, 1] },
    { shape: [2, 1, 1, 1], data: wave(2, 1) },
    { name: 'out', shape: [1, frames, bands, 2] },
  ];
  const operators: TinyOperator[] = [
    { code: codes.reshape, inputs: [0], outputs: [1] },
    { code: codes.gather, inputs: [1, 2], outputs: [3] },
    { code: codes.reshape, inputs: [3], outputs: [4] },
    { code: codes.multiply, inputs: [4, 5], outputs: [6] },
    { code: codes.pad, inputs: [6, 7], outputs: [8] },
    { code: codes.reshape, inputs: [8], outputs: [9] },
    { code: codes.rfft2d, inputs: [9, 10], outputs: [11] },
    { code: codes.reshape, inputs: [11], outputs: [12] },
    { code: codes.complexAbs, inputs: [12], outputs: [13] },
    { code: codes.fullyConnected, inputs: [13, 14, 15], outputs: [16] },
    { code: codes.log, inputs: [16], outputs: [17] },
    { code: codes.reshape, inputs: [17], outputs: [18] },
    { code: codes.depthwise, inputs: [18, 19], outputs: [20], options: { 1: 1, 2: 1, 3: 1 } },
    { code: codes.convolution, inputs: [20, 21], outputs: [22], options: { 1: 1, 2: 1 } },
  ];
  return tinyTflite({ tensors, operators, inputs: [0], outputs: [22] });
}

describe('an audio front end inside a file', () => {
  test('is told from its operators and replaced: the network then reads the picture', async () => {
    const { onnx, audio, blockEnds } = convertTflite(tinySoundNet(), 'sound');
    expect(audio).toEqual({
      layout: 'plain',
      sampleRate: 8000,
      repeat: 1,
      window: 200,
      fftSize: 256,
      hop: 100,
      align: 'left',
      spectrum: 'magnitude',
      mels: 12,
      minHz: 200,
      maxHz: 3600,
      scale: 'htk',
      log: 'natural',
      floor: 0.01,
      frames: 20,
      mean: 0,
      std: 1,
    });
    expect(blockEnds).toEqual(['tap_00']);
    const map = mapOf(20, 12, 1);
    const { tap_00 } = await run(onnx, map.data, [1, 20, 12]);
    const inner = depthwise(map, wave(9, 1), [1, 3, 3, 1], { stride: 1, same: true });
    expectNear(tap_00!.data, channelsFirst(conv(inner, wave(2, 1), [2, 1, 1, 1], null, { stride: 1, same: true })));
  });

  test.each([
    [{ hann: false }, 'its window is no periodic Hann window'],
    [{ floor: 0 }, 'no small number is added before the logarithm'],
  ])('that is another one is refused, and says why', (change, problem) => {
    expect(() => convertTflite(tinySoundNet(change), 'sound')).toThrow(
      `sound has an audio front end that is not recognised: ${problem}.`,
    );
  });
});
