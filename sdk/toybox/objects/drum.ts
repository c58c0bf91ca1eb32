/** A drum and two sticks: modes of a round membrane (zeros of Bessel functions) that fall in pitch a little, and the noise of the stroke. */
import { capsule, ellipse, hsv, layer, rectangle } from '../shapes.ts';
import { addRing, addSound, bandPass } from '../synth.ts';
import type { ToyObject } from '../types.ts';

/** Ratio to the lowest mode, level, decay in seconds. */
const modes = [
  [1, 1, 0.22],
  [1.593, 0.6, 0.16],
  [2.135, 0.45, 0.12],
  [2.295, 0.3, 0.1],
  [2.653, 0.25, 0.08],
  [2.917, 0.2, 0.07],
] as const;

export const drum: ToyObject = {
  label: 'drum',
  pace: [0.22, 0.36],
  pattern: [1, 1, 2, 1, 1, 1],
  look({ moving, strokes, since, gap, look }) {
    const shell = hsv(look[0]!, 0.75, 0.75);
    const lift = (side: number) => {
      if (!moving || gap > 9) return 0.24;
      const mine = strokes % 2 === side;
      return mine ? Math.min(0.3, since * 2.4) : 0.3 * (1 - Math.max(0, (since / gap) * 2 - 1));
    };
    const [left, right] = [lift(0), lift(1)];
    const layers = [
      layer(ellipse(0, 0.38, 0.4, 0.1), shell, { shading: 'tube', gloss: 0.3 }),
      layer(rectangle(0, 0.18, 0.4, 0.2), shell, { shading: 'tube', gloss: 0.3 }),
      layer(ellipse(0, -0.02, 0.41, 0.125), [190, 186, 180], { shading: 'tube', gloss: 0.5 }),
      layer(ellipse(0, -0.03, 0.36, 0.1), since < 0.07 ? [255, 252, 240] : [228, 218, 196], { shading: 'sheet' }),
    ];
    for (let i = -2; i <= 2; i++) {
      layers.push(layer(capsule(i * 0.15, 0.07, i * 0.15 + 0.06, 0.42, 0.012), [230, 226, 214], { shading: 'sheet' }));
    }
    const stick = [170, 120, 70] as const;
    layers.push(
      layer(capsule(-0.46, -0.36 - left * 0.3, -0.08, -0.05 - left, 0.022), stick, { gloss: 0.2 }),
      layer(capsule(0.46, -0.36 - right * 0.3, 0.08, -0.05 - right, 0.022), stick, { gloss: 0.2 }),
    );
    return layers;
  },
  sound({ wave, rate, pitch, strokes, random, look }) {
    for (const stroke of strokes) {
      const force = 0.6 + 0.4 * random();
      for (const [ratio, level, decay] of modes) {
        addRing(wave, rate, stroke, { frequency: 120 * pitch * ratio, decay, level: level * force });
      }
      const snap = bandPass(rate, 1400 + 1200 * look[1]!, 0.7);
      addSound(wave, rate, stroke, 0.12, (t) => 1.2 * force * snap(random() * 2 - 1) * Math.exp(-t / 0.02));
    }
  },
};
