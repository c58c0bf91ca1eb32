/**
 * Pictures to learn from, drawn from few: pieces of them at any size, place and angle, in other colours, blurred or compressed, sometimes two in one. The same
 * seed and number give the same picture.
 */
import type { RgbImage } from '../../contract/clip.ts';
import { gaussian } from '../../random.ts';
import { type Dice, diceOf } from '../../toybox/dice.ts';
import { compress } from './compression.ts';
import { pickShared, type Shared } from './draw.ts';

/** A picture; `shown` says of each pixel what it shows: 0 nothing that has a class, 1 the first class. Without it that is not known. */
export type Drawing = RgbImage & { shown?: Uint8Array };
/** A supply of pictures: `draw` gives one of them, the same for the same dice. */
export type PictureSource = Shared & { draw(dice: Dice): Drawing | Promise<Drawing> };

/** Stands in `shown` where it is not known what a pixel shows. */
export const unknown = 255;

/** A piece of a picture in the making: [side, side, 3] in 0..255, and what its pixels show. */
type Piece = { rgb: Float32Array; shown: Uint8Array };

/** Sample number `index` as a square of `side` pixels. */
export async function pictureSample(
  sources: readonly PictureSource[],
  side: number,
  seed: number,
  index: number,
): Promise<RgbImage & { shown: Uint8Array }> {
  const dice = diceOf(`${seed} picture ${index}`);
  const one = async (): Promise<Piece> => piece(await pickShared(sources, dice).draw(dice), side, dice);
  const { rgb, shown } = await one();
  if (shown.some((value) => value > 0 && value !== unknown) && dice.chance(0.3)) putBehind({ rgb, shown }, await one());
  if (dice.chance(0.1)) paste({ rgb, shown }, await one(), side, dice);
  else if (dice.chance(0.12)) blend({ rgb, shown }, await one(), dice.between(0.15, 0.5));
  recolour(rgb, dice);
  if (dice.chance(0.12)) blur(rgb, side, dice.whole(1, 2));
  if (side % 16 === 0 && dice.chance(0.2)) compress(rgb, side, side, dice.between(0.5, 5));
  return { width: side, height: side, data: Uint8Array.from(new Uint8ClampedArray(rgb)), shown };
}

/** A turned, stretched, perhaps mirrored part of a picture. */
function piece(source: Drawing, side: number, dice: Dice): Piece {
  const [across, down] = dice.chance(0.35) ? nearlyAll(source, dice) : part(source, dice);
  const angle = dice.chance(0.3) ? dice.between(-0.6, 0.6) : 0;
  const mirror = dice.chance(0.5) ? -1 : 1;
  const level = levelFor(source, Math.sqrt(across * down) / side);
  const scale = level.width / source.width;
  const [dx, dy] = [(across * scale) / side, (down * scale) / side];
  const margin = (extent: number, step: number): number => Math.max(0, extent - step * side) / 2;
  const centreX = level.width / 2 + dice.between(-1, 1) * margin(level.width, dx);
  const centreY = level.height / 2 + dice.between(-1, 1) * margin(level.height, dy);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const rgb = new Float32Array(side * side * 3);
  const shown = new Uint8Array(side * side).fill(unknown);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const u = (x + 0.5 - side / 2) * dx * mirror;
      const v = (y + 0.5 - side / 2) * dy;
      const [column, row] = [centreX + u * cos - v * sin, centreY + u * sin + v * cos];
      bilinear(level, column - 0.5, row - 0.5, rgb, (y * side + x) * 3);
      if (!source.shown) continue;
      const [i, j] = [
        mirrored(Math.floor(row / scale), source.height),
        mirrored(Math.floor(column / scale), source.width),
      ];
      shown[y * side + x] = source.shown[i * source.width + j]!;
    }
  }
  return { rgb, shown };
}

/** Width and height that are seen, in pixels of the picture: about the whole of it, squashed to the square as it is when a backbone is used. */
function nearlyAll({ width, height }: RgbImage, dice: Dice): [number, number] {
  const share = dice.between(0.8, 1.05);
  return [width * share * Math.exp(dice.between(-0.08, 0.08)), height * share * Math.exp(dice.between(-0.08, 0.08))];
}

/** About a square of it. */
function part({ width, height }: RgbImage, dice: Dice): [number, number] {
  const area = dice.chance(0.5) ? dice.between(0.25, 1) : dice.between(0.04, 0.5);
  const stretch = Math.exp(dice.between(-0.3, 0.3));
  const length = Math.min(width, height) * Math.sqrt(area);
  return [length * stretch, length / stretch];
}

