/** Shots as pictures: a view of 4 to 3 that moves and zooms slowly over a photograph, with cut-outs before it that drift; light and colour as they happen to be. */
import type { RgbImage } from '../../sdk/contract/clip.ts';
import { interleavedPlanes, makeAxis, packRgb, resizePlane } from '../../sdk/front-end/resize.ts';
import { type Canvas, createCanvas } from '../../sdk/toybox/canvas.ts';
import type { Renderer } from '../../sdk/toybox/index.ts';
import type { Span } from '../../sdk/toybox/types.ts';
import type { CutOut } from './cutout.ts';
import type { Photo } from './photos.ts';

/** Pixels of a film. */
export const size = { width: 256, height: 192 };
const aspect = size.width / size.height;

/** Part of the largest crop that is seen, and where it lies along both axes, all in [0, 1]. */
export type View = { zoom: number; x: number; y: number };
export type Look = { flip: boolean; gamma: number; tint: readonly [number, number, number] };

/** A cut-out in the picture: its centre and height in heights of the picture (x reaches to 4/3), and how far it drifts in a second. */
export type Prop = {
  photo: Photo;
  /** Null for what is none of the things. */
  label: string | null;
  x: number;
  y: number;
  height: number;
  drift: readonly [number, number];
  look: Look;
};

/** A stretch of time in which one photograph is seen, with things before it, the last in front. */
export type Shot = {
  span: Span;
  photo: Photo;
  /** What the photograph shows; null for none of the things. */
  label: string | null;
  view: { from: View; to: View };
  look: Look;
  props: Prop[];
};

type Rectangle = { x: number; y: number; width: number; height: number };
export type Pictures = { photos: ReadonlyMap<Photo, RgbImage>; cutOuts: ReadonlyMap<Photo, CutOut> };

/** Draws any instant of the shots; owners are numbers of props in their shot, from 1. `pictures` holds what is seen in them. */
export function createCamera(shots: readonly Shot[], pictures: Pictures): Renderer {
  const canvas = createCanvas(size.width, size.height);
  const scenes = shots.map((shot) => {
    const image = asWide(pictures.photos.get(shot.photo)!);
    const props = shot.props.map((prop) => ({ prop, cut: scaled(pictures.cutOuts.get(prop.photo)!, prop) }));
    return { shot, image, props, start: crop(image, shot.view.from), end: crop(image, shot.view.to) };
  });
  return {
    draw(time) {
      const { shot, image, props, start, end } = scenes.find(({ shot: { span } }) => time < span[1]) ?? scenes.at(-1)!;
      const way = (time - shot.span[0]) / (shot.span[1] - shot.span[0]);
      const between = (a: number, b: number): number => a + way * (b - a);
      const part = {
        x: between(start.x, end.x),
        y: between(start.y, end.y),
        width: between(start.width, end.width),
        height: between(start.height, end.height),
      };
      canvas.rgb.set(seenThrough(image, part, shot.look));
      canvas.owner.fill(0);
      for (const [i, { prop, cut }] of props.entries()) paste(canvas, cut, prop, time - shot.span[0], i + 1);
      return canvas;
    },
  };
}

/** Tall and very wide pictures with margins in the colour of their border, so that a view of 4 to 3 can show the whole of them. */
function asWide(image: RgbImage): RgbImage {
  const { width, height, data } = image;
  if (width / height >= 1 && width / height <= 1.8) return image;
  const [wide, high] = [Math.max(width, Math.round(height * aspect)), Math.max(height, Math.round(width / aspect))];
  const colour = [0, 1, 2].map((channel) => {
    let sum = 0;
    for (let y = 0; y < height; y++)
      sum += data[3 * y * width + channel]! + data[3 * (y * width + width - 1) + channel]!;
    return sum / (2 * height);
  });
  const padded = new Uint8Array(wide * high * 3);
  for (let i = 0; i < wide * high; i++) padded.set(colour, 3 * i);
  const [left, top] = [(wide - width) >> 1, (high - height) >> 1];
  for (let y = 0; y < height; y++)
    padded.set(data.subarray(3 * y * width, 3 * (y + 1) * width), 3 * ((y + top) * wide + left));
  return { width: wide, height: high, data: padded };
}

