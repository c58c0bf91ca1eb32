/** Frames that a browser holds, as pixels. */

import type { HandedFrame, RgbImage } from '../contract/clip.ts';
import { isKind } from './handed-source.ts';

type Pixels = ImageData | RgbImage;

/** Width and height in pixels, as shown. */
export function sizeOfFrame(frame: HandedFrame): { width: number; height: number } {
  if ('displayWidth' in frame) return { width: frame.displayWidth, height: frame.displayHeight };
  return { width: frame.width, height: frame.height };
}

export const isBrowserFrame = (frame: HandedFrame): frame is VideoFrame | ImageBitmap =>
  isKind(frame, 'VideoFrame') || isKind(frame, 'ImageBitmap');

/** RGBA by the browser's own conversion; arrays as they are. */
export function pixelsOf(frame: HandedFrame): Pixels {
  if (!isBrowserFrame(frame)) return frame as Pixels;
  const { width, height } = sizeOfFrame(frame);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(frame, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
