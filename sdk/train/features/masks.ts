/** True masks as training and evaluation take them. */
import { makeAxis, resizePlane } from '../../front-end/resize.ts';

/** A mask as it was stored: one number per pixel, 0 where nothing sounds. */
export type MaskImage = {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** [height, width] */
  data: Uint8Array;
  /** [height, width], 1 where nobody knows; left out where that is nowhere. */
  ignored?: Uint8Array;
};

/** 0 or 1 at another size, -1 where nobody knows: 1 where at least half of the known area that a pixel covers is set, -1 where less than half of its area is known. */
export function binaryMask(
  { width, height, data, ignored }: MaskImage,
  toWidth: number,
  toHeight: number,
): Float32Array {
  const isWhole = width === toWidth && height === toHeight;
  const scaled = (pixels: Uint8Array): Float32Array | Uint8Array => {
    if (isWhole) return pixels;
    const plane = { data: pixels.map((value) => (value > 0 ? white : 0)), offset: 0, stride: width, step: 1, height };
    return resizePlane(plane, makeAxis(width, toWidth), makeAxis(height, toHeight));
  };
  const set = scaled(ignored ? data.map((value, i) => (ignored[i] ? 0 : value)) : data);
  const one = isWhole ? 1 : white;
  if (!ignored) return whereAtLeast(set, isWhole ? 1 : white / 2);
  const unknown = scaled(ignored);
  return Float32Array.from(set, (value, i) => {
    const share = one - unknown[i]!;
    return share < one / 2 ? -1 : Math.min(value, one) >= share / 2 ? 1 : 0;
  });
}

const white = 255;

/** A loop, since `Float32Array.from` with a function takes twenty times as long. */
function whereAtLeast(values: Uint8Array | Float32Array, least: number): Float32Array {
  const on = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) if (values[i]! >= least) on[i] = 1;
  return on;
}

/** Bytes that masks may take in memory: all of AVSBench at 224 x 224 take 160 MB. */
const room = 256e6;

/**
 * `read`, which decodes a file, with what it gave kept as one bit per pixel as long as there is room: a training looks at the same masks epoch after epoch, and
 * decoding them takes longer than a step of a small adapter.
 */
export function keepingMasks(
  read: (path: string) => Promise<MaskImage>,
  bytes = room,
): (path: string) => Promise<MaskImage> {
  const kept = new Map<string, MaskImage>();
  let left = bytes;
  return async (path) => {
    const known = kept.get(path);
    if (known) return eachPlane(known, (bits) => unpack(bits, known.width * known.height));
    const mask = await read(path);
    const packed = eachPlane(mask, pack);
    const size = packed.data.length + (packed.ignored?.length ?? 0);
    if (size <= left && !kept.has(path)) {
      left -= size;
      kept.set(path, packed);
    }
    return mask;
  };
}

const eachPlane = (
  { width, height, data, ignored }: MaskImage,
  change: (plane: Uint8Array) => Uint8Array,
): MaskImage => ({
  width,
  height,
  data: change(data),
  ...(ignored ? { ignored: change(ignored) } : {}),
});

function pack(pixels: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(pixels.length / 8));
  for (let i = 0; i < pixels.length; i++) if (pixels[i]! > 0) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

function unpack(bits: Uint8Array, length: number): Uint8Array {
  const pixels = new Uint8Array(length);
  for (let i = 0; i < length; i++) pixels[i] = (bits[i >> 3]! >> (i & 7)) & 1;
  return pixels;
}
