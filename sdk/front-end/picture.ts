/** The picture front end: from an RGB picture to the tensor that a visual backbone reads. */

import type { RgbImage } from '../contract/clip.ts';
import type { PictureFrontEnd } from '../contract/manifest.ts';
import { resizeImage } from './resize.ts';

/** `(rgb / 255 - mean) / std`, channels first: [1, 3, height, width]. A picture of another size is squeezed to `frontEnd`'s first. */
export function pictureToTensor(image: RgbImage, frontEnd: PictureFrontEnd): Float32Array<ArrayBuffer> {
  const { width, height, mean, std } = frontEnd;
  const { data } = resizeImage(image, width, height);
  const size = width * height;
  const tensor = new Float32Array(3 * size);
  for (let channel = 0; channel < 3; channel++) {
    const scale = 1 / (255 * std[channel]!);
    const shift = mean[channel]! / std[channel]!;
    for (let i = 0; i < size; i++) tensor[channel * size + i] = data[i * 3 + channel]! * scale - shift;
  }
  return tensor;
}
