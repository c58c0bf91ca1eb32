/** Frames with what was found and what is true drawn on them: the mask as a colour, the truth as a line around it. */
import { drawMask, type Mask, type RgbImage } from '../../sdk/index.ts';
import { type ClipTruth, maskAt } from '../truth.js';

const found = [255, 61, 127] as const;
const [line, halo] = [255, 0];

/** One picture per frame, of the same size. */
export function annotatedFrames(frames: readonly RgbImage[], masks: readonly Mask[], truth: ClipTruth): RgbImage[] {
  return frames.map((frame, second) => {
    const picture = rgba(frame);
    if (masks[second]) drawMask(picture, masks[second], { color: found });
    const inside = insideOf(truth, second, picture.width, picture.height);
    outline(picture, inside);
    return rgb(picture);
  });
}

/** Pictures side by side, two pixels apart. */
export function stripOf(pictures: readonly RgbImage[]): RgbImage {
  const gap = 2;
  const [{ width: cell, height }] = pictures as [RgbImage];
  const width = pictures.length * (cell + gap) - gap;
  const data = new Uint8Array(3 * width * height).fill(255);
  for (const [index, picture] of pictures.entries()) {
    for (let y = 0; y < height; y++) {
      const row = picture.data.subarray(3 * y * cell, 3 * (y + 1) * cell);
      data.set(row, 3 * (y * width + index * (cell + gap)));
    }
  }
  return { width, height, data };
}

type Rgba = { width: number; height: number; data: Uint8Array };

function rgba({ width, height, data }: RgbImage): Rgba {
  const out = new Uint8Array(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) out.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
  return { width, height, data: out };
}

function rgb({ width, height, data }: Rgba): RgbImage {
  return { width, height, data: data.filter((_, at) => at % 4 < 3) };
}

/** Whether a pixel of the picture lies in the true mask; false beyond the picture. */
function insideOf(truth: ClipTruth, second: number, width: number, height: number) {
  const mask = maskAt(truth, second);
  const size = truth.masks!;
  return (x: number, y: number): boolean => {
    if (x < 0 || y < 0 || x >= width || y >= height) return false;
    const [column, row] = [
      Math.floor(((x + 0.5) / width) * size.width),
      Math.floor(((y + 0.5) / height) * size.height),
    ];
    return mask[row * size.width + column] === 1;
  };
}

/** A light line on the inner side of the edge, a dark one on the outer. */
function outline({ width, height, data }: Rgba, inside: (x: number, y: number) => boolean): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const here = inside(x, y);
      const isEdge = [inside(x - 1, y), inside(x + 1, y), inside(x, y - 1), inside(x, y + 1)].some((on) => on !== here);
      if (isEdge) data.fill(here ? line : halo, 4 * (y * width + x), 4 * (y * width + x) + 3);
    }
  }
}
