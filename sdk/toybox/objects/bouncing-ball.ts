/** A ball that bounces: each stroke is the instant at which it meets the floor; its height follows from the pause until the next. */
import { both, capsule, circle, ellipse, hsv, layer, ring } from '../shapes.ts';
import { addRing, addSound, bandPass } from '../synth.ts';
import type { ToyObject } from '../types.ts';

const longest = 0.62;

export const bouncingBall: ToyObject = {
  label: 'bouncing ball',
  pace: [0.52, longest],
  pattern: [1, 0.9, 0.78, 0.64, 0.5, 0.38],
  look({ time, moving, since, gap, look }) {
    const flying = moving && gap < 9;
    const way = flying ? since / gap : 0;
    const lift = flying ? 4 * way * (1 - way) * 0.34 * (gap / longest) ** 2 : 0;
    const squash = flying ? Math.max(0, 0.28 * (1 - Math.min(since, gap - since) * 14)) : 0;
    const [radius, spin] = [0.32, flying ? 5 * time : 6 * look[3]!];
    const y = 0.46 - radius * (1 - squash) - lift;
    const skin = hsv(look[0]!, 0.7 + 0.3 * look[1]!, 0.8 + 0.2 * look[2]!);
    const ball = ellipse(0, y, radius * (1 + 0.6 * squash), radius * (1 - squash));
    return [
      layer(ellipse(0, 0.47, 0.3 - 0.2 * lift, 0.05), [10, 10, 12], {
        shading: 'glow',
        alpha: 0.5 - 0.5 * lift,
        soft: 0.08,
        solid: false,
      }),
      layer(ball, skin, { gloss: 0.7 }),
      layer(
        both(
          ball,
          capsule(
            -0.4 * Math.cos(spin),
            y - 0.4 * Math.sin(spin),
            0.4 * Math.cos(spin),
            y + 0.4 * Math.sin(spin),
            0.035,
          ),
        ),
        [245, 242, 235],
        { alpha: 0.85 },
      ),
      layer(
        both(ball, ring(0.27 * Math.cos(spin + 1.57), y + 0.27 * Math.sin(spin + 1.57), 0.22, 0.035)),
        [245, 242, 235],
        { alpha: 0.7 },
      ),
      layer(circle(-0.08, y - 0.1, 0.05), [255, 255, 255], { shading: 'glow', alpha: 0.5, soft: 0.06 }),
    ];
  },
  sound({ wave, rate, pitch, strokes, random }) {
    for (const [index, stroke] of strokes.entries()) {
      const gap = (strokes[index + 1] ?? stroke + 0.4) - stroke;
      const force = 0.45 + 0.55 * Math.min(1, gap / longest);
      addSound(wave, rate, stroke, 0.12, (t) => {
        const frequency = pitch * (150 + 260 * Math.exp(-t / 0.012));
        return 1.1 * force * Math.sin(2 * Math.PI * frequency * t) * Math.exp(-t / 0.03);
      });
      addRing(wave, rate, stroke, { frequency: 840 * pitch, decay: 0.03, level: 0.4 * force });
      const slap = bandPass(rate, 2400 * pitch, 0.8);
      addSound(wave, rate, stroke, 0.03, (t) => 1.5 * force * slap(random() * 2 - 1) * Math.exp(-t / 0.004));
    }
  },
};
