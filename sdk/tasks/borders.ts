/**
 * Where inside a second a heard event begins and ends (ours). An adapter with a border head says of each part of each second how likely its classes sound there, as log-odds.
 * A border of whole seconds moves to the one place near it where the evidence rises, or falls, most clearly. Where it does not, the border stays.
 */
import type { Event } from './types.ts';

type Span = { start: number; end: number };

/** What an adapter's border head says. */
export type BorderEvidence = {
  /** Parts of a second. */
  steps: number;
  /** Log-odds that a class sounds in a part; parts are counted from 0 s on. 0 where nobody knows. */
  at(part: number, classIndex: number): number;
};

/** How far a border may lie from the edge of the second that it was found in, in seconds. */
const reach = 1;

/** How finely events are told without evidence, in seconds. */
export const wholeSecond = 1;

/** Evidence of a clip: `seconds` hold [steps, classes] each, null where there is no sound. */
export function evidenceOf(
  seconds: readonly (Float32Array | null)[],
  { steps, classes }: { steps: number; classes: number },
): BorderEvidence {
  return {
    steps,
    at: (part, classIndex) => seconds[Math.floor(part / steps)]?.[(part % steps) * classes + classIndex] ?? 0,
  };
}

/**
 * Where an event really begins that was found to begin at `coarse`: not before `earliest`, and before `latest`. Null where the evidence shows no change there.
 * All in seconds.
 */
export function refineStart(
  evidence: BorderEvidence,
  classIndex: number,
  { coarse, earliest, latest }: { coarse: number; earliest: number; latest: number },
): number | null {
  const { steps } = evidence;
  const from = Math.round(Math.max(earliest, coarse - reach) * steps);
  const to = Math.round(Math.min(latest, coarse + reach) * steps);
  const found = bestStep(from, to, (part) => evidence.at(part, classIndex));
  return found === null ? null : found / steps;
}

/** As {@link refineStart}, for the end. */
export function refineEnd(
  evidence: BorderEvidence,
  classIndex: number,
  { coarse, earliest, latest }: { coarse: number; earliest: number; latest: number },
): number | null {
  const { steps } = evidence;
  const from = Math.round(Math.max(earliest, coarse - reach) * steps);
  const to = Math.round(Math.min(latest, coarse + reach) * steps);
  const found = bestStep(-to, -from, (part) => evidence.at(-part - 1, classIndex));
  return found === null ? null : -found / steps;
}

/** Evidence beyond this says no more than it, in log-odds: a loud part must not outweigh a long one. */
const strongest = 5;
/** The mean evidence after a change is above that before it by at least this. */
const leastRise = 2;

/**
 * The part from `from` to `to` where one step up fits best, by least squares: what is before it and what is from it on each have their own level, whatever that is, since quiet
 * sounds and noisy places move both. Null where there is no such step.
 */
function bestStep(from: number, to: number, at: (part: number) => number): number | null {
  const clipped = Array.from({ length: Math.max(0, to - from) }, (_, i) =>
    Math.min(strongest, Math.max(-strongest, at(from + i))),
  );
  const total = clipped.reduce((sum, value) => sum + value, 0);
  let [before, best, place]: [number, number, number | null] = [0, 0, null];
  for (let count = 1; count < clipped.length; count++) {
    before += clipped[count - 1]!;
    const rest = clipped.length - count;
    const rise = (total - before) / rest - before / count;
    const fit = ((count * rest) / clipped.length) * rise ** 2;
    if (rise >= leastRise && fit > best) [best, place] = [fit, from + count];
  }
  return place;
}

type Bordered = Span & { resolution: number };

/**
 * Events of one class, in order and apart, with finer borders. Those at the edges of the clip stay: there is no change to be seen; none moves into a second that is withheld. The
 * resolution is that of the coarser border, in seconds.
 */
export function refineEvents<E extends Span>(
  events: readonly E[],
  evidence: BorderEvidence,
  classIndex: number,
  clip: Span,
  withheld: readonly boolean[] = [],
): (E & Bordered)[] {
  const fine = 1 / evidence.steps;
  return events.map((event, index) => {
    const middle = (event.start + event.end) / 2;
    const before = events[index - 1];
    const after = events[index + 1];
    const isFirst = event.start <= clip.start;
    const isLast = event.end >= clip.end;
    // Half of a gap between two events belongs to each.
    const [first, next] = [Math.round(event.start), Math.round(event.end)];
    const earliest = withheld[first - 1] ? event.start : before ? (before.end + event.start) / 2 : clip.start;
    const latest = withheld[next] ? event.end : after ? (event.end + after.start) / 2 : clip.end;
    const start = isFirst
      ? event.start
      : refineStart(evidence, classIndex, { coarse: event.start, earliest, latest: middle });
    const end = isLast ? event.end : refineEnd(evidence, classIndex, { coarse: event.end, earliest: middle, latest });
    const resolution = start === null || end === null || (isFirst && isLast) ? wholeSecond : fine;
    return { ...event, start: start ?? event.start, end: end ?? event.end, resolution };
  });
}

/** Heard events of any class with the finest borders that a result's context knows; nothing is said of seconds that are `withheld`. */
export function withBorders<E extends Event>(
  events: readonly E[],
  { borders, duration }: { borders?: BorderEvidence | null; duration: number },
  withheld: readonly boolean[],
): E[] {
  if (!borders) return [...events];
  const clip = { start: 0, end: duration };
  const refined = new Map<E, E>();
  for (const classIndex of new Set(events.map((event) => event.classIndex))) {
    const own = events.filter((event) => event.classIndex === classIndex);
    refineEvents(own, borders, classIndex, clip, withheld).forEach((event, i) => void refined.set(own[i]!, event));
  }
  return events.map((event) => refined.get(event)!);
}
