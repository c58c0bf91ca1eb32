/** Pictures that need no camera: scenes of the toybox, fractals (after Kataoka et al., "Pre-training without Natural Images", ACCV 2020), and heaps of overlapping shapes. */
import { type Dice, diceOf } from '../../toybox/dice.ts';
import { composeClip, createRenderer, TOYBOX_LAYOUTS, toyboxClasses } from '../../toybox/index.ts';
import type { Drawing, PictureSource } from './pictures.ts';

const [width, height] = [256, 192];

/** So many different pictures, each made when it is first drawn, then kept. */
function kept(count: number, make: (number: number) => Drawing): PictureSource {
  const made = new Map<number, Drawing>();
  return {
    draw(dice) {
      const number = dice.whole(0, count - 1);
      const found = made.get(number) ?? make(number);
      made.set(number, found);
      return found;
    },
  };
}

/** Instants of toybox clips of the training split alone, with what they show: the number of its class, from 1, where an object is in front. */
export const toyboxPictures = (seed: number, count: number): PictureSource =>
  kept(count, (number) => {
    const dice = diceOf(`${seed} scene ${number}`);
    const clip = composeClip(seed, dice.pick(TOYBOX_LAYOUTS), trainIndex(number));
    const canvas = createRenderer(clip, width, height).draw(dice.between(0, clip.seconds));
    const classes = clip.actors.map(({ label }) => toyboxClasses.indexOf(label) + 1);
    const shown = Uint8Array.from(canvas.owner, (owner) => (owner === 0 ? 0 : classes[owner - 1]!));
    return { width, height, data: Uint8Array.from(canvas.rgb), shown };
  });

/** The clips of the training split by their own count: of ten in a row, the first eight. */
export const trainIndex = (number: number): number => Math.floor(number / 8) * 10 + (number % 8);

export const fractals = (seed: number, count: number): PictureSource =>
  kept(count, (number) => fractal(diceOf(`${seed} fractal ${number}`)));

export const shapeHeaps = (seed: number, count: number): PictureSource =>
  kept(count, (number) => shapeHeap(diceOf(`${seed} heap ${number}`)));

type Colour = [number, number, number];
const colourOf = (dice: Dice): Colour => [dice.between(0, 255), dice.between(0, 255), dice.between(0, 255)];

/** Points that random affine maps draw together, over a plain ground. */
function fractal(dice: Dice): Drawing {
  const maps = Array.from({ length: dice.whole(2, 6) }, () => {
    const [a, b, c, d] = [0, 0, 0, 0].map(() => dice.between(-0.8, 0.8)) as [number, number, number, number];
    return { a, b, c, d, e: dice.between(-1, 1), f: dice.between(-1, 1), colour: colourOf(dice) };
  });
  const points: { x: number; y: number; colour: Colour }[] = [];
  let [x, y] = [0, 0];
  let colour: Colour = colourOf(dice);
  for (let i = 0; i < 20_000; i++) {
    const map = dice.pick(maps);
    [x, y] = [map.a * x + map.b * y + map.e, map.c * x + map.d * y + map.f];
    if (!(Math.abs(x) + Math.abs(y) < 1e3)) [x, y] = [0, 0];
    colour = colour.map((value, c) => (value + map.colour[c]!) / 2) as Colour;
    if (i > 20) points.push({ x, y, colour });
  }
  const data = groundOf(dice);
  const range = (of: (point: { x: number; y: number }) => number): [number, number] => {
    const sorted = points.filter((_, i) => i % 50 === 0).map(of);
    return [Math.min(...sorted), Math.max(...sorted)];
  };
  const [left, right] = range((point) => point.x);
  const [top, low] = range((point) => point.y);
  for (const point of points) {
    const column = Math.round(((point.x - left) / (right - left || 1)) * (width - 1));
    const row = Math.round(((point.y - top) / (low - top || 1)) * (height - 1));
    if (column < 0 || column >= width - 1 || row < 0 || row >= height - 1) continue;
    for (const at of [0, 1, width, width + 1]) data.set(point.colour, (row * width + column + at) * 3);
  }
  return { width, height, data, shown: new Uint8Array(width * height) };
}

/** Discs, boxes and rings of all sizes, small ones often, each with stripes or shade. */
function shapeHeap(dice: Dice): Drawing {
  const data = groundOf(dice);
  for (let count = dice.whole(10, 60); count > 0; count--) drawShape(data, dice);
  return { width, height, data, shown: new Uint8Array(width * height) };
}

function drawShape(data: Uint8Array, dice: Dice): void {
  const size = Math.min(120, 5 / (0.03 + dice.next()));
  const [cx, cy] = [dice.between(0, width), dice.between(0, height)];
  const [colour, other] = [colourOf(dice), colourOf(dice)];
  const [angle, stretch] = [dice.between(0, Math.PI), Math.exp(dice.between(-0.7, 0.7))];
  const kind = dice.pick(['disc', 'box', 'ring', 'star'] as const);
  const points = dice.whole(3, 7);
  const waves = dice.chance(0.5) ? dice.between(1, 8) : 0;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const reach = Math.ceil(size * 1.6);
  for (let y = Math.max(0, Math.floor(cy - reach)); y < Math.min(height, cy + reach); y++) {
    for (let x = Math.max(0, Math.floor(cx - reach)); x < Math.min(width, cx + reach); x++) {
      const u = (((x - cx) * cos + (y - cy) * sin) / size) * stretch;
      const v = ((y - cy) * cos - (x - cx) * sin) / size / stretch;
      const radius = Math.hypot(u, v);
      const limit = kind === 'star' ? 0.7 + 0.3 * Math.cos(points * Math.atan2(v, u)) : 1;
      const inside = kind === 'box' ? Math.max(Math.abs(u), Math.abs(v)) < 0.8 : radius < limit;
      if (!inside || (kind === 'ring' && radius < 0.6)) continue;
      const share = waves > 0 ? 0.5 + 0.5 * Math.sin(waves * Math.PI * u) : Math.min(1, Math.max(0, 0.5 + v / 2));
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) data[at + c] = colour[c]! * (1 - share) + other[c]! * share;
    }
  }
}

/** A slope from one colour to another. */
function groundOf(dice: Dice): Uint8Array<ArrayBuffer> {
  const [from, to] = [colourOf(dice), colourOf(dice)];
  const angle = dice.between(0, 2 * Math.PI);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const share = 0.5 + 0.5 * (Math.cos(angle) * (x / width - 0.5) + Math.sin(angle) * (y / height - 0.5));
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = from[c]! * (1 - share) + to[c]! * share;
    }
  }
  return data;
}
