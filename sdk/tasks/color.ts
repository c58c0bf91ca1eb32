/**
 * One colour per class, the same in canvas, report and terminal. Light enough for dark text on it in a light and in a dark page.
 * Hues step by the golden angle in OKLCH, so neighbours in a class list differ most.
 */

import { checkArgument, whole } from '../contract/options.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Colour of class `index`, 0 to 255 per channel. */
export function classRgb(index: number): Rgb {
  const hue = (25 + index * 137.507764) % 360;
  const lightness = [0.76, 0.69, 0.83][index % 3]!;
  return oklch(lightness, 0.125, hue);
}

/** Colour of class `index` as `#rrggbb`. Throws `invalid-argument`. */
export function classColor(index: number): string {
  checkArgument(index, whole(), 'index');
  return `#${classRgb(index)
    .map((channel) => channel.toString(16).padStart(2, '0'))
    .join('')}`;
}

/** Björn Ottosson's OKLab, as CSS Color 4 defines it; out-of-gamut channels are clipped. */
function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function encode(linear: number): number {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}
