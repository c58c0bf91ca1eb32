/**
 * Resizing by a triangle filter that widens with the reduction: bilinear when enlarging, an antialiased weighted mean when reducing. Separable, in float,
 * the same sums in the same order everywhere; no canvas is involved.
 */
import type { RgbImage } from '../contract/clip.ts';

/** Weights of one axis: output `i` is the sum over `k < taps` of `weights[i * taps + k] * source[starts[i] + k]`. */
export type Axis = { length: number; taps: number; starts: Int32Array; weights: Float64Array };

/**
 * Weights from `source` samples to `target` samples. `extent` is the length of the picture in source samples (default: `source`; a chroma plane of an odd picture
 * covers half a sample less), `shift` moves all positions, in source samples.
 */
export function makeAxis(source: number, target: number, extent = source, shift = 0): Axis {
  const step = extent / target;
  const reach = Math.max(1, step);
  const taps = Math.min(source, Math.ceil(2 * reach) + 1);
  const starts = new Int32Array(target);
  const weights = new Float64Array(target * taps);
  for (let i = 0; i < target; i++) {
    const center = (i + 0.5) * step + shift - 0.5;
    const start = Math.min(Math.max(0, Math.ceil(center - reach)), source - taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += Math.max(0, 1 - Math.abs(start + k - center) / reach);
    for (let k = 0; k < taps; k++) {
      weights[i * taps + k] = Math.fround(Math.max(0, 1 - Math.abs(start + k - center) / reach) / sum);
    }
    starts[i] = start;
  }
  return { length: target, taps, starts, weights };
}

/** One channel of a picture in memory: sample (x, y) is `data[offset + y * stride + x * step]`, in elements of `data`. */
export type Plane = {
  data: Uint8Array | Uint16Array;
  offset: number;
  stride: number;
  step: number;
  height: number;
};

/** The plane at [vertical.length, horizontal.length], in the units of the source. */
export function resizePlane(plane: Plane, horizontal: Axis, vertical: Axis): Float32Array {
  return resizeDown(resizeAcross(plane, horizontal), horizontal.length, vertical);
}

/** Four rows at a time: their sums do not wait for each other. */
function resizeAcross(plane: Plane, { length, taps, starts, weights }: Axis): Float32Array {
  const narrow = new Float32Array(Math.ceil(plane.height / 4) * 4 * length);
  const span = starts[length - 1]! + taps;
  const rows = new Float64Array(4 * span);
  for (let y = 0; y < plane.height; y += 4) {
    readRows(plane, y, rows, span);
    for (let x = 0, k = 0; x < length; x++) {
      let [first, second, third, fourth] = [0, 0, 0, 0];
      for (let at = starts[x]!, end = at + taps; at < end; at++, k++) {
        const weight = weights[k]!;
        first += weight * rows[at]!;
        second += weight * rows[at + span]!;
        third += weight * rows[at + 2 * span]!;
        fourth += weight * rows[at + 3 * span]!;
      }
      const to = y * length + x;
      narrow[to] = first;
      narrow[to + length] = second;
      narrow[to + 2 * length] = third;
      narrow[to + 3 * length] = fourth;
    }
  }
  return narrow;
}

/** Rows `y` to `y + 3` as floats, as far as there are any. */
function readRows({ data, offset, stride, step, height }: Plane, y: number, rows: Float64Array, span: number): void {
  for (let row = 0; row < Math.min(4, height - y); row++) {
    for (let i = 0, at = offset + (y + row) * stride; i < span; i++, at += step) rows[row * span + i] = data[at]!;
  }
}

/** Row after row of the source, in the order of memory. */
function resizeDown(narrow: Float32Array, width: number, { length, taps, starts, weights }: Axis): Float32Array {
  const out = new Float32Array(length * width);
  const sums = new Float64Array(width);
  for (let y = 0; y < length; y++) {
    sums.fill(0);
    for (let tap = 0; tap < taps; tap++) {
      const weight = weights[y * taps + tap]!;
      if (weight === 0) continue;
      for (let x = 0, at = (starts[y]! + tap) * width; x < width; x++, at++) sums[x] = sums[x]! + weight * narrow[at]!;
    }
    out.set(sums, y * width);
  }
  return out;
}

/** Three channels in the order R, G, B as the planes of an interleaved picture with `step` bytes per pixel, the channels at `order`. */
export function interleavedPlanes(
  data: Uint8Array,
  layout: { offset: number; stride: number; step: number; height: number; order: readonly [number, number, number] },
): [Plane, Plane, Plane] {
  const { offset, stride, step, height, order } = layout;
  const plane = (channel: number): Plane => ({ data, offset: offset + channel, stride, step, height });
  return [plane(order[0]), plane(order[1]), plane(order[2])];
}

/** `image` squeezed or stretched to `width` x `height`. */
export function resizeImage(image: RgbImage, width: number, height: number): RgbImage {
  if (image.width === width && image.height === height) return image;
  const layout = { offset: 0, stride: image.width * 3, step: 3, height: image.height, order: [0, 1, 2] as const };
  const planes = interleavedPlanes(image.data, layout);
  return packRgb(resizeRgb(planes, image.width, image.height, width, height), width, height);
}

/** Each of three full-size planes at the new size. */
export function resizeRgb(
  planes: readonly [Plane, Plane, Plane],
  sourceWidth: number,
  sourceHeight: number,
  width: number,
  height: number,
): [Float32Array, Float32Array, Float32Array] {
  const horizontal = makeAxis(sourceWidth, width);
  const vertical = makeAxis(sourceHeight, height);
  const [red, green, blue] = planes;
  return [
    resizePlane(red, horizontal, vertical),
    resizePlane(green, horizontal, vertical),
    resizePlane(blue, horizontal, vertical),
  ];
}

/** Three planes in [0, 255] as an 8-bit picture, rounded and clamped. */
export function packRgb(
  planes: readonly [Float32Array, Float32Array, Float32Array],
  width: number,
  height: number,
): RgbImage {
  const [red, green, blue] = planes;
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    data[i * 3] = red[i]!;
    data[i * 3 + 1] = green[i]!;
    data[i * 3 + 2] = blue[i]!;
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}
