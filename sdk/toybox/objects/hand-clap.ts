/** Two hands that clap: they meet at each stroke, which is some bursts of noise within milliseconds, coloured by the hollow of the hands. */
import { capsule, ellipse, hsv, type Layer, layer, turned } from '../shapes.ts';
import { addSound, bandPass } from '../synth.ts';
import type { ToyObject } from '../types.ts';

export const handClap: ToyObject = {
  label: 'hand clap',
  pace: [0.26, 0.44],
  look({ moving, since, gap, look }) {
    const apart = moving && gap < 9 ? 0.03 + 0.17 * Math.abs(Math.sin((Math.PI * since) / gap)) : 0.17;
    const skin = hsv(0.05 + 0.03 * look[0]!, 0.35 + 0.35 * look[1]!, 0.45 + 0.5 * look[2]!);
    const sleeve = hsv(look[3]!, 0.7, 0.6);
    const layers: Layer[] = [];
    for (const side of [-1, 1]) {
      const x = side * (apart + 0.08);
      const tilt = side * (0.12 + apart);
      const part = (shape: Parameters<typeof turned>[0]) => turned(shape, tilt, x, 0.15);
      layers.push(
        layer(part(capsule(x, 0.3, x + side * 0.05, 0.44, 0.1)), sleeve, { shading: 'tube', grain: 0.1 }),
        layer(part(ellipse(x, 0.1, 0.1, 0.17)), skin, { grain: 0.06 }),
        layer(part(capsule(x - side * 0.03, 0.1, x - side * 0.12, -0.06, 0.032)), skin),
      );
      for (let finger = 0; finger < 4; finger++) {
        const from = x + side * (finger - 1.5) * 0.052;
        const length = 0.24 - 0.045 * Math.abs(finger - 1.2);
        layers.push(layer(part(capsule(from, 0, from + side * (finger - 1.5) * 0.012, -length, 0.03)), skin));
      }
    }
    for (let line = 0; moving && since < 0.1 && line < 5; line++) {
      const angle = -Math.PI / 2 + (line - 2) * 0.45;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      layers.push(
        layer(capsule(0.28 * c, 0.28 * s - 0.02, 0.42 * c, 0.42 * s - 0.02, 0.012), [255, 244, 190], {
          shading: 'glow',
          solid: false,
        }),
      );
    }
    return layers;
  },
  sound({ wave, rate, pitch, strokes, random, look }) {
    for (const stroke of strokes) {
      const hollow = bandPass(rate, (1000 + 500 * look[3]!) * pitch * (0.9 + 0.2 * random()), 1.6);
      const snap = bandPass(rate, 2600 * pitch, 0.9);
      const bursts = [0, 0.006 + 0.004 * random(), 0.014 + 0.006 * random()];
      addSound(wave, rate, stroke, 0.14, (t) => {
        let loudness = 0;
        for (const [index, start] of bursts.entries()) {
          if (t >= start) loudness = Math.max(loudness, Math.exp(-(t - start) / (index === 2 ? 0.022 : 0.004)));
        }
        const noise = (random() * 2 - 1) * loudness;
        return 2 * hollow(noise) + snap(noise);
      });
    }
  },
};
