/**
 * Heat maps of attention over a picture and over a sound. Where attention is spread evenly nothing is drawn, and the same share of it looks the same in every second: maps
 * are not stretched to their own largest value, so that a second in which nothing stands out looks like one.
 */
import {
  checkArgument,
  checkOptions,
  list,
  number,
  positive,
  type Rule,
  type Rules,
  record,
  text,
} from '../contract/options.ts';
import { didYouMean } from '../did-you-mean.ts';
import { MettleError } from '../errors.ts';
import { type DrawContext, type Pixels, rgb, surface } from '../tasks/canvas.ts';
import type { Rgb } from '../tasks/color.ts';
import type { AttentionMap, ExplainedSecond, ExplainedSense, NumberGrid } from '../tasks/types.ts';
import { type Box, layVeil, type Veil } from './veil.ts';

/** How a heat map looks, and where it is drawn. */
export type AttentionStyle = {
  /** One layer alone, by its tap. Default: all layers in one. */
  layer?: string;
  /** 0 to 255 per channel. Default: amber. */
  color?: Rgb;
  /** Opacity where there is `full` attention, 0 to 1; default 0.6. */
  alpha?: number;
  /** How many times its even share a place must get to be drawn with all of `alpha`; default 4. Below once nothing is drawn. */
  full?: number;
  /** Left edge in the target, pixels. Default 0. */
  x?: number;
  /** Upper edge in the target, pixels. Default 0. */
  y?: number;
  /** Pixels. Default: as wide as the target. */
  width?: number;
  /** Pixels. Default: as high as the target. */
  height?: number;
};

/** How a heat map over sound looks. */
export type SoundStyle = AttentionStyle & {
  /** Colour of the spectrogram beneath, 0 to 255 per channel; null leaves it out. Default: grey, the louder the more opaque, which suits light and dark pages. */
  ink?: Rgb | null;
};

const rules: Rules<AttentionStyle> = {
  layer: text,
  color: rgb,
  alpha: number(0, 1),
  full: number(1.01, 1e6, 'a number of times'),
  x: number(),
  y: number(),
  width: positive('a number of pixels'),
  height: positive('a number of pixels'),
};
const soundRules: Rules<SoundStyle> = { ...rules, ink: { ...rgb, fits: (value) => value === null || rgb.fits(value) } };
const someSecond: Rule = {
  expected: 'a second of an explanation',
  fits: (value) => record.fits(value) && 'picture' in value && 'sound' in value,
};

const amber: Rgb = [255, 140, 0];
const grey: Rgb = [128, 128, 128];

/**
 * Lays over a picture where meta-tokens attended in it, stretched to the whole target or the box that the style names. Draws nothing where the second has no picture, or the
 * layer no map. Throws `invalid-argument`, also for a layer that was not read.
 */
export function drawPictureAttention(
  target: DrawContext | Pixels,
  second: ExplainedSecond,
  style: AttentionStyle = {},
): void {
  checkArgument(target, surface, 'target');
  checkArgument(second, someSecond, 'second');
  checkOptions(style, rules, 'style');
  const map = second.picture && chosen(second.picture, style.layer);
  if (map) layVeil(target, heatOf(map, style), style.color ?? amber, boxOf(target, style));
}

/**
 * Draws the spectrogram of a clip, or of some seconds of it in their order, and over it where meta-tokens attended: time from left to right, low tones below. What each
 * second has is drawn; one without sound stays empty. Throws as {@link drawPictureAttention}.
 */
export function drawSoundAttention(
  target: DrawContext | Pixels,
  seconds: readonly ExplainedSecond[],
  style: SoundStyle = {},
): void {
  checkArgument(target, surface, 'target');
  checkArgument(seconds, list, 'seconds');
  for (const second of seconds) checkArgument(second, someSecond, 'each of seconds');
  checkOptions(style, soundRules, 'style');
  const { layer, color = amber, ink = grey } = style;
  const box = boxOf(target, style);
  const loudness = seconds.map(({ sound }) => sound?.spectrum ?? null);
  if (ink) layVeil(target, strip(seconds, louder(loudness), box), ink, box);
  const heat = seconds.map(({ sound }) => {
    const map = sound && chosen(sound, layer);
    return map ? heatOf(map, style) : null;
  });
  layVeil(target, strip(seconds, heat, box), color, box);
}

function chosen({ layers, map }: ExplainedSense, layer: string | undefined): AttentionMap | null {
  if (layer === undefined) return map;
  const found = layers.find(({ tap }) => tap === layer);
  if (found) return found.map;
  const taps = layers.map(({ tap }) => tap);
  throw new MettleError('invalid-argument', `style.layer "${layer}" was not read.${didYouMean(layer, taps)}`, {
    hint: `There is ${taps.join(', ')}.`,
  });
}

/** Opacity from how many times its even share a place gets: none at once, all at `full` times. */
function heatOf({ rows, columns, data }: AttentionMap, { alpha = 0.6, full = 4 }: AttentionStyle): Veil {
  const opacity = (share: number): number => alpha * Math.min(1, Math.max(0, (share * data.length - 1) / (full - 1)));
  return { rows, columns, data: Float32Array.from(data, opacity) };
}

/** Opacity from loudness: from one deviation below the mean of all seconds up to the loudest. */
function louder(spectra: readonly (NumberGrid | null)[]): (Veil | null)[] {
  let [count, sum, squares, most] = [0, 0, 0, -Infinity];
  for (const spectrum of spectra) {
    for (const value of spectrum?.data ?? []) {
      count++;
      sum += value;
      squares += value * value;
      most = Math.max(most, value);
    }
  }
  const mean = sum / count;
  const least = mean - Math.sqrt(Math.max(0, squares / count - mean * mean));
  const opacity = (value: number): number => 0.85 * Math.min(1, Math.max(0, (value - least) / (most - least || 1)));
  return spectra.map((spectrum) => spectrum && { ...spectrum, data: Float32Array.from(spectrum.data, opacity) });
}

/** Grids of seconds, steps by bands, side by side: as many columns as the box has pixels, and as many rows as there are bands, the highest first. */
function strip(seconds: readonly ExplainedSecond[], grids: readonly (Veil | null)[], { width }: Box): Veil {
  const columns = Math.max(1, Math.round(width));
  const rows = Math.max(1, ...grids.map((grid) => grid?.columns ?? 0));
  const data = new Float32Array(rows * columns);
  const [from, to] = [seconds[0]?.start ?? 0, seconds.at(-1)?.end ?? 0];
  let second = 0;
  for (let column = 0; column < columns; column++) {
    const time = from + ((column + 0.5) / columns) * (to - from);
    while (second < seconds.length - 1 && seconds[second]!.end <= time) second++;
    const grid = grids[second];
    if (!grid) continue;
    const step = Math.min(grid.rows - 1, Math.max(0, Math.floor((time - seconds[second]!.start) * grid.rows)));
    for (let band = 0; band < grid.columns; band++) {
      data[(rows - 1 - band) * columns + column] = grid.data[step * grid.columns + band]!;
    }
  }
  return { rows, columns, data };
}

function boxOf(target: DrawContext | Pixels, { x = 0, y = 0, width, height }: AttentionStyle): Box {
  const whole = 'data' in target ? target : target.canvas;
  return { x, y, width: width ?? whole.width, height: height ?? whole.height };
}
