/**
 * What keeps train, val and test apart: each draws backgrounds, colours of walls, pitches and rooms from ranges that no other split touches, and all its numbers
 * from seeds of its own. The held-out pitches and rooms lie between those of train, the held-out backgrounds are of kinds that train never sees.
 */
import type { Split } from '../contract/split.ts';
import type { Dice } from './dice.ts';
import type { Span } from './types.ts';

export type SplitRanges = {
  /** Kinds of background, see `backdrop.ts`. */
  backdrops: readonly string[];
  /** Hues of backgrounds, 0 to 1. */
  hues: readonly Span[];
  /** Factors on the frequencies of all sounds. */
  pitches: readonly Span[];
  /** Seconds of reverberation. */
  rooms: readonly Span[];
};

export const splitRanges: Record<Split, SplitRanges> = {
  train: {
    backdrops: ['plaster', 'planks', 'tiles', 'hills', 'carpet', 'stripes'],
    hues: [
      [0, 0.2],
      [0.45, 0.8],
    ],
    pitches: [
      [0.72, 0.86],
      [0.96, 1.08],
      [1.2, 1.4],
    ],
    rooms: [
      [0.12, 0.28],
      [0.42, 0.6],
    ],
  },
  val: { backdrops: ['bricks', 'clouds'], hues: [[0.22, 0.32]], pitches: [[0.88, 0.94]], rooms: [[0.29, 0.34]] },
  test: { backdrops: ['stones', 'dunes'], hues: [[0.33, 0.43]], pitches: [[1.1, 1.18]], rooms: [[0.35, 0.41]] },
};

/** The split of the clip with this number: of every ten, eight train, one validates, one tests, however many there are. */
export function splitOf(index: number): { split: Split; ordinal: number } {
  const [tens, rest] = [Math.floor(index / 10), index % 10];
  if (rest === 8) return { split: 'val', ordinal: tens };
  if (rest === 9) return { split: 'test', ordinal: tens };
  return { split: 'train', ordinal: tens * 8 + rest };
}

/** A number of one of the ranges, each as likely as it is long. */
export function within(ranges: readonly Span[], dice: Dice): number {
  let rest = dice.next() * ranges.reduce((sum, [low, high]) => sum + high - low, 0);
  for (const [low, high] of ranges) {
    if (rest < high - low) return low + rest;
    rest -= high - low;
  }
  return ranges.at(-1)![0];
}
