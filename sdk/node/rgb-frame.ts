/** A frame of FFmpeg as RGB. */
import type { Frame } from 'node-av';
import type { RgbImage } from '../contract/clip.ts';

/** At its own size, in whatever format it came. Does not free it. */
export async function rgbOf(av: typeof import('node-av'), frame: Frame): Promise<RgbImage> {
  const { width, height } = frame;
  using scaler = new av.SoftwareScaleContext();
  const rgbFormat = av.AV_PIX_FMT_RGB24;
  scaler.getContext(width, height, frame.format as typeof rgbFormat, width, height, rgbFormat, av.SWS_BILINEAR);
  using rgb = new av.Frame();
  rgb.alloc();
  rgb.width = width;
  rgb.height = height;
  rgb.format = rgbFormat;
  rgb.getBuffer(1);
  await scaler.scaleFrame(rgb, frame);
  return { width, height, data: new Uint8Array(rgb.toBuffer()) };
}
