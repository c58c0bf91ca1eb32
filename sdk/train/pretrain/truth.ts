/**
 * What made samples are known to show or play, as a lesson of its own: a stage says of each of its places which classes are there. Only where that is known does
 * it count; of photographs and recordings it is not.
 */
import { add, mean, mul, softplus, sub, type Value } from '../../ops/index.ts';
import { unknown } from './pictures.ts';
import type { Sample } from './teacher.ts';

/** Classes that are taught, and the stages (from 0) that learn to tell them. */
export type Truth = { classes: number; stages: readonly { stage: number; grid: readonly [number, number] }[] };

/** Share of each place that each class takes, [places, classes], and the share of it that is known, [places, 1]. */
export type TruthTarget = { shares: Float32Array; known: Float32Array };

/** Of one grid. */
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
  const area = (width * height) / places;
  shown.forEach((value, i) => {
    if (value === unknown) return;
    const row = Math.floor((Math.floor(i / width) * rows) / height);
    const place = row * columns + Math.floor(((i % width) * columns) / width);
    known[place]! += 1 / area;
    if (value > 0) shares[place * classes + value - 1]! += 1 / area;
  });
  for (let place = 0; place < places; place++) {
    for (let c = 0; known[place]! > 0 && c < classes; c++) shares[place * classes + c]! /= known[place]!;
  }
  return { shares, known };
}

/** How much more a place with a class counts than one without: those are one in many. */
const presence = 9;

/** Cross entropy of `logits` [B, places, classes] with the shares, over all places and classes, unknown ones as zero, and times ten: pictures show few classes. */
export function truthLoss(logits: Value, shares: Value, known: Value): Value {
  const entropy = sub(softplus(logits), mul(shares, logits));
  const weighted = mul(mul(entropy, add(mul(shares, presence), 1)), known);
  return mul(mean(weighted), 10);
}
