/** A siren: a tone that sweeps up and down, rich in odd harmonics, below a lamp that turns. */
import { both, capsule, circle, ellipse, hsv, layer, rectangle } from '../shapes.ts';
import { addSound } from '../synth.ts';
import type { ToyObject } from '../types.ts';

/** Hz `seconds` after the siren began: between 1 and 2.1 times 580 at pitch 1. `pace` is its first number of `look`. */
export function sirenFrequency(seconds: number, pitch: number, pace: number): number {
  const period = 1.1 + 1.4 * pace;
  return 580 * pitch * (1 + 0.55 * (1 - Math.cos((2 * Math.PI * seconds) / period)));
}

export const siren: ToyObject = {
  label: 'siren',
  pace: [0.4, 0.5],
  look({ time, moving, look }) {
    const hue = look[1]! < 0.5 ? 0.99 : 0.62;
    const turn = Math.cos(9 * time + 6 * look[2]!);
    const bright = moving ? 0.75 + 0.25 * turn : 0.5;
    const dome = both(ellipse(0, 0.18, 0.3, 0.5), rectangle(0, -0.2, 0.5, 0.38));
    const layers = [
      layer(rectangle(0, 0.28, 0.42, 0.16, 0.04), [72, 76, 84], { shading: 'tube', gloss: 0.3 }),
      layer(rectangle(0, 0.16, 0.34, 0.05, 0.02), [150, 154, 160], { shading: 'tube', gloss: 0.5 }),
      layer(dome, hsv(hue, moving ? 0.7 : 0.85, bright), { gloss: 0.6 }),
    ];
    for (let i = -3; i <= 3; i++)
      layers.push(layer(capsule(i * 0.09, 0.24, i * 0.09, 0.36, 0.016), [28, 28, 32], { shading: 'sheet' }));
    if (moving) {
      layers.unshift(
        layer(circle(0, -0.05, 0.46), hsv(hue, 0.6, 1), { shading: 'glow', alpha: 0.3, soft: 0.5, solid: false }),
      );
      layers.push(
        layer(ellipse(0.17 * turn, -0.06, 0.07, 0.15), [255, 250, 235], { shading: 'glow', alpha: 0.9, soft: 0.12 }),
      );
    }
    return layers;
  },
  sound({ wave, rate, pitch, spans, look }) {
    for (const [start, end] of spans) {
      let phase = 0;
      addSound(wave, rate, start, end - start, (t) => {
        phase += (2 * Math.PI * sirenFrequency(t, pitch, look[0]!)) / rate;
        return Math.sin(phase) + 0.4 * Math.sin(3 * phase) + 0.2 * Math.sin(5 * phase);
      });
    }
  },
};
