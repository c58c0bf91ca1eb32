/**
 * A little world to learn in, made from a seed: clips of four seconds in which each second sounds like one of three classes and looks like one of three. Its
 * event is the class that is both seen and heard, background where the two differ, so neither sense alone can know it. Examples are taps: noise, with a
 * class's pattern on one token.
 */
import type { AdapterConfig, BackboneTaps } from '../../sdk/models/adapter.ts';
import { defaultAdapter } from '../../sdk/models/adapter.ts';
import { sizeOf } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import type { BatchSource } from '../../sdk/train/loop/batches.ts';
import type { Batch } from '../../sdk/train/loop/runner.ts';
import type { InputShapes } from '../../sdk/train/loop/step.ts';

export const tinyTaps: BackboneTaps = {
  visual: [
    { name: 'visual.s0.b0', layout: 'tokens', tokens: 9, width: 16, grid: [3, 3] },
    { name: 'visual.s1.b0', layout: 'tokens', tokens: 4, width: 24, grid: [2, 2] },
  ],
  audio: [
    { name: 'audio.s0.b0', layout: 'tokens', tokens: 6, width: 16, grid: [2, 3] },
    { name: 'audio.s1.b0', layout: 'tokens', tokens: 4, width: 24, grid: [2, 2] },
  ],
};

export const tinyConfig: AdapterConfig = {
  ...defaultAdapter,
  task: 'localize',
  classes: ['Bell', 'Dog', 'Train'],
  distill: { ...defaultAdapter.distill, tokens: 2, heads: 2, width: 32 },
  segments: 4,
  layers: 1,
  heads: 2,
};

/** Clips of the little world; `hide` leaves noise alone in one sense's taps. */
export function tinyClips(size: number, seed: number, hide?: 'audio' | 'visual'): BatchSource {
  const { classes, segments } = tinyConfig;
  const pattern = (tap: string, of: number, width: number): number[] => {
    const random = seededRandom(`pattern ${tap} ${of}`);
    return Array.from({ length: width }, () => 2 * gaussian(random));
  };
  const clip = (index: number): Batch => {
    const random = seededRandom(`${seed} clip ${index}`);
    const pick = (n: number): number => Math.floor(random() * n);
    const labels = new Float32Array(segments * (classes.length + 1));
    const seconds = Array.from({ length: segments }, (_, second) => {
      const heard = pick(classes.length);
      const agree = random() < 0.5;
      const seen = agree ? heard : (heard + 1 + pick(classes.length - 1)) % classes.length;
      labels[second * (classes.length + 1) + (agree ? heard : classes.length)] = 1;
      return { audio: heard, visual: seen };
    });
    const arrays: Batch = { labels, mask: new Float32Array(segments).fill(1) };
    for (const modality of ['audio', 'visual'] as const) {
      for (const { name, tokens, width } of tinyTaps[modality]) {
        const data = Float32Array.from({ length: segments * tokens * width }, () => gaussian(random));
        seconds.forEach((second, s) => {
          const at = (s * tokens + pick(tokens)) * width;
          if (modality === hide) return;
          pattern(name, second[modality], width).forEach((x, i) => {
            data[at + i]! += x;
          });
        });
        arrays[name] = data;
      }
    }
    return arrays;
  };
  const clips = Array.from({ length: size }, (_, index) => clip(index));
  return { size, id: (index) => `clip ${index}`, read: (index) => clips[index]! };
}

/** Share of seconds whose largest logit is the labelled one. */
export function tinyAccuracy(logits: Float32Array, labels: Float32Array): number {
  const width = tinyConfig.classes.length + 1;
  let right = 0;
  for (let at = 0; at < labels.length; at += width) {
    const row = logits.subarray(at, at + width);
    if (labels[at + row.indexOf(Math.max(...row))] === 1) right++;
  }
  return right / (labels.length / width);
}

/** Noise for any inputs, for models that need no sense in their data: numbers for taps, zeros and ones for everything else. */
export function noiseClips(size: number, inputs: InputShapes, seed: number): BatchSource {
  const clips = Array.from({ length: size }, (_, index): Batch => {
    const random = seededRandom(`${seed} noise ${index}`);
    const fill = (name: string): (() => number) => {
      if (name === 'mask' || name === 'supervised') return () => 1;
      return name.includes('.') ? () => gaussian(random) : () => Math.round(random());
    };
    return Object.fromEntries(
      Object.entries(inputs).map(([name, shape]) => [name, Float32Array.from({ length: sizeOf(shape) }, fill(name))]),
    );
  });
  return { size, id: (index) => `noise ${index}`, read: (index) => clips[index]! };
}
