/** A clock with a pendulum: hand and pendulum move with each tick; tick and tock are short rings of wood and metal. */
import { capsule, circle, hsv, layer, rectangle, ring } from '../shapes.ts';
import { addRing } from '../synth.ts';
import type { ToyObject } from '../types.ts';

export const clock: ToyObject = {
  label: 'clock',
  pace: [0.3, 0.5],
  look({ moving, strokes, since, gap, look }) {
    const frame = hsv(look[0]!, 0.6, 0.45 + 0.3 * look[1]!);
    const swing = moving && gap < 9 ? 0.34 * Math.cos((Math.PI * since) / gap) * (strokes % 2 ? 1 : -1) : 0;
    const hand = (turns: number, length: number, width: number, color: readonly [number, number, number]) => {
      const angle = turns * 2 * Math.PI;
      return layer(capsule(0, -0.16, length * Math.sin(angle), -0.16 - length * Math.cos(angle), width), color, {
        shading: 'sheet',
      });
    };
    const [bobX, bobY] = [0.5 * Math.sin(swing), -0.05 + 0.44 * Math.cos(swing)];
    const layers = [
      layer(rectangle(0, 0.22, 0.2, 0.27, 0.03), frame.map((channel) => channel * 0.6) as [number, number, number], {
        shading: 'sheet',
        grain: 0.15,
      }),
      layer(capsule(0, -0.05, bobX, bobY, 0.016), [205, 180, 90], { shading: 'sheet' }),
      layer(circle(bobX, bobY, 0.075), [232, 200, 90], { gloss: 0.8 }),
      layer(circle(0, -0.16, 0.33), frame, { gloss: 0.4, grain: 0.1 }),
      layer(circle(0, -0.16, 0.27), [240, 236, 222], { shading: 'sheet' }),
      layer(ring(0, -0.16, 0.265, 0.018), [60, 54, 48], { shading: 'sheet' }),
    ];
    for (let hour = 0; hour < 12; hour++) {
      const [x, y] = [Math.sin((hour * Math.PI) / 6), -Math.cos((hour * Math.PI) / 6)];
      layers.push(
        layer(capsule(0.2 * x, -0.16 + 0.2 * y, 0.235 * x, -0.16 + 0.235 * y, 0.01), [40, 38, 36], {
          shading: 'sheet',
        }),
      );
    }
    layers.push(
      hand(look[2]!, 0.13, 0.022, [30, 30, 34]),
      hand(look[3]!, 0.19, 0.015, [30, 30, 34]),
      hand(strokes / 12 + look[2]!, 0.22, 0.009, [200, 30, 30]),
      layer(circle(0, -0.16, 0.025), [30, 30, 34]),
    );
    return layers;
  },
  sound({ wave, rate, pitch, strokes, look }) {
    for (const [index, stroke] of strokes.entries()) {
      const tock = index % 2 ? 0.78 : 1;
      for (const [frequency, decay, level] of [
        [2100, 0.012, 1],
        [3350, 0.008, 0.8],
        [5200 + 900 * look[0]!, 0.004, 0.6],
        [620, 0.02, 0.5],
      ] as const) {
        addRing(wave, rate, stroke, { frequency: frequency * pitch * tock, decay, level });
        addRing(wave, rate, stroke + 0.018, { frequency: frequency * pitch * tock * 1.04, decay, level: 0.35 * level });
      }
    }
  },
};
