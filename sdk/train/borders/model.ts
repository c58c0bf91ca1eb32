/**
 * A border head as something to train: it says of each part of each second whether a class sounds there. A batch of B clips of T seconds is the audio taps that the head
 * reads, [B * T, tokens, width], and `heard` [B * T, steps, classes]: 1 where the class sounds, 0 where it does not, -1 where that does not count.
 */
import { tapShape } from '../../contract/taps.ts';
import { type BorderTaps, borders } from '../../models/borders.ts';
import { div, isGreaterOrEqual, maximum, mul, softplus, sub, sum } from '../../ops/index.ts';
import type { ExactEvent } from '../data/types.ts';
import type { TrainModel } from '../loop/step.ts';

/** Over clips of `segments` seconds. */
export function borderModel(
  fine: BorderTaps,
  { segments, classes }: { segments: number; classes: number },
): TrainModel {
  return {
    inputs: (batch) => ({
      ...Object.fromEntries(fine.taps.map((tap) => [tap.name, tapShape(tap, batch * segments)])),
      heard: [batch * segments, fine.steps, classes],
    }),
    forward: (p, inputs) => ({ borders: borders(p, fine, (name) => inputs[name]!, classes) }),
    loss(outputs, { heard }) {
      const logits = outputs.borders!;
      const counts = isGreaterOrEqual(heard!, 0);
      const entropy = mul(sub(softplus(logits), mul(logits, maximum(heard!, 0))), counts);
      return { loss: div(sum(entropy), maximum(sum(counts), 1)) };
    },
  };
}

/**
 * `heard` of one clip of which `there` seconds exist, [segments, steps, classes]. Only classes that sound somewhere in the clip count: the head is asked when what it knows to
 * be there sounds, not whether it is there.
 */
export function heardParts(
  events: readonly ExactEvent[],
  { segments, there, steps, classes }: { segments: number; there: number; steps: number; classes: number },
): Float32Array {
  const parts = new Float32Array(segments * steps * classes).fill(-1);
  const sounding = events.filter(({ modality }) => modality !== 'visual');
  const inParts = (each: (part: number, middle: number) => void): void => {
    for (let part = 0; part < there * steps; part++) each(part, (part + 0.5) / steps);
  };
  for (const { classIndex } of sounding) {
    inParts((part) => {
      parts[part * classes + classIndex] = 0;
    });
  }
  for (const { classIndex, onset, offset } of sounding) {
    inParts((part, middle) => {
      if (middle >= onset && middle < offset) parts[part * classes + classIndex] = 1;
    });
  }
  return parts;
}
