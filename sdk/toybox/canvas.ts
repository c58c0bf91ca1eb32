/** The rasteriser: layers onto pixels, with soft edges, light, grain and a record of whose pixel it is. It knows neither objects nor time. */
import type { Layer } from './shapes.ts';
import type { Light } from './types.ts';

/** Width of the world; its height is 1. */
export const worldWidth = 4 / 3;

/** `rgb` is [height, width, 3]; `owner` [height, width] holds the number of the thing in front, 0 for the background. The world is stretched to the canvas. */
export type Canvas = {
  width: number;
  height: number;
  rgb: Uint8ClampedArray<ArrayBuffer>;
  owner: Uint8Array<ArrayBuffer>;
};

export const createCanvas = (width: number, height: number): Canvas => ({
  width,
  height,
  rgb: new Uint8ClampedArray(width * height * 3),
  owner: new Uint8Array(width * height),
});

/** Puts an object's unit square somewhere: centre, size (its height) and angle in radians. */
export type Placement = { x: number; y: number; size: number; angle: number };

/** Draws a layer; pixels that it covers by half or more get the number `owner`. */
export function drawLayer(canvas: Canvas, layer: Layer, place: Placement, light: Light, owner: number): void {
  const { width, height, rgb } = canvas;
  const { shape, soft, alpha, solid } = layer;
  const [c, s] = [Math.cos(place.angle), Math.sin(place.angle)];
  const edge = Math.max(soft, (0.5 / height + (0.5 * worldWidth) / width) / place.size);
  const area = pixelsOf(canvas, layer, place, edge, c, s);
  const shade = createShader(layer, light, c, s);
  for (let row = area.top; row < area.bottom; row++) {
    const dy = ((row + 0.5) / height - place.y) / place.size;
    for (let column = area.left; column < area.right; column++) {
      const dx = (((column + 0.5) / width) * worldWidth - place.x) / place.size;
      const [x, y] = [dx * c + dy * s, dy * c - dx * s];
      const cover = Math.min(1, Math.max(0, 0.5 - shape.distance(x, y) / edge)) * alpha;
      if (cover <= 0.004) continue;
      const at = row * width + column;
      const [brightness, highlight] = shade(x, y);
      for (let channel = 0; channel < 3; channel++) {
        const paint = layer.color[channel]! * brightness + highlight;
        rgb[3 * at + channel] = rgb[3 * at + channel]! * (1 - cover) + paint * cover;
      }
      if (solid && cover >= 0.5) canvas.owner[at] = owner;
    }
  }
}

function pixelsOf({ width, height }: Canvas, { shape }: Layer, place: Placement, edge: number, c: number, s: number) {
  const [left, top, right, bottom] = shape.box;
  const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
  const [hw, hh] = [(right - left) / 2 + edge, (bottom - top) / 2 + edge];
  const x = place.x + place.size * (cx * c - cy * s);
  const y = place.y + place.size * (cx * s + cy * c);
  const reachX = place.size * (Math.abs(hw * c) + Math.abs(hh * s));
  const reachY = place.size * (Math.abs(hw * s) + Math.abs(hh * c));
  return {
    left: Math.max(0, Math.floor(((x - reachX) / worldWidth) * width)),
    right: Math.min(width, Math.ceil(((x + reachX) / worldWidth) * width) + 1),
    top: Math.max(0, Math.floor((y - reachY) * height)),
    bottom: Math.min(height, Math.ceil((y + reachY) * height) + 1),
  };
}

/** Brightness and highlight at a point of the object. Normals are those of the ellipsoid or cylinder that fills the layer's box. */
function createShader({ shape, shading, gloss, grain }: Layer, light: Light, c: number, s: number) {
  if (shading === 'glow') return () => plain;
  const [left, top, right, bottom] = shape.box;
  const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
  const [hw, hh] = [(right - left) / 2 || 1, (bottom - top) / 2 || 1];
  const [lx, ly] = [light.x * c + light.y * s, light.y * c - light.x * s];
  const result: [number, number] = [1, 0];
  return (x: number, y: number): readonly [number, number] => {
    let nx = shading === 'sheet' ? 0 : (0.9 * (x - cx)) / hw;
    let ny = shading === 'ball' ? (0.9 * (y - cy)) / hh : 0;
    const length = Math.sqrt(nx * nx + ny * ny);
    if (length > 0.98) {
      nx *= 0.98 / length;
      ny *= 0.98 / length;
    }
    const facing = Math.max(0, nx * lx + ny * ly + Math.sqrt(1 - nx * nx - ny * ny) * light.z);
    result[0] = (0.5 + 0.6 * facing) * (grain > 0 ? 1 + grain * (hash(x * 40, y * 40) - 0.5) : 1);
    result[1] = gloss > 0 ? 200 * gloss * facing ** 24 : 0;
    return result;
  };
}

const plain = [1, 0] as const;

/** A number in [0, 1) for the cell that holds (x, y). */
export function hash(x: number, y: number, seed = 0): number {
  let mixed = Math.imul(Math.floor(x), 0x27d4eb2d) ^ Math.imul(Math.floor(y), 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
}

/** Smooth noise in [0, 1) with one wave per unit (value noise). */
export function valueNoise(x: number, y: number, seed: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [x - column, y - row];
  const [fx, fy] = [u * u * (3 - 2 * u), v * v * (3 - 2 * v)];
  const top = hash(column, row, seed) * (1 - fx) + hash(column + 1, row, seed) * fx;
  const bottom = hash(column, row + 1, seed) * (1 - fx) + hash(column + 1, row + 1, seed) * fx;
  return top * (1 - fy) + bottom * fy;
}
