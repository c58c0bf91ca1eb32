/** What the draw helpers paint on, and how options that say how it looks are checked. */
import { number, type Rule, record } from '../contract/options.ts';

/** A canvas to draw on, of the page or off screen. */
export type DrawContext = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
/** RGBA pixels, as `ImageData` has them. */
export type Pixels = {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** [height, width, 4], 0 to 255. */
  readonly data: Uint8ClampedArray | Uint8Array;
};

const channel: Rule = number(0, 255);
export const rgb: Rule = {
  expected: 'a list of red, green and blue, 0 to 255',
  fits: (value) => Array.isArray(value) && value.length === 3 && value.every(channel.fits),
};

/** Pixels, as plain data or as a canvas has them. */
export const surface: Rule = {
  expected: 'a 2D context of a canvas, or pixels: { width, height, data }',
  fits: (value) => record.fits(value) && ('canvas' in value || isPixels(value, 4)),
};

/** Whether it has as many bytes as its size says. */
export function isPixels(value: object, channels: number): boolean {
  const { width, height, data } = value as Partial<Pixels>;
  return ArrayBuffer.isView(data) && (data as Uint8Array).length === channels * (width ?? 0) * (height ?? 0);
}
