/** Pictures for the report: thumbnails within a budget, masks as transparent overlays. */
import type { RgbImage } from '../../contract/clip.ts';
import type { Rgb } from '../../tasks/color.ts';
import type { Mask } from '../../tasks/types.ts';
import { encodePng, type PngImage } from './png.ts';

/** Pixels that all thumbnails of a report may have together, so that an hour of video does not give a page of a gigabyte. */
const PIXEL_BUDGET = 6_000_000;

/** Shrinks all pictures by one whole factor until they keep the budget. */
export function withinBudget(images: readonly (RgbImage | null)[], budget = PIXEL_BUDGET): (RgbImage | null)[] {
  const pixels = images.reduce((sum, image) => sum + (image ? image.width * image.height : 0), 0);
  const factor = Math.ceil(Math.sqrt(pixels / budget));
  return factor <= 1 ? [...images] : images.map((image) => image && shrink(image, factor));
}

/**
 * A mask as an RGBA picture of the given size: one colour, as opaque as the mask is sure, with a firm line where it crosses one half.
 * Opacity has 16 levels, because smooth noise does not compress.
 */
export function overlay(mask: Mask, width: number, height: number, color: Rgb): PngImage {
  const sure = stretch(mask, width, height);
  const data = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const inside = sure[at]! > 127;
      const edge =
        inside &&
        ((x > 0 && sure[at - 1]! <= 127) ||
          (x < width - 1 && sure[at + 1]! <= 127) ||
          (y > 0 && sure[at - width]! <= 127) ||
          (y < height - 1 && sure[at + width]! <= 127));
      const alpha = edge ? 255 : 17 * Math.round((sure[at]! * 0.72) / 17);
      // Colour under full transparency would only cost bytes.
      if (alpha > 0) data.set([...color, alpha], 4 * at);
    }
  }
  return { width, height, data };
}

export function pngUrl(image: PngImage): string {
  return `data:image/png;base64,${Buffer.from(encodePng(image)).toString('base64')}`;
}

/** Mean over blocks of `factor` x `factor` pixels; the rest at the right and at the bottom is dropped. */
function shrink(image: RgbImage, factor: number): RgbImage {
  const width = Math.max(1, Math.floor(image.width / factor));
  const height = Math.max(1, Math.floor(image.height / factor));
  const data = new Uint8Array(3 * width * height);
  const stepX = Math.min(factor, image.width);
  const stepY = Math.min(factor, image.height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let dy = 0; dy < stepY; dy++) {
          for (let dx = 0; dx < stepX; dx++) {
            sum += image.data[3 * ((y * factor + dy) * image.width + x * factor + dx) + channel]!;
          }
        }
        data[3 * (y * width + x) + channel] = Math.round(sum / (stepX * stepY));
      }
    }
  }
  return { width, height, data };
}

/** Bilinear, pixel centres aligned. */
function stretch(mask: Mask, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  const position = (index: number, size: number, from: number) =>
    Math.min(from - 1, Math.max(0, ((index + 0.5) / size) * from - 0.5));
  for (let y = 0; y < height; y++) {
    const sy = position(y, height, mask.height);
    const top = Math.floor(sy);
    const bottom = Math.min(mask.height - 1, top + 1);
    for (let x = 0; x < width; x++) {
      const sx = position(x, width, mask.width);
      const left = Math.floor(sx);
      const right = Math.min(mask.width - 1, left + 1);
      const at = (row: number, column: number) => mask.data[row * mask.width + column]!;
      const upper = at(top, left) + (at(top, right) - at(top, left)) * (sx - left);
      const lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * (sx - left);
      out[y * width + x] = upper + (lower - upper) * (sy - top);
    }
  }
  return out;
}
