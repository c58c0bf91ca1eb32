/**
 * Things cut out of photographs that show them before a plain ground: what is joined to the border and looks like it is the ground. Whatever was cut is exactly what a clip
 * shows, so a mask made of it is true even where the cut is not.
 */
import type { RgbImage } from '../../sdk/contract/clip.ts';

/** `rgb` [height, width, 3] and `alpha` [height, width], 0 to 255. */
export type CutOut = { width: number; height: number; rgb: Uint8Array; alpha: Uint8Array };

/** So much of the border must be within reach of its middle value. */
const borderShare = 0.93;
/** How far a pixel of the ground may be from the border's, and from its neighbour, in levels of a channel. */
const reach = 36;
const step = 14;
const [least, most] = [0.1, 0.8];
/** Of what is cut, so much must hang together. */
const togetherShare = 0.9;

/** Null where the ground is not plain, or what is left is too little, too much or in pieces. */
export function cutOut({ width, height, data }: RgbImage): CutOut | null {
  const border = borderOf(width, height);
  const ground = [0, 1, 2].map((channel) => median(border.map((at) => data[3 * at + channel]!))) as [
    number,
    number,
    number,
  ];
  const isNear = (at: number, bound: number): boolean =>
    ground.every((value, channel) => Math.abs(data[3 * at + channel]! - value) <= bound);
  if (border.filter((at) => isNear(at, reach)).length < borderShare * border.length) return null;
  const isGround = new Uint8Array(width * height);
  const queue = border.filter((at) => isNear(at, reach));
  for (const at of queue) isGround[at] = 1;
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const next of neighbours(at, width, height)) {
      if (isGround[next] || !isNear(next, reach) || difference(data, at, next) > step) continue;
      isGround[next] = 1;
      queue.push(next);
    }
  }
  return cutByMask(
    { width, height, data },
    isGround.map((on) => 1 - on),
  );
}

/** `mask` [height, width] is 1 where the thing is. Null as above. */
export function cutByMask({ width, height, data }: RgbImage, mask: Uint8Array): CutOut | null {
  const body = largestBody(mask, width, height);
  if (!body) return null;
  const share = body.reduce((sum, on) => sum + on, 0) / body.length;
  return share < least || share > most ? null : trim(data, soften(body, width, height), width, height);
}

function borderOf(width: number, height: number): number[] {
  const border: number[] = [];
  for (let x = 0; x < width; x++) border.push(x, (height - 1) * width + x);
  for (let y = 1; y < height - 1; y++) border.push(y * width, y * width + width - 1);
  return border;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

function* neighbours(at: number, width: number, height: number): Generator<number> {
  const x = at % width;
  if (x > 0) yield at - 1;
  if (x < width - 1) yield at + 1;
  if (at >= width) yield at - width;
  if (at < width * (height - 1)) yield at + width;
}

const difference = (data: Uint8Array, a: number, b: number): number =>
  Math.max(...[0, 1, 2].map((channel) => Math.abs(data[3 * a + channel]! - data[3 * b + channel]!)));

/** The largest connected part, or null where it is not most of what there is. */
function largestBody(mask: Uint8Array, width: number, height: number): Uint8Array | null {
  const part = new Int32Array(width * height);
  let [count, best, bestSize, total] = [0, 0, 0, 0];
  for (let first = 0; first < part.length; first++) {
    if (!mask[first] || part[first]) continue;
    part[first] = ++count;
    let size = 0;
    const queue = [first];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      size++;
      for (const next of neighbours(at, width, height)) {
        if (!mask[next] || part[next]) continue;
        part[next] = count;
        queue.push(next);
      }
    }
    total += size;
    if (size > bestSize) [best, bestSize] = [count, size];
  }
  if (bestSize === 0 || bestSize < togetherShare * total) return null;
  return Uint8Array.from(part, (value) => (value === best ? 1 : 0));
}

/** Edges drawn in by half a pixel and made soft, against the fringe that the ground leaves. */
function soften(body: Uint8Array, width: number, height: number): Uint8Array {
  const alpha = new Uint8Array(body.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [sum, count] = [0, 0];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++, count++) sum += body[v * width + u]!;
      }
      alpha[y * width + x] = Math.max(0, Math.min(255, Math.round((sum / count - 0.45) * 2 * 255)));
    }
  }
  return alpha;
}

/** Without the empty margins. */
function trim(data: Uint8Array, alpha: Uint8Array, width: number, height: number): CutOut {
  let [left, top, right, bottom] = [width, height, 0, 0];
  alpha.forEach((value, at) => {
    if (value < 128) return;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  });
  const size = { width: right - left, height: bottom - top };
  const rgb = new Uint8Array(size.width * size.height * 3);
  const cut = new Uint8Array(size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    const from = (y + top) * width + left;
    rgb.set(data.subarray(3 * from, 3 * (from + size.width)), 3 * y * size.width);
    cut.set(alpha.subarray(from, from + size.width), y * size.width);
  }
  return { ...size, rgb, alpha: cut };
}
