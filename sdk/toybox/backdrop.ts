/** What stands behind and before the objects: procedural walls, floors and landscapes, silent clutter, and the things that hide parts of an object. */
import { type Canvas, createCanvas, drawLayer, hash, valueNoise, worldWidth } from './canvas.ts';
import { capsule, circle, ellipse, hsv, type Layer, layer, polygon, type Rgb, rectangle } from './shapes.ts';
import type { Backdrop, Clutter, Light, Occluder } from './types.ts';

/** Brightness at a place, about 0 to 1.2; (x, y) in heights of the picture, `seed` a whole number. */
type Texture = (x: number, y: number, seed: number) => number;

const layered = (x: number, y: number, seed: number): number =>
  0.55 * valueNoise(x, y, seed) +
  0.3 * valueNoise(2.3 * x, 2.3 * y, seed + 1) +
  0.15 * valueNoise(5.1 * x, 5.1 * y, seed + 2);

const fraction = (value: number): number => value - Math.floor(value);

const textures: Record<string, Texture> = {
  plaster: (x, y, seed) => 0.65 + 0.5 * layered(3 * x, 3 * y, seed) - 0.15 * valueNoise(40 * x, 40 * y, seed + 5),
  planks(x, y, seed) {
    const row = Math.floor(y * 6);
    const grain = valueNoise(2 * x + 9 * row, 60 * y, seed);
    return fraction(y * 6) < 0.06 ? 0.35 : 0.55 + 0.25 * hash(row, 0, seed) + 0.3 * grain;
  },
  tiles(x, y, seed) {
    const edge = Math.min(fraction(5 * x), fraction(5 * y));
    return edge < 0.07
      ? 0.5
      : 0.75 + 0.3 * hash(Math.floor(5 * x), Math.floor(5 * y), seed) - 0.1 * layered(6 * x, 6 * y, seed);
  },
  hills(x, y, seed) {
    for (let range = 3; range >= 1; range--) {
      const ridge = 0.25 + 0.17 * range + 0.14 * valueNoise(x * (1.5 + range), range * 7, seed) - 0.07;
      if (y > ridge) return 0.3 + 0.12 * (3 - range) + 0.3 * valueNoise(14 * x, 14 * y, seed + range);
    }
    return 1.1 - 0.35 * y;
  },
  carpet: (x, y, seed) =>
    0.7 + 0.25 * Math.sin(26 * x) * Math.sin(26 * y) + 0.25 * (valueNoise(60 * x, 60 * y, seed) - 0.5),
  stripes: (x, y, seed) => (fraction(7 * x) < 0.5 ? 0.95 : 0.65) + 0.12 * layered(9 * x, 9 * y, seed),
  bricks(x, y, seed) {
    const row = Math.floor(8 * y);
    const along = 4 * x + (row % 2) * 0.5;
    if (fraction(8 * y) < 0.12 || fraction(along) < 0.06) return 0.95;
    return 0.45 + 0.3 * hash(Math.floor(along), row, seed) + 0.25 * valueNoise(30 * x, 30 * y, seed);
  },
  clouds: (x, y, seed) => 0.55 + 0.75 * layered(2.2 * x, 3.4 * y, seed) ** 1.5,
  stones(x, y, seed) {
    // Distance to the nearest of one point per cell, and to the second nearest.
    let [near, second, who] = [9, 9, 0];
    const [column, row] = [Math.floor(5 * x), Math.floor(5 * y)];
    for (let i = column - 1; i <= column + 1; i++) {
      for (let j = row - 1; j <= row + 1; j++) {
        const [dx, dy] = [i + hash(i, j, seed) - 5 * x, j + hash(i, j, seed + 1) - 5 * y];
        const distance = Math.sqrt(dx * dx + dy * dy);
        if (distance < near) [second, near, who] = [near, distance, hash(i, j, seed + 2)];
        else if (distance < second) second = distance;
      }
    }
    return second - near < 0.08 ? 0.35 : 0.55 + 0.4 * who + 0.15 * valueNoise(25 * x, 25 * y, seed);
  },
  dunes: (x, y, seed) => 0.75 + 0.3 * Math.sin(18 * y + 6 * valueNoise(2 * x, 2 * y, seed)) * (0.4 + 0.6 * y),
};