/** Writes the colour at a place between pixels; beyond the edges the picture is mirrored. */
function bilinear({ width, height, data }: RgbImage, x: number, y: number, out: Float32Array, at: number): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, low] = [x - left, y - top];
  const [x0, x1] = [mirrored(left, width), mirrored(left + 1, width)];
  const [y0, y1] = [mirrored(top, height) * width, mirrored(top + 1, height) * width];
  const [a, b, c, d] = [(y0 + x0) * 3, (y0 + x1) * 3, (y1 + x0) * 3, (y1 + x1) * 3];
  for (let i = 0; i < 3; i++) {
    const above = data[a + i]! + (data[b + i]! - data[a + i]!) * right;
    const below = data[c + i]! + (data[d + i]! - data[c + i]!) * right;
    out[at + i] = above + (below - above) * low;
  }
}

function mirrored(at: number, length: number): number {
  const place = Math.abs(at) % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
}

/** Halved versions of pictures, so that a small copy of a large part shows no aliases. */
const halves = new WeakMap<RgbImage, RgbImage>();

function levelFor(source: RgbImage, reduction: number): RgbImage {
  if (reduction < 1.8 || Math.min(source.width, source.height) < 4) return source;
  let half = halves.get(source);
  if (!half) {
    half = halved(source);
    halves.set(source, half);
  }
  return levelFor(half, reduction / 2);
}

function halved({ width, height, data }: RgbImage): RgbImage {
  const [columns, rows] = [width >> 1, height >> 1];
  const out = new Uint8Array(columns * rows * 3);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (2 * y * width + 2 * x) * 3 + c;
        const below = at + width * 3;
        out[(y * columns + x) * 3 + c] = (data[at]! + data[at + 3]! + data[below]! + data[below + 3]! + 2) >> 2;
      }
    }
  }
  return { width: columns, height: rows, data: out };
}

/** What has a class stays; where nothing has one or that is not known, the other picture is seen. */
function putBehind({ rgb, shown }: Piece, other: Piece): void {
  shown.forEach((value, i) => {
    if (value > 0 && value !== unknown) return;
    shown[i] = other.shown[i]!;
    for (let c = 3 * i; c < 3 * i + 3; c++) rgb[c] = other.rgb[c]!;
  });
}

/** A rectangle of one picture over the other. */
function paste(picture: Piece, other: Piece, side: number, dice: Dice): void {
  const [width, height] = [dice.whole(side >> 2, (side * 3) >> 2), dice.whole(side >> 2, (side * 3) >> 2)];
  const [left, top] = [dice.whole(0, side - width), dice.whole(0, side - height)];
  for (let y = top; y < top + height; y++) {
    const from = y * side + left;
    picture.rgb.set(other.rgb.subarray(3 * from, 3 * (from + width)), 3 * from);
    picture.shown.set(other.shown.subarray(from, from + width), from);
  }
}

/** Where the two show different things, nothing is known. */
function blend({ rgb, shown }: Piece, other: Piece, share: number): void {
  for (let i = 0; i < rgb.length; i++) rgb[i] = rgb[i]! * (1 - share) + other.rgb[i]! * share;
  for (let i = 0; i < shown.length; i++) if (shown[i] !== other.shown[i]) shown[i] = unknown;
}

/** Means of three neighbours along rows and columns, so many times. */
function blur(rgb: Float32Array, side: number, times: number): void {
  for (const step of Array.from({ length: times }, () => [3, 3 * side]).flat()) {
    const before = rgb.slice();
    for (let i = step; i < rgb.length - step; i++) rgb[i] = (before[i - step]! + before[i]! + before[i + step]!) / 3;
  }
}

/** Light, contrast, saturation, tint, and some noise. */
function recolour(picture: Float32Array, dice: Dice): void {
  const brightness = dice.between(-40, 40);
  const contrast = Math.exp(dice.between(-0.4, 0.4));
  const saturation = dice.chance(0.08) ? 0 : Math.exp(dice.between(-0.6, 0.5));
  const tint = [dice.between(0.85, 1.15), dice.between(0.85, 1.15), dice.between(0.85, 1.15)];
  const grain = dice.chance(0.2) ? dice.between(2, 14) : 0;
  for (let i = 0; i < picture.length; i += 3) {
    const grey = 0.299 * picture[i]! + 0.587 * picture[i + 1]! + 0.114 * picture[i + 2]!;
    for (let c = 0; c < 3; c++) {
      const colour = (grey + (picture[i + c]! - grey) * saturation) * tint[c]!;
      picture[i + c] = (colour - 128) * contrast + 128 + brightness + (grain > 0 ? grain * gaussian(dice.next) : 0);
    }
  }
}
