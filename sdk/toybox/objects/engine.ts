/** A piston engine: firing pulses that excite the resonances of block and exhaust, at a speed that hunts a little. */
import { capsule, circle, hsv, layer, rectangle, ring } from '../shapes.ts';
import { addSound, bandPass, lowPass } from '../synth.ts';
import type { ToyObject } from '../types.ts';

export const engine: ToyObject = {
  label: 'engine',
  pace: [0.3, 0.4],
  look({ time, moving, look }) {
    const turn = moving ? 17 * time : 6 * look[3]!;
    const shake = moving ? 0.012 * Math.sin(61 * time) : 0;
    const block = hsv(look[0]!, 0.35 + 0.3 * look[1]!, 0.55 + 0.15 * look[2]!);
    const piston = -0.2 - 0.07 * Math.cos(turn);
    const layers = [
      layer(capsule(0.3, -0.05 + shake, 0.44, -0.3 + shake, 0.05), [120, 116, 112], { gloss: 0.5 }),
      layer(rectangle(0.02, 0.16 + shake, 0.36, 0.26, 0.04), block, { shading: 'tube', gloss: 0.2 }),
      layer(rectangle(0.04, -0.16 + shake, 0.2, 0.1, 0.01), [140, 142, 146], { shading: 'tube', gloss: 0.3 }),
      layer(rectangle(0.04, piston + shake, 0.13, 0.06, 0.02), [205, 208, 212], { shading: 'tube', gloss: 0.6 }),
    ];
    for (let fin = 0; fin < 3; fin++) {
      layers.push(layer(rectangle(0.04, -0.1 + shake - fin * 0.055, 0.23, 0.01), [84, 86, 90], { shading: 'sheet' }));
    }
    layers.push(
      layer(circle(-0.16, 0.16 + shake, 0.2), [62, 64, 70], { gloss: 0.3 }),
      layer(ring(-0.16, 0.16 + shake, 0.18, 0.035), [176, 178, 182], { gloss: 0.4 }),
    );
    for (let spoke = 0; spoke < 3; spoke++) {
      const angle = turn + (spoke * 2 * Math.PI) / 3;
      layers.push(
        layer(
          capsule(-0.16, 0.16 + shake, -0.16 + 0.16 * Math.cos(angle), 0.16 + shake + 0.16 * Math.sin(angle), 0.022),
          [190, 190, 194],
          { shading: 'sheet' },
        ),
      );
    }
    for (let puff = 0; moving && puff < 3; puff++) {
      const age = (time * 1.7 + puff / 3) % 1;
      layers.push(
        layer(circle(0.44 + 0.05 * age, -0.32 - 0.18 * age, 0.04 + 0.06 * age), [205, 205, 205], {
          shading: 'glow',
          alpha: 0.55 * (1 - age),
          soft: 0.05,
          solid: false,
        }),
      );
    }
    return layers;
  },
  sound({ wave, rate, pitch, spans, look, random }) {
    const speed = (24 + 14 * look[0]!) * pitch;
    for (const [start, end] of spans) {
      const block = bandPass(rate, 95 * pitch, 2.5);
      const exhaust = bandPass(rate, 210 * pitch, 3);
      const rattle = bandPass(rate, 1300 * pitch, 1.2);
      const breath = lowPass(rate, 500);
      let phase = 1;
      let burst = 0;
      let uneven = 1;
      addSound(wave, rate, start, end - start, (t) => {
        phase += (speed * (1 + 0.06 * Math.sin(2 * Math.PI * 0.6 * t + 6 * look[1]!))) / rate;
        if (phase >= 1) {
          phase -= 1;
          burst = 1;
          uneven = 0.75 + 0.5 * random();
        }
        burst *= Math.exp(-1 / (0.006 * rate));
        const noise = random() * 2 - 1;
        const pulse = burst * uneven;
        return (
          6 * block(pulse) +
          5 * exhaust(pulse * (1 + 0.4 * noise)) +
          1.1 * rattle(noise * burst) +
          0.5 * breath(noise) * (0.2 + burst)
        );
      });
    }
  },
};