function crop({ width, height }: RgbImage, { zoom, x, y }: View): Rectangle {
  const most = width / height > aspect ? { width: height * aspect, height } : { width, height: width / aspect };
  const [across, down] = [most.width * zoom, most.height * zoom];
  return { x: x * (width - across), y: y * (height - down), width: across, height: down };
}

function seenThrough(image: RgbImage, { x, y, width, height }: Rectangle, look: Look): Uint8Array {
  const layout = { offset: 0, stride: image.width * 3, step: 3, height: image.height, order: [0, 1, 2] as const };
  const [red, green, blue] = interleavedPlanes(image.data, layout);
  const horizontal = makeAxis(image.width, size.width, width, x);
  const vertical = makeAxis(image.height, size.height, height, y);
  const resize = (plane: typeof red): Float32Array => resizePlane(plane, horizontal, vertical);
  const { data } = packRgb([resize(red), resize(green), resize(blue)], size.width, size.height);
  return applyLook(data, size.width, look);
}

/** Changes the pixels in place. */
function applyLook(rgb: Uint8Array, width: number, { flip, gamma, tint }: Look): Uint8Array {
  const tables = tint.map((gain) => Uint8ClampedArray.from({ length: 256 }, (_, i) => 255 * gain * (i / 255) ** gamma));
  for (let i = 0; i < rgb.length; i++) rgb[i] = tables[i % 3]![rgb[i]!]!;
  if (flip) for (let at = 0; at < rgb.length; at += 3 * width) mirror(rgb.subarray(at, at + 3 * width), 3);
  return rgb;
}

function mirror(row: Uint8Array, step: number): void {
  for (let a = 0, b = row.length - step; a < b; a += step, b -= step) {
    for (let k = 0; k < step; k++) [row[a + k], row[b + k]] = [row[b + k]!, row[a + k]!];
  }
}

/** No prop is wider than this share of the picture. */
const widest = 0.8;

/** At the size that it has in the picture. */
function scaled({ width, height, rgb, alpha }: CutOut, { height: share, look }: Prop): CutOut {
  const fitting = (widest * size.width * height) / width;
  const high = Math.max(8, Math.round(Math.min(share * size.height, fitting)));
  const wide = Math.max(8, Math.round((high * width) / height));
  const [across, down] = [makeAxis(width, wide), makeAxis(height, high)];
  const plane = (data: Uint8Array, offset: number, step: number): Float32Array =>
    resizePlane({ data, offset, stride: width * step, step, height }, across, down);
  const { data } = packRgb([plane(rgb, 0, 3), plane(rgb, 1, 3), plane(rgb, 2, 3)], wide, high);
  const cover = Uint8Array.from(plane(alpha, 0, 1));
  if (look.flip) for (let at = 0; at < cover.length; at += wide) mirror(cover.subarray(at, at + wide), 1);
  return { width: wide, height: high, rgb: applyLook(data, wide, look), alpha: cover };
}

function paste(canvas: Canvas, cut: CutOut, { x, y, drift }: Prop, seconds: number, owner: number): void {
  const left = Math.round((x + drift[0] * seconds) * size.height - cut.width / 2);
  const top = Math.round((y + drift[1] * seconds) * size.height - cut.height / 2);
  for (let row = Math.max(0, -top); row < Math.min(cut.height, size.height - top); row++) {
    for (let column = Math.max(0, -left); column < Math.min(cut.width, size.width - left); column++) {
      const [from, to] = [row * cut.width + column, (row + top) * size.width + column + left];
      const share = cut.alpha[from]! / 255;
      for (let k = 0; k < 3; k++) {
        canvas.rgb[3 * to + k] = canvas.rgb[3 * to + k]! * (1 - share) + cut.rgb[3 * from + k]! * share;
      }
      if (share >= 0.5) canvas.owner[to] = owner;
    }
  }
}
