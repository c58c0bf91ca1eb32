/** A dog that barks: a hoarse voice whose pitch rises and falls, through three formants; the mouth opens with each bark. */
import { capsule, circle, ellipse, hsv, layer, turned } from '../shapes.ts';
import { addSound, bandPass } from '../synth.ts';
import type { ToyObject } from '../types.ts';

const barkSeconds = 0.19;

export const dog: ToyObject = {
  label: 'dog',
  pace: [0.36, 0.62],
  pattern: [1, 1, 1.3],
  look({ time, moving, since, look }) {
    const open = moving && since < barkSeconds + 0.08 ? Math.sin((Math.PI * since) / (barkSeconds + 0.08)) : 0;
    const fur = hsv(0.05 + 0.07 * look[0]!, 0.25 + 0.5 * look[1]!, 0.35 + 0.55 * look[2]!);
    const dark = fur.map((channel) => channel * 0.6) as [number, number, number];
    const head = -0.04 * open;
    const wag = moving ? 0.3 * Math.sin(14 * time) : 0.1;
    return [
      layer(turned(capsule(-0.34, 0.18, -0.48, -0.04, 0.035), wag, -0.34, 0.18), fur, { grain: 0.25 }),
      layer(ellipse(-0.14, 0.24, 0.25, 0.2), fur, { grain: 0.25 }),
      layer(capsule(-0.3, 0.3, -0.3, 0.45, 0.045), dark, { grain: 0.2 }),
      layer(capsule(0.02, 0.3, 0.03, 0.45, 0.045), dark, { grain: 0.2 }),
      layer(capsule(0.0, 0.1, 0.1, -0.08 + head, 0.13), fur, { grain: 0.25 }),
      layer(ellipse(0.3, 0.02 + head + 0.1 * open, 0.13, 0.05), dark, { grain: 0.15 }),
      layer(ellipse(0.29, -0.02 + head + 0.05 * open, 0.12, 0.02 + 0.07 * open), [150, 36, 44], { shading: 'sheet' }),
      layer(circle(0.13, -0.13 + head, 0.19), fur, { grain: 0.25 }),
      layer(turned(ellipse(0.3, -0.09 + head, 0.15, 0.075), -0.25 * open, 0.16, -0.1), fur, { grain: 0.2 }),
      layer(turned(ellipse(0.43, -0.12 + head, 0.04, 0.034), -0.25 * open, 0.16, -0.1), [22, 20, 22], { gloss: 0.8 }),
      layer(turned(ellipse(0.0, -0.16 + head, 0.075, 0.17), 0.35, 0, -0.28), dark, { grain: 0.25 }),
      layer(circle(0.2, -0.2 + head, 0.028), [16, 12, 12], { gloss: 0.9 }),
    ];
  },
  sound({ wave, rate, pitch, strokes, random, look }) {
    const size = 0.85 + 0.35 * look[3]!;
    for (const stroke of strokes) {
      const formants = [
        { pass: bandPass(rate, 620 * pitch * size, 5), level: 1 },
        { pass: bandPass(rate, 1250 * pitch * size, 7), level: 0.7 },
        { pass: bandPass(rate, 2700 * pitch * size, 8), level: 0.35 },
      ];
      const base = 260 * pitch * (0.92 + 0.16 * random());
      let phase = 0;
      addSound(wave, rate, stroke, barkSeconds, (t) => {
        const way = t / barkSeconds;
        phase += (base * (1 + 0.7 * Math.sin(Math.PI * Math.min(1, way * 1.2)))) / rate;
        phase -= Math.floor(phase);
        const source = (1 - 2 * phase) * 0.8 + 0.9 * (random() - 0.5);
        let sum = 0;
        for (const { pass, level } of formants) sum += level * pass(source);
        return 3 * sum * Math.min(1, way * 14) * (1 - way) ** 0.8;
      });
    }
  },
};
