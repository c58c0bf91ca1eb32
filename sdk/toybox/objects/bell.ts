/** A bell that swings; modal synthesis with the partials of a minor-third church bell (hum, prime, tierce, quint, nominal and above). */
import { circle, ellipse, hsv, layer, polygon, rectangle, turned } from '../shapes.ts';
import { addRing } from '../synth.ts';
import type { ToyObject } from '../types.ts';

/** Ratio to the prime, level, decay in seconds. */
export const bellPartials = [
  [0.5, 0.45, 1.9],
  [1, 1, 1.4],
  [1.183, 0.75, 1.1],
  [1.506, 0.4, 0.9],
  [2, 0.7, 0.7],
  [2.514, 0.3, 0.45],
  [2.662, 0.3, 0.4],
  [3.011, 0.25, 0.3],
  [4.166, 0.2, 0.2],
  [5.433, 0.15, 0.12],
] as const;

/** Hz of the prime at pitch 1. */
export const bellPrime = 560;

const outline = [
  [-0.07, -0.38],
  [0.07, -0.38],
  [0.15, -0.3],
  [0.19, -0.12],
  [0.22, 0.1],
  [0.28, 0.22],
  [0.36, 0.3],
  [0.36, 0.35],
  [-0.36, 0.35],
  [-0.36, 0.3],
  [-0.28, 0.22],
  [-0.22, 0.1],
  [-0.19, -0.12],
  [-0.15, -0.3],
] as const;

export const bell: ToyObject = {
  label: 'bell',
  pace: [0.45, 0.8],
  look({ moving, strokes, since, gap, look }) {
    const angle = moving && gap < 9 ? 0.5 * Math.cos((Math.PI * since) / gap) * (strokes % 2 ? 1 : -1) : 0;
    const metal = hsv(0.08 + 0.07 * look[0]!, 0.45 + 0.35 * look[1]!, 0.72 + 0.2 * look[2]!);
    const dark = metal.map((channel) => channel * 0.55) as [number, number, number];
    const swing = (shape: Parameters<typeof turned>[0]) => turned(shape, angle, 0, -0.4);
    return [
      layer(rectangle(0, -0.45, 0.4, 0.045, 0.02), [96, 66, 44], { shading: 'sheet', grain: 0.3 }),
      layer(swing(circle(0.14 * Math.sin(-2 * angle), 0.38, 0.075)), [58, 54, 56], { gloss: 0.5 }),
      layer(swing(polygon(outline)), metal, { shading: 'tube', gloss: 0.7 }),
      layer(swing(rectangle(0, 0.32, 0.365, 0.035, 0.02)), dark, { shading: 'tube', gloss: 0.4 }),
      layer(swing(rectangle(0, -0.16, 0.19, 0.014)), dark, { shading: 'tube' }),
      layer(swing(ellipse(-0.09, -0.02, 0.025, 0.15)), [255, 250, 225], { shading: 'glow', alpha: 0.5, soft: 0.04 }),
      layer(circle(0, -0.41, 0.045), [70, 66, 62], { gloss: 0.4 }),
    ];
  },
  sound({ wave, rate, pitch, strokes, random }) {
    for (const stroke of strokes) {
      const force = 0.7 + 0.3 * random();
      for (const [ratio, level, decay] of bellPartials) {
        addRing(wave, rate, stroke, { frequency: bellPrime * pitch * ratio, decay: decay * 0.7, level: level * force });
      }
    }
  },
};
