/** Rain on a window: hiss of many drops far off, and single ones that ping on the pane. */
import { hash } from '../canvas.ts';
import { capsule, ellipse, hsv, layer, rectangle } from '../shapes.ts';
import { addRing, addSound, bandPass, lowPass } from '../synth.ts';
import type { ToyObject } from '../types.ts';

export const rain: ToyObject = {
  label: 'rain',
  pace: [0.3, 0.4],
  look({ time, moving, look }) {
    const frame = hsv(look[0]!, 0.35 * look[1]!, 0.6 + 0.35 * look[2]!);
    const sky: [number, number, number] = moving ? [92, 106, 124] : [150, 186, 220];
    const layers = [
      layer(rectangle(0, 0, 0.48, 0.48, 0.02), frame, { shading: 'sheet', grain: 0.08 }),
      layer(rectangle(0, 0, 0.42, 0.42), sky, { shading: 'sheet' }),
      layer(rectangle(0, 0.28, 0.42, 0.14), sky.map((channel) => channel * 0.75) as [number, number, number], {
        shading: 'sheet',
      }),
    ];
    for (let drop = 0; moving && drop < 26; drop++) {
      const speed = 0.5 + 0.9 * hash(drop, 1);
      const fall = (hash(drop, 2) + time * speed) % 1;
      const x = -0.38 + 0.76 * hash(drop, 3 + Math.floor(hash(drop, 2) + time * speed));
      const y = -0.38 + 0.74 * fall;
      layers.push(
        layer(capsule(x, Math.max(-0.4, y - 0.1 * speed), x, y, 0.007), [214, 226, 238], {
          shading: 'glow',
          alpha: 0.7,
        }),
        layer(ellipse(x, y, 0.014, 0.02), [240, 248, 255], { gloss: 0.8 }),
      );
    }
    layers.push(
      layer(rectangle(0, 0, 0.018, 0.44), frame, { shading: 'sheet' }),
      layer(rectangle(0, 0, 0.44, 0.018), frame, { shading: 'sheet' }),
    );
    return layers;
  },
  sound({ wave, rate, pitch, spans, random, look }) {
    for (const [start, end] of spans) {
      const hiss = bandPass(rate, (3200 + 2200 * look[3]!) * pitch, 0.5);
      const rumble = lowPass(rate, 700);
      const gust = 0.3 + 0.5 * random();
      addSound(wave, rate, start, end - start, (t) => {
        const noise = random() * 2 - 1;
        return (0.5 * hiss(noise) + 0.5 * rumble(noise)) * (1 + 0.25 * Math.sin(2 * Math.PI * gust * t));
      });
      for (let drops = Math.round((end - start) * 70); drops > 0; drops--) {
        const frequency = (1500 + 4200 * random()) * pitch;
        addRing(wave, rate, start + random() * (end - start), {
          frequency,
          decay: 0.004 + 0.004 * random(),
          level: 0.5 * random() ** 2,
        });
      }
    }
  },
};
