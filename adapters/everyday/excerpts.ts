/** How a recording fills a stretch of a clip: pieces of it one after another, calls with pauses between, other sounds without. */
import type { Dice } from '../../sdk/toybox/dice.ts';
import type { Span } from '../../sdk/toybox/types.ts';
import type { Recording } from './recordings.ts';
import type { Sound } from './sounds.ts';

/** Times in seconds, `from` and `length` in the recording at its own pace. */
export type Piece = { from: number; length: number; at: number };

export type Excerpt = {
  /** Null for what is none of the things. */
  label: string | null;
  recording: Recording;
  sound: Sound;
  pieces: Piece[];
  /** From the first piece to the end of the last, in the clip. */
  span: Span;
  /** Root mean square of what sounds, in decibels of full scale. */
  level: number;
  /** Seconds of the recording in a second of the clip: higher is also quicker. */
  pace: number;
  /** Of a room: seconds and amplitudes of echoes. */
  echoes: { delay: number; gain: number }[];
  /** Hz above which it is dulled; null for not at all. */
  dull: number | null;
};

/** Null where the recording does not sound, or there is no time for it. */
export function excerptOf(
  { label, recording, call }: { label: string | null; recording: Recording; call: boolean },
  sound: Sound,
  wanted: Span,
  level: number,
  dice: Dice,
): Excerpt | null {
  const pace = dice.between(0.92, 1.09);
  const echoes = dice.chance(0.35) ? room(dice) : [];
  const dull = dice.chance(0.3) ? dice.between(2000, 9000) : null;
  const pieces = sound.spans.length > 0 ? piecesOf(sound.spans, wanted, pace, call, dice) : [];
  if (pieces.length === 0) return null;
  const last = pieces.at(-1)!;
  const span: Span = [pieces[0]!.at, last.at + last.length / pace];
  return { label, recording, sound, pieces, span, level, pace, echoes, dull };
}

function piecesOf(spans: readonly Span[], [start, end]: Span, pace: number, call: boolean, dice: Dice): Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  let next = dice.whole(0, spans.length - 1);
  // A steady sound begins anywhere in its recording.
  let skip = call ? 0 : dice.next() * Math.max(0, spans[next]![1] - spans[next]![0] - (end - start) * pace);
  while (end - at >= 0.1) {
    const [from, to] = spans[next]!;
    const length = Math.min(to - from - skip, (end - at) * pace);
    // A call that is cut short is no call, unless it is a long one.
    if (call && pieces.length > 0 && length < Math.min(0.9 * (to - from), 1)) break;
    pieces.push({ from: from + skip, length, at });
    at += length / pace + (call ? dice.between(0.1, 0.8) : 0);
    next = (next + 1) % spans.length;
    skip = 0;
  }
  return pieces;
}

const room = (dice: Dice): Excerpt['echoes'] => {
  const size = dice.between(0.02, 0.07);
  return Array.from({ length: 5 }, (_, i) => ({
    delay: size * (i + dice.between(0.6, 1.4)),
    gain: (dice.chance(0.5) ? 0.5 : -0.5) * 0.65 ** i,
  }));
};
