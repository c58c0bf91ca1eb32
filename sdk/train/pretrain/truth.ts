/**
 * What made samples are known to show or play, as a lesson of its own: a stage says of each of its places which classes are there. Only where that is known does
 * it count; of photographs and recordings it is not.
 */
import { add, mean, mul, softplus, sub, type Value } from '../../ops/index.ts';
import { unknown } from './pictures.ts';
import type { Sample } from './teacher.ts';

export type Truth = {
  /** How many are taught. */
  classes: number;
  /** Those that learn to tell them, counted from 0, finest first. */
  stages: readonly { stage: number; grid: readonly [number, number] }[];
  /** Each stage says what is to be added to what the next, half as fine, says. */
  refines: boolean;
  /** Of this lesson, where that of the teachers has 1. */
  weight: number;
};

/** Share of each place that each class takes, [places, classes], and the share of it that is known, [places, 1]. */
export type TruthTarget = { shares: Float32Array; known: Float32Array };

/** Of each stage that tells it. */
export const truthsOf = (sample: Sample, { stages, classes }: Truth): { stage: number; target: TruthTarget }[] =>
  stages.map(({ stage, grid }) => ({ stage, target: truthOf(sample, grid, classes) }));

/** Of one grid, whose rows and columns divide a picture's height and width. */
export function truthOf(sample: Sample, [rows, columns]: readonly [number, number], classes: number): TruthTarget {
  const places = rows * columns;
  const shares = new Float32Array(places * classes);
  const known = new Float32Array(places);
  if ('pcm' in sample) {
    const { heard } = sample;
    for (let place = 0; heard && place < places; place++) {
      shares.set(heard, place * classes);
      known[place] = 1;
    }
    return { shares, known };
  }
  const { width, height, shown } = sample.picture;
  const [high, wide] = [height / rows, width / columns];
  for (let place = 0; place < places; place++) {
    const corner = Math.floor(place / columns) * high * width + (place % columns) * wide;
    let count = 0;
    for (let y = 0; y < high; y++) {
      for (let i = corner + y * width, end = i + wide; i < end; i++) {
        const value = shown[i]!;
        if (value === unknown) continue;
        count++;
        if (value > 0) shares[place * classes + value - 1]! += 1;
      }
    }
    known[place] = count / (high * wide);
    for (let c = 0; count > 0 && c < classes; c++) shares[place * classes + c]! /= count;
  }
  return { shares, known };
}

/** How much more a place with a class counts than one without: those are one in many. */
const presence = 9;
/** What the entropy of a place counts in which a class takes this share. */
export const weightOf = (share: number): number => 1 + presence * share;

/** Cross entropy of `logits` [B, places, classes] with the shares, over all places and classes, unknown ones as zero, and times ten: pictures show few classes. */
export function truthLoss(logits: Value, shares: Value, known: Value): Value {
  const entropy = sub(softplus(logits), mul(shares, logits));
  const weighted = mul(mul(entropy, add(mul(shares, presence), 1)), known);
  return mul(mean(weighted), 10);
}
