/**
 * One example seen in several ways, so that what is learned from it is not its very moment, level and framing: its sound cut at other instants, louder, softer and in noise; its
 * pictures mirrored, cut closer, brighter and darker. The first view is the example as it is, which is how it will be seen.
 */
import { concatenate } from '../../arrays.ts';
import type { RgbImage } from '../../contract/clip.ts';
import type { EngineSegment } from '../../engine/types.ts';
import { makeAxis, resizePlane } from '../../front-end/resize.ts';
import { type Dice, diceOf } from '../../toybox/dice.ts';

/** Seconds of an example in one view, as many as it has. */
export function viewOf(seconds: readonly EngineSegment[], view: number, seed: string): EngineSegment[] {
  if (view === 0) return seconds.map(({ frame, pcm }) => ({ frame, pcm: pcm && Float32Array.from(pcm) }));
  const dice = diceOf(`${seed} view ${view}`);
  const sound = soundIn(seconds, dice);
  const look = lookOf(dice, view);
  return seconds.map(({ frame }, i) => ({ frame: frame && look(frame), pcm: sound?.[i] ?? null }));
}

/** Null where any second lacks sound. */
function soundIn(seconds: readonly EngineSegment[], dice: Dice): Float32Array<ArrayBuffer>[] | null {
  const parts = seconds.map(({ pcm }) => pcm).filter((pcm) => pcm !== null);
  if (parts.length < seconds.length || parts.length === 0) return null;
  const wave = concatenate(parts);
  const length = parts[0]!.length;
  // Sound that is longer goes round: no silence comes in that was not there.
  const shift = dice.whole(Math.floor(0.1 * length), Math.floor(0.9 * length));
  const gain = 10 ** (dice.between(-10, 4) / 20);
  const level = Math.sqrt(wave.reduce((sum, x) => sum + x * x, 0) / wave.length);
  const noise = level * 10 ** (-dice.between(15, 40) / 20) * Math.sqrt(3);
  return parts.map((_, i) =>
    Float32Array.from({ length }, (__, at) => {
      const x = wave[(i * length + at + shift) % wave.length]! + noise * (2 * dice.next() - 1);
      return Math.max(-1, Math.min(1, gain * x));
    }),
  );
}

/** The same change for all frames of an example: a camera that is held otherwise, in other light. */
function lookOf(dice: Dice, view: number): (frame: RgbImage) => RgbImage {
  const share = dice.between(0.75, 1);
  const [left, top] = [dice.next() * (1 - share), dice.next() * (1 - share)];
  const gains = [0, 0, 0].map(() => dice.between(0.9, 1.1));
  const light = dice.between(0.75, 1.25);
  const isMirrored = view % 2 === 1;
  return ({ width, height, data }) => {
    const across = makeAxis(width, width, share * width, left * width);
    const down = makeAxis(height, height, share * height, top * height);
    const changed = new Uint8Array(data.length);
    for (let channel = 0; channel < 3; channel++) {
      const plane = resizePlane({ data, offset: channel, stride: 3 * width, step: 3, height }, across, down);
      const gain = light * gains[channel]!;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const to = isMirrored ? width - 1 - x : x;
          changed[3 * (y * width + to) + channel] = Math.max(
            0,
            Math.min(255, Math.round(gain * plane[y * width + x]!)),
          );
        }
      }
    }
    return { width, height, data: changed };
  };
}
