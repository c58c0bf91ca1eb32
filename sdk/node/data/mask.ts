/** Masks in PNG files, in whatever form they circulate: 1 bit, 0/1, 0/255, palette or RGB -> 0 and 1. */
import { type DecodedPng, decodePng } from './png-reader.ts';

/** `data` is [height, width], 1 where the pixel makes the sound. */
export type MaskImage = {
  width: number;
  height: number;
  data: Uint8Array<ArrayBuffer>;
  /** How many different values the picture has; more than two means that somebody smoothed it or stored several objects. */
  levels: number;
};

/**
 * Reads a mask. A pixel's value is the largest of its colour channels. With up to two values, any but 0 is the object; with more, from one half on where the picture
 * reaches one half (smoothed edges), else any but 0 (numbers of objects). Throws `invalid-file` that begins with `where`.
 */
export function readMask(bytes: Uint8Array, where = 'mask'): MaskImage {
  const picture = decodePng(bytes, where);
  const values = brightness(picture);
  const seen = new Uint8Array(256);
  for (const value of values) seen[value] = 1;
  const levels = seen.reduce((sum, on) => sum + on, 0);
  const largest = seen.lastIndexOf(1);
  const least = levels > 2 && largest >= 128 ? 128 : 1;
  return {
    width: picture.width,
    height: picture.height,
    data: values.map((value) => (value >= least ? 1 : 0)),
    levels,
  };
}

function brightness({ width, height, channels, data }: DecodedPng): Uint8Array<ArrayBuffer> {
  const colors = channels < 3 ? 1 : 3;
  const hasAlpha = channels % 2 === 0;
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const at = i * channels;
    if (hasAlpha && data[at + channels - 1] === 0) continue;
    for (let c = 0; c < colors; c++) values[i] = Math.max(values[i]!, data[at + c]!);
  }
  return values;
}
