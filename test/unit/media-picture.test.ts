/** Resizing, colour conversion, orientation and the picture front end on pictures small enough to know the answer. */
import { expect, test } from 'vitest';
import type { RgbImage } from '../../sdk/contract/clip.ts';
import { pictureToTensor } from '../../sdk/front-end/picture.ts';
import { makeAxis, resizeImage } from '../../sdk/front-end/resize.ts';
import { chooseColor, yuvToRgb } from '../../sdk/media/color.ts';
import { type CopiedFrame, scaleFrame, turn } from '../../sdk/media/planes.ts';

const gray = (width: number, height: number, at: (x: number, y: number) => number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    at(Math.floor(i / 3) % width, Math.floor(i / 3 / width)),
  ),
});

test('weights of every output sum to one and lie inside the source', () => {
  for (const [source, target] of [
    [7, 3],
    [3, 7],
    [1280, 224],
    [1, 5],
    [5, 1],
  ] as const) {
    const { starts, weights, taps } = makeAxis(source, target);
    for (let i = 0; i < target; i++) {
      const sum = weights.subarray(i * taps, (i + 1) * taps).reduce((total, weight) => total + weight, 0);
      expect(sum).toBeCloseTo(1, 5);
      expect(starts[i]! >= 0 && starts[i]! + taps <= source).toBe(true);
    }
  }
});

test('a ramp stays a ramp, a constant a constant, and a fine pattern becomes its mean', () => {
  const ramp = resizeImage(
    gray(100, 10, (x) => 2 * x),
    25,
    5,
  );
  // Output x covers source 4x to 4x + 4, whose middle is 4x + 1.5.
  for (let x = 2; x < 23; x++) expect(ramp.data[x * 3]).toBe(2 * (4 * x + 1.5));
  expect(
    new Set(
      resizeImage(
        gray(64, 48, () => 77),
        13,
        9,
      ).data,
    ),
  ).toEqual(new Set([77]));
  const stripes = resizeImage(
    gray(120, 80, (x) => (x % 2) * 200),
    12,
    8,
  );
  for (let x = 1; x < 11; x++) expect(Math.abs(stripes.data[x * 3]! - 100)).toBeLessThanOrEqual(2);
});

test.each([
  ['bt709', false, [63, 102, 240], [255, 0, 0]],
  ['bt601', false, [81, 90, 240], [255, 0, 0]],
  ['bt2020', false, [16, 128, 128], [0, 0, 0]],
  ['bt601', true, [255, 128, 128], [255, 255, 255]],
  ['bt709', false, [173, 42, 26], [0, 255, 0]],
] as const)('%s, full range %s: YUV %j is RGB %j within 2', (matrix, fullRange, yuv, rgb) => {
  const planes = yuv.map((value) => Float32Array.of(value)) as [Float32Array, Float32Array, Float32Array];
  const out = yuvToRgb(planes, { matrix, fullRange }, 8);
  for (let c = 0; c < 3; c++)
    expect(Math.abs(Math.min(255, Math.max(0, out[c]![0]!)) - rgb[c]!)).toBeLessThanOrEqual(2);
});

test('the matrix is what the track says, else by codec and size', () => {
  expect(chooseColor({ matrix: 'smpte170m', fullRange: true }, 'avc', 1920, 1080)).toEqual({
    matrix: 'bt601',
    fullRange: true,
  });
  expect(chooseColor(null, 'vp8', 1280, 720).matrix).toBe('bt601');
  expect(chooseColor({}, 'vp9', 1280, 720).matrix).toBe('bt709');
  expect(chooseColor({}, 'avc', 720, 480)).toEqual({ matrix: 'bt601', fullRange: false });
});

test('8-bit planar, 10-bit and interleaved chroma give the same picture', () => {
  const luma = Uint8Array.from({ length: 64 }, (_, i) => 40 + 2 * i);
  const [u, v] = [90, 160].map((base) => Uint8Array.from({ length: 16 }, (_, i) => base + i)) as [
    Uint8Array,
    Uint8Array,
  ];
  const plane = (data: Uint8Array | Uint16Array, stride: number, height: number, step = 1, offset = 0) => ({
    data,
    offset,
    stride,
    step,
    height,
  });
  const wide = (data: Uint8Array) => Uint16Array.from(data, (value) => value * 4);
  const frame = (planes: CopiedFrame['planes'], bits = 8): CopiedFrame => ({
    width: 8,
    height: 8,
    kind: 'yuv',
    bits,
    chroma: { across: 2, down: 2 },
    planes,
  });
  const pairs = new Uint8Array(32).map((_, i) => (i % 2 ? v : u)[i >> 1]!);
  const color = { matrix: 'bt709', fullRange: false } as const;
  const upright = { rotation: 0, flip: false } as const;
  const planar = scaleFrame(frame([plane(luma, 8, 8), plane(u, 4, 4), plane(v, 4, 4)]), color, upright, 5, 6);
  const interleaved = scaleFrame(
    frame([plane(luma, 8, 8), plane(pairs, 8, 4, 2), plane(pairs, 8, 4, 2, 1)]),
    color,
    upright,
    5,
    6,
  );
  const ten = scaleFrame(
    frame([plane(wide(luma), 8, 8), plane(wide(u), 4, 4), plane(wide(v), 4, 4)], 10),
    color,
    upright,
    5,
    6,
  );
  expect(interleaved).toEqual(planar);
  expect(ten).toEqual(planar);
  expect(
    scaleFrame(frame([plane(luma, 8, 8), plane(u, 4, 4), plane(v, 4, 4)]), color, { rotation: 90, flip: false }, 6, 5),
  ).toEqual(turn(planar, { rotation: 90, flip: false }));
});

test('rotation is clockwise, the mirror image comes after it', () => {
  const image = gray(2, 3, (x, y) => 10 * y + x);
  const shown = (rotation: 0 | 90 | 180 | 270, flip = false) => {
    const { width, data } = turn(image, { rotation, flip });
    return [width, ...data.filter((_, i) => i % 3 === 0)];
  };
  expect(shown(0)).toEqual([2, 0, 1, 10, 11, 20, 21]);
  expect(shown(90)).toEqual([3, 20, 10, 0, 21, 11, 1]);
  expect(shown(180)).toEqual([2, 21, 20, 11, 10, 1, 0]);
  expect(shown(270)).toEqual([3, 1, 11, 21, 0, 10, 20]);
  expect(shown(0, true)).toEqual([2, 1, 0, 11, 10, 21, 20]);
  expect(shown(90, true)).toEqual([3, 0, 10, 20, 1, 11, 21]);
});

test('the picture tensor is (rgb / 255 - mean) / std, channels first, at the size of the front end', () => {
  const frontEnd = {
    input: 'image',
    width: 2,
    height: 1,
    mean: [0.5, 0, 0.25] as [number, number, number],
    std: [0.5, 1, 0.25] as [number, number, number],
  };
  const tensor = pictureToTensor({ width: 2, height: 1, data: Uint8Array.of(255, 0, 51, 0, 255, 255) }, frontEnd);
  [1, -1, 0, 1, -0.2, 3].forEach((value, i) => expect(tensor[i]).toBeCloseTo(value, 5));
  expect(
    pictureToTensor(
      gray(40, 30, () => 255),
      frontEnd,
    ),
  ).toHaveLength(6);
});
