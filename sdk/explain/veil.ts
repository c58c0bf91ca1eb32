/** One colour laid over a canvas or over pixels, at each place as thick as a coarse grid says. */
import type { DrawContext, Pixels } from '../tasks/canvas.ts';
import type { Rgb } from '../tasks/color.ts';

/** Opacity, 0 to 1: [rows, columns]. */
export type Veil = { rows: number; columns: number; data: Float32Array };

/** Pixels of the target. */
export type Box = { x: number; y: number; width: number; height: number };

/** Stretches a veil over a box of the target; between the middles of its cells it is linear. */
export function layVeil(target: DrawContext | Pixels, veil: Veil, color: Rgb, box: Box): void {
  if ('data' in target) blend(target, veil, color, box);
  else stamp(target, veil, color, box);
}

function stamp(ctx: DrawContext, { rows, columns, data }: Veil, color: Rgb, { x, y, width, height }: Box): void {
  const image = new ImageData(columns, rows);
  data.forEach((opacity, cell) => {
    image.data.set(color, 4 * cell);
    image.data[4 * cell + 3] = Math.round(255 * opacity);
  });
  const layer = new OffscreenCanvas(columns, rows);
  layer.getContext('2d')!.putImageData(image, 0, 0);
  ctx.save();
  ctx.imageSmoothingEnabled = true;
  ctx.drawImage(layer, x, y, width, height);
  ctx.restore();
}

function blend(target: Pixels, veil: Veil, color: Rgb, box: Box): void {
  const [left, top] = [Math.max(0, Math.round(box.x)), Math.max(0, Math.round(box.y))];
  const right = Math.min(target.width, Math.round(box.x + box.width));
  const bottom = Math.min(target.height, Math.round(box.y + box.height));
  const columns = Array.from({ length: Math.max(0, right - left) }, (_, i) =>
    between((left + i + 0.5 - box.x) / box.width, veil.columns),
  );
  for (let y = top; y < bottom; y++) {
    const row = between((y + 0.5 - box.y) / box.height, veil.rows);
    columns.forEach((column, i) => {
      const upper = mixed(veil.data, row.first * veil.columns, column);
      const lower = mixed(veil.data, row.second * veil.columns, column);
      const opacity = upper + (lower - upper) * row.part;
      const at = 4 * (y * target.width + left + i);
      for (let channel = 0; channel < 3; channel++) {
        target.data[at + channel] = Math.round(target.data[at + channel]! * (1 - opacity) + color[channel]! * opacity);
      }
    });
  }
}

/** The two cells whose middles a place lies between, and how far it is on its way to the second. */
type Between = { first: number; second: number; part: number };

function between(share: number, cells: number): Between {
  const place = Math.min(cells - 1, Math.max(0, share * cells - 0.5));
  const first = Math.floor(place);
  return { first, second: Math.min(cells - 1, first + 1), part: place - first };
}

const mixed = (data: Float32Array, row: number, { first, second, part }: Between): number =>
  data[row + first]! + (data[row + second]! - data[row + first]!) * part;
