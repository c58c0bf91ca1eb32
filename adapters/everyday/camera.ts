/** A plan as pictures: a view of 4 to 3 that moves and zooms slowly over a photograph. A view with a subject ends on it. */

import type { RgbImage } from '../../sdk/contract/clip.ts';
import { interleavedPlanes, makeAxis, packRgb, resizePlane } from '../../sdk/front-end/resize.ts';
import { createCanvas } from '../../sdk/toybox/canvas.ts';
import type { Renderer } from '../../sdk/toybox/index.ts';
import type { Box, Photo } from './pictures.ts';
import type { Shot, View } from './plan.ts';

/** Pixels of a film. */
const size = { width: 256, height: 192 };
const aspect = size.width / size.height;

type Rectangle = { x: number; y: number; width: number; height: number };

/** Draws any instant of the shots. `images` holds the pixels of their photographs. */
export function createCamera(shots: readonly Shot[], images: ReadonlyMap<Photo, RgbImage>): Renderer {
  const canvas = createCanvas(size.width, size.height);
  const paths = shots.map((shot) => {
    const image = images.get(shot.photo)!;
    const { from, to } = shot.view;
    const box = shot.subject === null ? null : shot.photo.shows.get(shot.subject)!;
    return { shot, image, start: crop(image, from), end: box ? around(image, box) : crop(image, to) };
  });
  return {
    draw(time) {
      const { shot, image, start, end } = paths.find(({ shot: { span } }) => time < span[1]) ?? paths.at(-1)!;
      const way = (time - shot.span[0]) / (shot.span[1] - shot.span[0]);
      // A subject is reached half way, and stays.
      const share = Math.min(1, shot.subject === null ? way : 2 * way);
      const between = (a: number, b: number): number => a + share * (b - a);
      const part = {
        x: between(start.x, end.x),
        y: between(start.y, end.y),
        width: between(start.width, end.width),
        height: between(start.height, end.height),
      };
      canvas.rgb.set(cutOut(image, part));
      return canvas;
    },
  };
}

/** The largest crop of the right shape. */
function largest({ width, height }: RgbImage): { width: number; height: number } {
  return width / height > aspect ? { width: height * aspect, height } : { width, height: width / aspect };
}

function crop(image: RgbImage, { zoom, x, y }: View): Rectangle {
  const most = largest(image);
  const [width, height] = [most.width * zoom, most.height * zoom];
  return { x: x * (image.width - width), y: y * (image.height - height), width, height };
}

/** The box with some room about it, not smaller than a third of the largest crop. */
function around(image: RgbImage, [left, top, boxWidth, boxHeight]: Box): Rectangle {
  const most = largest(image);
  const wanted = Math.max(most.height / 3, 1.4 * boxHeight, (1.4 * boxWidth) / aspect);
  const height = Math.min(most.height, wanted);
  const width = height * aspect;
  const place = (centre: number, extent: number, whole: number): number =>
    Math.max(0, Math.min(whole - extent, centre - extent / 2));
  return {
    x: place(left + boxWidth / 2, width, image.width),
    y: place(top + boxHeight / 2, height, image.height),
    width,
    height,
  };
}

function cutOut(image: RgbImage, { x, y, width, height }: Rectangle): Uint8Array {
  const layout = { offset: 0, stride: image.width * 3, step: 3, height: image.height, order: [0, 1, 2] as const };
  const [red, green, blue] = interleavedPlanes(image.data, layout);
  const horizontal = makeAxis(image.width, size.width, width, x);
  const vertical = makeAxis(image.height, size.height, height, y);
  const resize = (plane: typeof red): Float32Array => resizePlane(plane, horizontal, vertical);
  return packRgb([resize(red), resize(green), resize(blue)], size.width, size.height).data;
}
