/**
 * A head of one sense, in closed form: features are standardised and turned into as few directions as they mainly spread in, which are the meta-token; on it one ridge
 * regression for each event tells it from the others, from nothing and from what was made up. The measure of familiarity is that of all adapters; what it counts as far off comes
 * from examples that were left out.
 */
import { distanceTo, type SenseMeasure } from '../../engine/familiarity.ts';
import { fitTokens, levelsAmong } from '../silence/fit-measure.ts';
import { fitSigmoid } from '../silence/fit-temperature.ts';
import { deviationOf, dot, mainDirections, meanOf, type Row, ridge } from '../silence/linear-algebra.ts';
import type { LeftOut } from './options.ts';

/** Features of one example that it is learned by: all views, and those of the example as it is among them. */
export type Lesson = {
  /** Number of its event; null for nothing. */
  event: number | null;
  rows: readonly Float32Array[];
  plain: readonly Float32Array[];
};

export type Head = {
  /** Features [F] to a token [c]: `map` [c, F] of what lies beyond `mean` [F]. */
  mean: Row;
  map: Row[];
  /** Logits of a token by event: [events, c] and [events]. */
  weights: Row[];
  bias: Row;
  measure: SenseMeasure;
  leftOut: LeftOut;
};

/** Most numbers of a token. More of them changed nothing (32, 64 and 128 measured on ESC-10). */
const mostDirections = 64;
/** Decay of the ridge beside rows of unit spread. */
const decay = 1e-3;
/** Stands beside each token for the bias, which decays too, though less. */
const constant = 0.3;
/** A channel that hardly differs must not count without bound. */
const leastDeviation = 1e-3;

/** Of few examples the furthest is often nearer than the next take: what was found is widened by so many times the share of one example (ours). */
const widening = 6;

type Tokens = { event: number | null; rows: Row[]; plain: Row[] };

/** `lessons` hold at least two examples of each event, and each at least one row. */
export function solveHead(events: number, lessons: readonly Lesson[], made: readonly Float32Array[]): Head {
  const all = [...lessons.flatMap(({ rows }) => rows), ...made];
  const mean = meanOf(all);
  const scale = deviationOf(all, mean).map((x) => 1 / ((x + leastDeviation) * Math.sqrt(mean.length)));
  const standard = (row: Float32Array): Row => Float64Array.from(row, (x, i) => (x - mean[i]!) * scale[i]!);
  const directions = mainDirections(all.map(standard), mostDirections, 'directions of a head');
  const tokenOf = (row: Float32Array): Row => {
    const place = standard(row);
    return Float64Array.from(directions, (direction) => dot(place, direction));
  };
  const taught = lessons.map(
    ({ event, rows, plain }): Tokens => ({ event, rows: rows.map(tokenOf), plain: plain.map(tokenOf) }),
  );
  const others = made.map(tokenOf);
  const { leftOut, temperature } = judgeLeftOut(events, taught, others);
  const solved = solve(events, taught, others);
  return {
    mean,
    map: directions.map((direction) => direction.map((x, i) => x * scale[i]!)),
    weights: solved.map((weights) => weights.slice(0, -1).map((x) => x / temperature)),
    bias: Float64Array.from(solved, (weights) => (constant * weights.at(-1)!) / temperature),
    measure: measureOf(taught),
    leftOut,
  };
}

const withConstant = (token: Row): Row => Float64Array.from([...token, constant]);

/** [events, c + 1]: each event, nothing and the made-up count alike, however many rows they have. */
function solve(events: number, taught: readonly Tokens[], made: readonly Row[]): Row[] {
  const rows: Row[] = [];
  const groups: number[] = [];
  const counts = new Map<number, number>();
  const put = (token: Row, group: number): void => {
    rows.push(withConstant(token));
    groups.push(group);
    counts.set(group, (counts.get(group) ?? 0) + 1);
  };
  for (const { event, rows: own } of taught) for (const token of own) put(token, event ?? events);
  for (const token of made) put(token, events + 1);
  const weights = groups.map((group) => 1 / (counts.get(group)! * counts.size));
  const targets = Array.from({ length: events }, (_, event) =>
    Float64Array.from(groups, (group) => (group === event ? 1 : -1)),
  );
  return ridge(rows, weights, targets, decay);
}

/** Each example is judged by a head that did not learn from it, and the temperature is what makes these judgements frequencies. */
function judgeLeftOut(
  events: number,
  taught: readonly Tokens[],
  made: readonly Row[],
): { leftOut: LeftOut; temperature: number } {
  const leftOut: LeftOut = { right: 0, silent: 0, examples: 0, quiet: 0, nothing: 0 };
  const judged: { logit: number; right: boolean }[] = [];
  for (const one of taught) {
    const solved = solve(
      events,
      taught.filter((other) => other !== one),
      made,
    );
    const scores = one.plain.map((token) => solved.map((weights) => dot(weights, withConstant(token))));
    for (const row of scores) row.forEach((logit, event) => judged.push({ logit, right: event === one.event }));
    const means = solved.map((_, event) => scores.reduce((sum, row) => sum + row[event]! / scores.length, 0));
    const best = means.indexOf(Math.max(...means));
    const isSilent = means[best]! <= 0;
    if (one.event === null) {
      leftOut.nothing++;
      if (isSilent) leftOut.quiet++;
    } else {
      leftOut.examples++;
      if (isSilent) leftOut.silent++;
      else if (best === one.event) leftOut.right++;
    }
  }
  return { leftOut, temperature: fitSigmoid(judged, false).temperature };
}

function measureOf(taught: readonly Tokens[]): SenseMeasure {
  const fitted = (some: readonly Tokens[]) => fitTokens(some.flatMap(({ rows }) => rows));
  const distances = taught.flatMap((one) => {
    const without = fitted(taught.filter((other) => other !== one));
    return one.plain.map((token) => (1 + widening / taught.length) * distanceTo(without, token));
  });
  return { ...fitted(taught), levels: levelsAmong(distances) };
}