/** Names of all kinds of background. */
export const backdropKinds: readonly string[] = Object.keys(textures);

/** The picture without any object, [height, width, 3]. */
export function drawBackdrop(backdrop: Backdrop, light: Light, width: number, height: number): Canvas {
  const canvas = createCanvas(width, height);
  const texture = textures[backdrop.kind]!;
  const tint = hsv(backdrop.hue, backdrop.saturation, backdrop.brightness);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = [((column + 0.5) / width) * worldWidth, (row + 0.5) / height];
      const [u, v] = [x / worldWidth - 0.5, y - 0.5];
      const lit = (1 + 0.45 * (u * light.x + v * light.y)) * (1 - 0.35 * (u * u + v * v));
      const value = texture(x / backdrop.scale, y / backdrop.scale, backdrop.seed) * lit;
      for (let channel = 0; channel < 3; channel++) {
        canvas.rgb[3 * (row * width + column) + channel] =
          tint[channel]! * value * (1 + 0.07 * light.warmth * (1 - channel));
      }
    }
  }
  for (const thing of backdrop.clutter) drawThings(canvas, clutterLayers(thing), thing, light);
  return canvas;
}

/** Draws what hides a part of an actor; its pixels belong to nobody. */
export function drawOccluder(canvas: Canvas, occluder: Occluder, light: Light): void {
  drawThings(canvas, occluderLayers(occluder), occluder, light);
}

function drawThings(
  canvas: Canvas,
  layers: Layer[],
  place: { x: number; y: number; size: number },
  light: Light,
): void {
  for (const part of layers) drawLayer(canvas, part, { x: place.x, y: place.y, size: place.size, angle: 0 }, light, 0);
}

function clutterLayers({ kind, hue }: Clutter): Layer[] {
  const color = hsv(hue, 0.45, 0.6);
  const pale: Rgb = [225, 220, 208];
  switch (kind) {
    case 'box':
      return [
        layer(rectangle(0, 0, 0.5, 0.4, 0.02), color, { shading: 'sheet', grain: 0.1 }),
        layer(rectangle(0, -0.3, 0.5, 0.04), color.map((value) => value * 0.7) as unknown as Rgb, { shading: 'sheet' }),
      ];
    case 'frame':
      return [
        layer(rectangle(0, 0, 0.5, 0.36), [70, 52, 38], { shading: 'sheet', grain: 0.2 }),
        layer(rectangle(0, 0, 0.42, 0.28), pale, { shading: 'sheet' }),
        layer(ellipse(0.05, 0.05, 0.2, 0.12), color, { alpha: 0.8, soft: 0.1 }),
      ];
    case 'cone':
      return [
        layer(
          polygon([
            [0, -0.5],
            [0.35, 0.5],
            [-0.35, 0.5],
          ]),
          color,
          { shading: 'tube' },
        ),
      ];
    case 'vase':
      return [
        layer(ellipse(0, 0.15, 0.28, 0.35), color, { gloss: 0.4 }),
        layer(rectangle(0, -0.3, 0.11, 0.2, 0.03), color, { shading: 'tube', gloss: 0.3 }),
      ];
  }
}

function occluderLayers({ kind, hue }: Occluder): Layer[] {
  if (kind === 'post') {
    return [layer(rectangle(0, 0, 0.15, 3), hsv(hue, 0.25, 0.5), { shading: 'tube', grain: 0.12 })];
  }
  if (kind === 'plank') {
    return [
      layer(rectangle(0, 0, 0.8, 0.15, 0.02), hsv(0.07 + 0.05 * hue, 0.5, 0.5), { shading: 'sheet', grain: 0.25 }),
    ];
  }
  const green = hsv(0.24 + 0.14 * hue, 0.6, 0.5);
  const leaves = [layer(capsule(0, 0.6, 0, 0, 0.02), [70, 90, 40], { shading: 'sheet' })];
  for (let leaf = 0; leaf < 7; leaf++) {
    const angle = -Math.PI * (0.06 + 0.147 * leaf);
    leaves.push(
      layer(ellipse(0.17 * Math.cos(angle), 0.2 * Math.sin(angle), 0.1, 0.06 + 0.02 * (leaf % 2)), green, {
        grain: 0.2,
      }),
    );
  }
  return [...leaves, layer(circle(0, 0, 0.07), green, { grain: 0.2 })];
}
