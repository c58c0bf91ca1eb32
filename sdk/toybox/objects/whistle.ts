/** A referee's whistle: two high tones that beat, chopped by the rolling pea, and breath. Each blow lasts most of the pause until the next. */
import { capsule, circle, hsv, layer, rectangle, ring } from '../shapes.ts';
import { addSound, bandPass } from '../synth.ts';
import type { ToyObject } from '../types.ts';

export const whistle: ToyObject = {
  label: 'whistle',
  pace: [0.55, 0.8],
  look({ time, moving, since, gap, look }) {
    const blowing = moving && gap < 9 && since < 0.75 * gap;
    const metal = hsv(look[0]!, 0.2 + 0.6 * look[1]!, 0.7 + 0.25 * look[2]!);
    const pea = blowing ? 23 * time : 1.4;
    const layers = [
      layer(ring(-0.34, -0.12, 0.07, 0.025), [150, 150, 155], { gloss: 0.5 }),
      layer(capsule(-0.4, -0.1, -0.46, 0.3, 0.012), hsv(look[3]!, 0.8, 0.7), { shading: 'sheet' }),
      layer(rectangle(0.16, -0.07, 0.3, 0.09, 0.02), metal, { gloss: 0.5 }),
      layer(circle(-0.1, 0.1, 0.26), metal, { gloss: 0.8 }),
      layer(rectangle(0.06, -0.12, 0.06, 0.045, 0.01), [24, 24, 28], { shading: 'sheet' }),
      layer(circle(-0.1, 0.1, 0.13), [34, 34, 40], { shading: 'sheet' }),
      layer(circle(-0.1 + 0.07 * Math.cos(pea), 0.1 + 0.07 * Math.sin(pea), 0.05), [214, 170, 110], { gloss: 0.3 }),
      layer(rectangle(0.45, -0.07, 0.02, 0.07, 0.01), [40, 40, 44], { shading: 'sheet' }),
    ];
    for (let puff = 0; blowing && puff < 3; puff++) {
      const way = (time * 3 + puff / 3) % 1;
      layers.push(
        layer(
          capsule(0.04 + 0.03 * puff, -0.2 - 0.18 * way, 0.07 + 0.05 * puff, -0.26 - 0.18 * way, 0.012),
          [250, 250, 250],
          {
            shading: 'glow',
            alpha: 0.8 * (1 - way),
            solid: false,
          },
        ),
      );
    }
    return layers;
  },
  sound({ wave, rate, pitch, strokes, random, look }) {
    for (const [index, stroke] of strokes.entries()) {
      const length = 0.75 * Math.min(0.8, (strokes[index + 1] ?? stroke + 0.7) - stroke);
      const breath = bandPass(rate, 3000 * pitch, 1.5);
      const roll = 24 + 14 * look[0]!;
      let [low, high] = [0, 0];
      addSound(wave, rate, stroke, length, (t) => {
        const chop = 0.5 - 0.5 * Math.cos(2 * Math.PI * roll * t);
        const bend = 1 + 0.025 * chop - 0.06 * Math.exp(-t / 0.03);
        low += (2 * Math.PI * 2250 * pitch * bend) / rate;
        high += (2 * Math.PI * 2640 * pitch * bend) / rate;
        const edge = Math.min(1, t / 0.02, (length - t) / 0.04);
        return edge * ((0.35 + 0.65 * chop) * (Math.sin(low) + 0.6 * Math.sin(high)) + 0.8 * breath(random() * 2 - 1));
      });
    }
  },
};
