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
};

/** 0 or 1 at another size: 1 where at least half of the area that a pixel covers is set. */
export function binaryMask({ width, height, data }: MaskImage, toWidth: number, toHeight: number): Float32Array {
  if (width === toWidth && height === toHeight) return whereAtLeast(data, 1);
  const white = 255;
  const picture = data.map((value) => (value > 0 ? white : 0));
  const plane = { data: picture, offset: 0, stride: width, step: 1, height };
  return whereAtLeast(resizePlane(plane, makeAxis(width, toWidth), makeAxis(height, toHeight)), white / 2);
}

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
    if (known) return { ...known, data: unpack(known.data, known.width * known.height) };
    const mask = await read(path);
    const packed = pack(mask.data);
    if (packed.length <= left && !kept.has(path)) {
      left -= packed.length;
      kept.set(path, { width: mask.width, height: mask.height, data: packed });
    }
    return mask;
  };
}

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
