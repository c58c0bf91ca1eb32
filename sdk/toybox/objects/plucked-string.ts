/** A guitar whose strings are plucked in turn (K. Karplus and A. Strong, "Digital synthesis of plucked-string and drum timbres", 1983). */
import { capsule, circle, ellipse, hsv, layer, rectangle, union } from '../shapes.ts';
import type { ToyObject } from '../types.ts';

const notes = [1, 1.2, 1.335, 1.498, 1.782, 2];

export const pluckedString: ToyObject = {
  label: 'plucked string',
  pace: [0.24, 0.45],
  look({ time, moving, strokes, since, look }) {
    const wood = hsv(0.06 + 0.06 * look[0]!, 0.65 + 0.25 * look[1]!, 0.55 + 0.35 * look[2]!);
    const body = union(ellipse(0, 0.3, 0.27, 0.2), ellipse(0, 0.04, 0.2, 0.16));
    const layers = [
      layer(rectangle(0, -0.27, 0.04, 0.22, 0.01), [66, 42, 30], { shading: 'tube' }),
      layer(rectangle(0, -0.46, 0.065, 0.045, 0.02), [50, 34, 26], { shading: 'sheet' }),
      layer(body, wood, { grain: 0.12, gloss: 0.25 }),
      layer(circle(0, 0.12, 0.085), [28, 20, 16], { shading: 'sheet' }),
      layer(rectangle(0, 0.36, 0.1, 0.016, 0.01), [40, 26, 20], { shading: 'sheet' }),
    ];
    for (let string = 0; string < 3; string++) {
      const x = (string - 1) * 0.03;
      const plucked = moving && strokes % 3 === string && since < 9;
      const swing = plucked ? 0.035 * Math.exp(-3 * since) * Math.cos(90 * time) : 0;
      layers.push(
        layer(
          union(capsule(x, -0.45, x + swing, 0.05, 0.005), capsule(x + swing, 0.05, x, 0.36, 0.005)),
          [240, 235, 215],
          {
            shading: 'glow',
          },
        ),
      );
    }
    const reach = moving && since < 9 ? 0.09 * Math.min(1, since * 8) : 0.16;
    layers.push(layer(ellipse(0.06 + reach, 0.2, 0.05, 0.032), hsv(look[3]!, 0.8, 0.9), { gloss: 0.4 }));
    return layers;
  },
  sound({ wave, rate, pitch, strokes, random }) {
    for (const stroke of strokes) {
      const frequency = 146 * pitch * notes[Math.floor(random() * notes.length)]!;
      // The loop: `period` whole samples, and an average of two neighbours that delays by half a sample.
      const period = Math.max(2, Math.round(rate / frequency - 0.5));
      const line = Float32Array.from({ length: period }, () => random() * 2 - 1);
      const keep = 0.5 ** (1 / (frequency * 0.35));
      const first = Math.round(stroke * rate);
      const end = Math.min(wave.length, first + Math.round(1.2 * rate));
      let last = 0;
      for (let i = Math.max(0, first), at = 0; i < end; i++) {
        const value = line[at]!;
        wave[i] = wave[i]! + value;
        line[at] = 0.5 * keep * (value + last);
        last = value;
        if (++at === period) at = 0;
      }
    }
  },
};
