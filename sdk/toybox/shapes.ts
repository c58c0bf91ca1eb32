/** Shapes as signed distances, and layers: a shape with its paint. Pixels are for `canvas.ts`. Distance formulas: I. Quilez, "2D distance functions". */

export type Box = readonly [left: number, top: number, right: number, bottom: number];
export type Shape = { distance(x: number, y: number): number; box: Box };
export type Rgb = readonly [red: number, green: number, blue: number];

export type Layer = {
  shape: Shape;
  color: Rgb;
  /** How light falls on it: on a ball, an upright cylinder, a sheet, or not at all. */
  shading: 'ball' | 'tube' | 'sheet' | 'glow';
  /** Strength of the highlight, 0 to 1. */
  gloss: number;
  /** Strength of the grain of its surface, 0 to 1. */
  grain: number;
  alpha: number;
  /** Width over which the edge fades, in the object's units; 0 for a sharp edge. */
  soft: number;
  /** Part of the thing itself, so of its mask; a shadow or a glow is not. */
  solid: boolean;
};

export const layer = (shape: Shape, color: Rgb, options: Partial<Omit<Layer, 'shape' | 'color'>> = {}): Layer => ({
  shape,
  color,
  shading: 'ball',
  gloss: 0,
  grain: 0,
  alpha: 1,
  soft: 0,
  solid: true,
  ...options,
});

/** Math.hypot, ten times faster. */
const lengthOf = (x: number, y: number): number => Math.sqrt(x * x + y * y);

export const circle = (cx: number, cy: number, radius: number): Shape => ({
  distance: (x, y) => lengthOf(x - cx, y - cy) - radius,
  box: [cx - radius, cy - radius, cx + radius, cy + radius],
});

export const ellipse = (cx: number, cy: number, rx: number, ry: number): Shape => ({
  distance(x, y) {
    const [u, v] = [(x - cx) / rx, (y - cy) / ry];
    const outer = lengthOf(u, v);
    const slope = lengthOf(u / rx, v / ry);
    return slope < 1e-9 ? -Math.min(rx, ry) : (outer * (outer - 1)) / slope;
  },
  box: [cx - rx, cy - ry, cx + rx, cy + ry],
});

/** A rectangle with half-sides `hw` and `hh` and rounded corners. */
export const rectangle = (cx: number, cy: number, hw: number, hh: number, radius = 0): Shape => ({
  distance(x, y) {
    const dx = Math.abs(x - cx) - hw + radius;
    const dy = Math.abs(y - cy) - hh + radius;
    return lengthOf(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  },
  box: [cx - hw, cy - hh, cx + hw, cy + hh],
});

/** A line from a to b with round ends. */
export const capsule = (ax: number, ay: number, bx: number, by: number, radius: number): Shape => {
  const [ux, uy] = [bx - ax, by - ay];
  const length = Math.max(1e-9, ux * ux + uy * uy);
  return {
    distance(x, y) {
      const along = Math.min(1, Math.max(0, ((x - ax) * ux + (y - ay) * uy) / length));
      return lengthOf(x - ax - along * ux, y - ay - along * uy) - radius;
    },
    box: [Math.min(ax, bx) - radius, Math.min(ay, by) - radius, Math.max(ax, bx) + radius, Math.max(ay, by) + radius],
  };
};

export const polygon = (points: readonly (readonly [number, number])[]): Shape => ({
  distance(x, y) {
    let nearest = Number.POSITIVE_INFINITY;
    let sign = 1;
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const [ax, ay] = points[i]!;
      const [bx, by] = points[j]!;
      const [ex, ey, wx, wy] = [bx - ax, by - ay, x - ax, y - ay];
      const along = Math.min(1, Math.max(0, (wx * ex + wy * ey) / (ex * ex + ey * ey)));
      const [dx, dy] = [wx - ex * along, wy - ey * along];
      nearest = Math.min(nearest, dx * dx + dy * dy);
      const [above, below, left] = [y >= ay, y < by, ex * wy > ey * wx];
      if ((above && below && left) || (!above && !below && !left)) sign = -sign;
    }
    return sign * Math.sqrt(nearest);
  },
  box: [
    Math.min(...points.map(([x]) => x)),
    Math.min(...points.map(([, y]) => y)),
    Math.max(...points.map(([x]) => x)),
    Math.max(...points.map(([, y]) => y)),
  ],
});

/** The edge of a circle, `thickness` wide. */
export const ring = (cx: number, cy: number, radius: number, thickness: number): Shape => {
  const outer = radius + thickness / 2;
  return {
    distance: (x, y) => Math.abs(lengthOf(x - cx, y - cy) - radius) - thickness / 2,
    box: [cx - outer, cy - outer, cx + outer, cy + outer],
  };
};

/** What lies in one of the shapes. */
export const union = (...shapes: Shape[]): Shape => ({
  distance: (x, y) => Math.min(...shapes.map((shape) => shape.distance(x, y))),
  box: [
    Math.min(...shapes.map(({ box }) => box[0])),
    Math.min(...shapes.map(({ box }) => box[1])),
    Math.max(...shapes.map(({ box }) => box[2])),
    Math.max(...shapes.map(({ box }) => box[3])),
  ],
});

/** What lies in the first shape and in the second. */
export const both = (one: Shape, other: Shape): Shape => ({
  distance: (x, y) => Math.max(one.distance(x, y), other.distance(x, y)),
  box: one.box,
});

/** The shape turned by `angle` radians about (px, py), clockwise on the screen. */
export const turned = (shape: Shape, angle: number, px = 0, py = 0): Shape => {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const [left, top, right, bottom] = shape.box;
  const corners = [
    [left, top],
    [right, top],
    [left, bottom],
    [right, bottom],
  ].map(([x, y]) => [px + (x! - px) * c - (y! - py) * s, py + (x! - px) * s + (y! - py) * c] as const);
  return {
    distance(x, y) {
      const [u, v] = [x - px, y - py];
      return shape.distance(px + u * c + v * s, py - u * s + v * c);
    },
    box: polygon(corners).box,
  };
};

/** Hue and saturation 0 to 1, value 0 to 1. */
export function hsv(hue: number, saturation: number, value: number): Rgb {
  const channel = (n: number) => {
    const k = (n + (((hue % 1) + 1) % 1) * 6) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}
