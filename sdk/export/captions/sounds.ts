/** Which sounds a clip has and where their sources are, from what parsing and localization found. */
import { foundEvents } from '../../tasks/given.ts';
import type { TaskResult } from '../../tasks/types.ts';

/** A stretch in which a sound is heard; `shown` are the times in which its source is seen too, null where nobody can tell. */
export type Sound = { label: string; start: number; end: number; confidence: number; shown: Span[] | null };
export type Span = { start: number; end: number };

/**
 * Sounds by start time. Parsing tells what is heard and, of that, what is seen at the same time; where the clip has no picture, it tells nothing about places.
 * What localization found is both, unless it listens alone: then nobody can tell. A sound that two adapters heard is one, and one that pauses for less than `pause` seconds goes on.
 */
export function soundsOf(results: readonly TaskResult[], pause: number): Sound[] {
  const labels = new Map<string, Sound[]>();
  for (const result of results) {
    const blind = result.warnings.some(({ code }) => code === 'no-picture');
    const found = foundEvents([result]);
    const both = found.filter(({ modality }) => modality === 'audio-visual');
    const heard = found.filter(
      ({ modality }) => modality === 'audio' || (result.task !== 'parse' && modality !== 'visual'),
    );
    const canTell = !blind && (result.task === 'parse' || both.length > 0);
    for (const { label, start, end, confidence } of heard) {
      const shown = canTell
        ? both.filter((event) => event.label === label).map(({ start, end }) => ({ start, end }))
        : null;
      const sounds = labels.get(label) ?? [];
      sounds.push({ label, start, end, confidence, shown });
      labels.set(label, sounds);
    }
  }
  return [...labels.values()].flatMap((sounds) => joined(sounds, pause)).sort((a, b) => a.start - b.start);
}

function joined(sounds: readonly Sound[], pause: number): Sound[] {
  const all: Sound[] = [];
  for (const sound of [...sounds].sort((a, b) => a.start - b.start)) {
    const last = all.at(-1);
    if (!last || sound.start - last.end >= pause) {
      all.push({ ...sound });
      continue;
    }
    last.end = Math.max(last.end, sound.end);
    last.confidence = Math.max(last.confidence, sound.confidence);
    last.shown = last.shown && sound.shown ? [...last.shown, ...sound.shown] : (last.shown ?? sound.shown);
  }
  return all;
}

/** Where the source of a sound is while a caption names it: in the picture for at least half of that time, or not; null where nobody can tell. */
export function placeOf({ shown, start, end }: Sound, during: Span): 'on-screen' | 'off-screen' | null {
  if (!shown) return null;
  const [from, to] = [Math.max(start, during.start), Math.min(end, during.end)];
  const pieces = shown
    .map((span): Span => ({ start: Math.max(span.start, from), end: Math.min(span.end, to) }))
    .filter((span) => span.end > span.start)
    .sort((a, b) => a.start - b.start);
  let [seen, until] = [0, from];
  for (const piece of pieces) {
    seen += Math.max(0, piece.end - Math.max(until, piece.start));
    until = Math.max(until, piece.end);
  }
  return seen * 2 >= to - from ? 'on-screen' : 'off-screen';
}
