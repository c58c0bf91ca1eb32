/**
 * Where the time of a stream lies in the time of the clip. A stream has the time stamps of its container, as mediabunny gives them; the clip begins with the first moment that a
 * player shows, and holds what an edit list leaves of each stream, in its order.
 */
import type { Edit } from './isobmff-boxes.ts';

/** The stretch from `from` to `to` in time of the stream is shown from `at` seconds of the clip on. */
export type Span = { from: number; to: number; at: number };

/** Edits are given in a coarser unit than samples. */
const roundingSeconds = 0.01;

/**
 * Spans in the order in which they are shown, in movie time: the clip's own beginning is not yet taken off. `firstTime` and `endTime` bound what the stream holds; a stream
 * with no edits has one span.
 */
export function spansOf(edits: readonly Edit[] | undefined, firstTime: number, endTime: number): Span[] {
  if (!edits) return [{ from: firstTime, to: endTime, at: firstTime }];
  const offset = editOffset(edits);
  const spans: Span[] = [];
  let at = 0;
  for (const { duration, media } of edits) {
    const length = duration || Number.POSITIVE_INFINITY;
    if (media !== null) {
      const start = media - offset;
      const from = Math.max(start, firstTime);
      const to = Math.min(start + length, endTime);
      if (to > from) spans.push({ from, to, at: at + from - start });
    }
    at += media === null ? duration : Math.min(length, Math.max(0, endTime - (media - offset)));
  }
  return spans;
}

/** mediabunny counts from the first edit that shows something, moved by what is empty before it. */
function editOffset(edits: readonly Edit[]): number {
  let empty = 0;
  for (const { duration, media } of edits) {
    if (media !== null) return media - empty;
    empty += duration;
  }
  return 0;
}

/** Movie time at which the stream begins to play. An empty edit at the front counts as playing, unless what follows it begins later still: then this is a piece of a stream. */
export function beginning(edits: readonly Edit[] | undefined, spans: readonly Span[]): number {
  const at = spans[0]?.at ?? 0;
  let empty = 0;
  for (const { duration, media } of edits ?? []) {
    if (media !== null) break;
    empty += duration;
  }
  return empty > 0 && at < empty + roundingSeconds ? 0 : at;
}

export const endOf = (spans: readonly Span[]): number =>
  Math.max(0, ...spans.map(({ from, to, at }) => at + to - from));

export const moved = (spans: readonly Span[], by: number): Span[] =>
  spans.map((span) => ({ ...span, at: span.at - by }));

/** Time of the stream that is on screen at clip time `time`: in a gap what was there before it, and before the first span its beginning. */
export function streamTime(spans: readonly Span[], time: number): number {
  const shown = spans.findLast(({ at }) => at <= time) ?? spans[0]!;
  // A little before the end, which belongs to what follows, and where an index may name a packet that was cut off.
  return Math.max(shown.from, Math.min(shown.from + time - shown.at, shown.to - 1e-3));
}
