/** RGB pictures as I420 of limited-range BT.709, with the grain of a camera. */
import type { Canvas } from './canvas.ts';

/** A converter whose output is [width * height * 3 / 2]; width and height are even. `random` gives the grain, up to 2.5 levels either way. */
export function createI420(random: () => number): (canvas: Canvas) => Uint8Array<ArrayBuffer> {
  // Rows of pictures read this at random places; 65,536 is 2 ** 16, as in the fixed-point sums below.
  const grain = Int32Array.from({ length: 8192 }, () => Math.round((random() - 0.5) * 5 * 65536));
  return ({ width, height, rgb }) => {
    const size = width * height;
    const out = new Uint8Array(size * 1.5);
    for (let row = 0; row < height; row++) {
      const shift = Math.floor(random() * (grain.length - width));
      for (let column = 0, at = row * width; column < width; column++, at++) {
        const i = 3 * at;
        const luma = 11966 * rgb[i]! + 40254 * rgb[i + 1]! + 4064 * rgb[i + 2]! + grain[shift + column]!;
        const value = (luma + 16 * 65536 + 32768) >> 16;
        out[at] = Math.max(16, Math.min(235, value));
      }
    }
    const below = 3 * width;
    for (let row = 0, blue = size, red = size * 1.25; row < height; row += 2) {
      for (let column = 0, i = row * below; column < width; column += 2, i += 6, blue++, red++) {
        const r = rgb[i]! + rgb[i + 3]! + rgb[i + below]! + rgb[i + below + 3]!;
        const g = rgb[i + 1]! + rgb[i + 4]! + rgb[i + below + 1]! + rgb[i + below + 4]!;
        const b = rgb[i + 2]! + rgb[i + 5]! + rgb[i + below + 2]! + rgb[i + below + 5]!;
        out[blue] = (-6596 * r - 22188 * g + 28784 * b + 4 * (128 * 65536 + 32768)) >> 18;
        out[red] = (28784 * r - 26145 * g - 2639 * b + 4 * (128 * 65536 + 32768)) >> 18;
      }
    }
    return out;
  };
}
