/** A bird on a branch: chirps are sines whose pitch jumps, sweeps and trembles (frequency modulation). */
import { capsule, circle, ellipse, hsv, layer, polygon, turned } from '../shapes.ts';
import { addSound } from '../synth.ts';
import type { ToyObject } from '../types.ts';

export const bird: ToyObject = {
  label: 'bird',
  pace: [0.15, 0.24],
  pattern: [1, 1, 1, 1, 2.4],
  look({ time, moving, since, look }) {
    const open = moving && since < 0.14 ? 0.4 * Math.sin((Math.PI * since) / 0.14) + 0.06 : 0.04;
    const bob = moving && since < 9 ? -0.03 * Math.exp(-9 * since) : 0;
    const coat = hsv(look[0]!, 0.55 + 0.4 * look[1]!, 0.6 + 0.35 * look[2]!);
    const wing = hsv(look[0]! + 0.06, 0.7, 0.45);
    const flap = moving ? 0.12 * Math.sin(11 * time) : 0;
    return [
      layer(capsule(-0.48, 0.44, 0.48, 0.4, 0.035), [92, 64, 42], { grain: 0.3 }),
      layer(capsule(0.0, 0.25, 0.02, 0.4, 0.014), [190, 130, 50], { shading: 'sheet' }),
      layer(capsule(-0.1, 0.25, -0.09, 0.4, 0.014), [190, 130, 50], { shading: 'sheet' }),
      layer(
        polygon([
          [-0.22, 0.1],
          [-0.5, 0.26],
          [-0.44, 0.34],
          [-0.16, 0.24],
        ]),
        wing,
        { shading: 'sheet' },
      ),
      layer(ellipse(-0.05, 0.1 + bob, 0.27, 0.21), coat, { grain: 0.14 }),
      layer(ellipse(0.04, 0.17 + bob, 0.15, 0.12), [238, 226, 200], { grain: 0.1, alpha: 0.8, soft: 0.04 }),
      layer(turned(ellipse(-0.12, 0.08 + bob, 0.18, 0.1), 0.35 + flap, 0, 0), wing, { grain: 0.14 }),
      layer(
        turned(
          polygon([
            [0.26, -0.2 + bob],
            [0.46, -0.14 + bob],
            [0.27, -0.12 + bob],
          ]),
          -open,
          0.26,
          -0.15 + bob,
        ),
        [236, 160, 40],
        { shading: 'sheet' },
      ),
      layer(
        turned(
          polygon([
            [0.26, -0.15 + bob],
            [0.43, -0.12 + bob],
            [0.26, -0.09 + bob],
          ]),
          open,
          0.26,
          -0.14 + bob,
        ),
        [206, 130, 30],
        { shading: 'sheet' },
      ),
      layer(circle(0.15, -0.16 + bob, 0.155), coat, { grain: 0.12 }),
      layer(circle(0.2, -0.2 + bob, 0.035), [14, 14, 16], { gloss: 0.9 }),
    ];
  },
  sound({ wave, rate, pitch, strokes, random, look }) {
    for (const stroke of strokes) {
      const base = 2700 * pitch * (1 + 0.35 * random());
      const sweep = (random() < 0.5 ? -1 : 1) * (0.25 + 0.35 * random());
      const tremble = 26 + 30 * look[3]!;
      const length = 0.1 + 0.05 * random();
      let phase = 0;
      addSound(wave, rate, stroke, length, (t) => {
        const way = t / length;
        const frequency = base * (1 + sweep * way + 0.09 * Math.sin(2 * Math.PI * tremble * t));
        phase += (2 * Math.PI * Math.min(frequency, 0.45 * rate)) / rate;
        return Math.sin(Math.PI * way) ** 0.7 * (Math.sin(phase) + 0.12 * Math.sin(2 * phase));
      });
    }
  },
};
