/**
 * From a decoded frame to a small RGB picture. Planes are read as the decoder made them and resized before the colour conversion, so that a page and Node,
 * whose decoders agree bit by bit, give the same pixels. Alpha is ignored.
 */
import type { VideoSample } from 'mediabunny';
import type { RgbImage } from '../contract/clip.ts';
import { MettleError } from '../errors.ts';
import { interleavedPlanes, makeAxis, type Plane, packRgb, resizePlane, resizeRgb } from '../front-end/resize.ts';
import { type YuvColor, yuvToRgb } from './color.ts';

/** How frames are to be turned after resizing: clockwise first, then mirrored about the vertical axis. */
export type Orientation = { rotation: 0 | 90 | 180 | 270; flip: boolean };

/** A frame whose bytes were copied out of the decoder: it can be scaled many times, and needs no closing. */
export type CopiedFrame = {
  width: number;
  height: number;
  /** Y, U, V or R, G, B. */
  planes: [Plane, Plane, Plane];
  kind: 'yuv' | 'rgb';
  bits: number;
  /** Luma samples per chroma sample along each axis. */
  chroma: { across: 1 | 2; down: 1 | 2 };
};

/** Copies a sample's visible pixels. Does not close it. Throws `unsupported-codec` for a pixel format that cannot be read. */
export async function copyFrame(sample: VideoSample): Promise<CopiedFrame> {
  const { width, height } = sample.visibleRect;
  const yuv = sample.format === null ? null : parseYuvFormat(sample.format);
  if (yuv) {
    const bytes = new Uint8Array(sample.allocationSize());
    const layout = await sample.copyTo(bytes);
    return { width, height, kind: 'yuv', bits: yuv.bits, chroma: yuv, planes: yuvPlanes(bytes, layout, height, yuv) };
  }
  // A format of the GPU alone reads as null: then the platform's own conversion is the only way.
  const format = sample.format ?? 'RGBA';
  const order = format.startsWith('BGR') ? ([2, 1, 0] as const) : ([0, 1, 2] as const);
  const options = { format: format as VideoPixelFormat };
  const bytes = new Uint8Array(sample.format === null ? width * height * 4 : sample.allocationSize(options));
  const [layout] = await copyOpaque(sample, bytes, options);
  const planes = interleavedPlanes(bytes, { offset: layout!.offset, stride: layout!.stride, step: 4, height, order });
  return { width, height, kind: 'rgb', bits: 8, chroma: { across: 1, down: 1 }, planes };
}

/** The frame at `width` x `height` after turning it: its aspect ratio is ignored. */
export function scaleFrame(
  frame: CopiedFrame,
  color: YuvColor,
  orientation: Orientation,
  width: number,
  height: number,
): RgbImage {
  const sideways = orientation.rotation % 180 === 90;
  const [w, h] = sideways ? [height, width] : [width, height];
  const planes =
    frame.kind === 'rgb' ? resizeRgb(frame.planes, frame.width, frame.height, w, h) : scaleYuv(frame, w, h);
  const rgb = frame.kind === 'rgb' ? planes : yuvToRgb(planes, color, frame.bits);
  return turn(packRgb(rgb, w, h), orientation);
}

/** Rotates clockwise, then mirrors left and right. */
export function turn(image: RgbImage, { rotation, flip }: Orientation): RgbImage {
  if (rotation === 0 && !flip) return image;
  const { width, height, data } = image;
  const [w, h] = rotation % 180 === 90 ? [height, width] : [width, height];
  const out = new Uint8Array(data.length);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const column = flip ? w - 1 - x : x;
      let from: number;
      if (rotation === 90) from = (height - 1 - column) * width + y;
      else if (rotation === 180) from = (height - 1 - y) * width + (width - 1 - column);
      else if (rotation === 270) from = column * width + (width - 1 - y);
      else from = y * width + column;
      const to = (y * w + x) * 3;
      out[to] = data[from * 3]!;
      out[to + 1] = data[from * 3 + 1]!;
      out[to + 2] = data[from * 3 + 2]!;
    }
  }
  return { width: w, height: h, data: out };
}

type YuvFormat = { across: 1 | 2; down: 1 | 2; bits: number; interleaved: boolean };

function parseYuvFormat(format: string): YuvFormat | null {
  if (format === 'NV12') return { across: 2, down: 2, bits: 8, interleaved: true };
  const match = /^I(420|422|444)A?(?:P(10|12))?$/.exec(format);
  if (!match) return null;
  const [, sampling, bits] = match;
  return {
    across: sampling === '444' ? 1 : 2,
    down: sampling === '420' ? 2 : 1,
    bits: Number(bits ?? 8),
    interleaved: false,
  };
}

function yuvPlanes(bytes: Uint8Array, layout: PlaneLayout[], height: number, yuv: YuvFormat): [Plane, Plane, Plane] {
  const wide = yuv.bits > 8;
  const data = wide ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1) : bytes;
  const unit = wide ? 2 : 1;
  const chromaHeight = Math.ceil(height / yuv.down);
  const plane = (index: number, rows: number, step: number, first: number): Plane => {
    const { offset, stride } = layout[index]!;
    return { data, offset: offset / unit + first, stride: stride / unit, step, height: rows };
  };
  const luma = plane(0, height, 1, 0);
  if (yuv.interleaved) return [luma, plane(1, chromaHeight, 2, 0), plane(1, chromaHeight, 2, 1)];
  return [luma, plane(1, chromaHeight, 1, 0), plane(2, chromaHeight, 1, 0)];
}

/** Chroma lies on every second luma column and between luma rows: the siting of MPEG-2 and later, assumed where halved. */
function scaleYuv(frame: CopiedFrame, w: number, h: number): [Float32Array, Float32Array, Float32Array] {
  const { width, height, chroma, planes } = frame;
  const { across, down } = chroma;
  const luma = resizePlane(planes[0], makeAxis(width, w), makeAxis(height, h));
  const horizontal = makeAxis(Math.ceil(width / across), w, width / across, across === 2 ? 0.25 : 0);
  const vertical = makeAxis(Math.ceil(height / down), h, height / down);
  return [luma, resizePlane(planes[1], horizontal, vertical), resizePlane(planes[2], horizontal, vertical)];
}

async function copyOpaque(sample: VideoSample, bytes: Uint8Array<ArrayBuffer>, options: VideoFrameCopyToOptions) {
  try {
    return await sample.copyTo(bytes, options);
  } catch (error) {
    throw new MettleError(
      'unsupported-codec',
      `Frames of pixel format ${sample.format ?? 'unknown'} cannot be read; expected a planar YUV or an RGB format.`,
      {
        hint: 'Re-encode the clip with 8-bit 4:2:0 pictures, for example: ffmpeg -i clip -pix_fmt yuv420p out.mp4',
        cause: error,
      },
    );
  }
}
