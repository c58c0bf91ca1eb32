/**
 * When the caption of a sound stands on the screen: long enough to be read, never longer than the sound needs, never two at once. The times are those that
 * guides for broadcasters agree on: at least 5/6 s, a gap of two frames of 24 a second, at most two sounds in a caption.
 */
import { placeOf, type Sound, type Span } from './sounds.ts';

/** A sound in a caption: how the text names it, and whether its source is in the picture. */
export type CaptionedSound = {
  /** Name of the class. */
  label: string;
  /** Null where nobody can tell: the clip has no picture. */
  place: 'on-screen' | 'off-screen' | null;
};

/** A caption before it has a format. */
export type CaptionCue = {
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** The loudest first: one, or two that begin together. */
  sounds: CaptionedSound[];
};

export type LayoutOptions = { minDuration: number; maxDuration: number; minGap: number };

const mostSounds = 2;

/** Cues by start time, none of which overlaps another. `duration` is the clip's, in seconds. */
export function layOut(sounds: readonly Sound[], duration: number, options: LayoutOptions): CaptionCue[] {
  const { minDuration, maxDuration, minGap } = options;
  const latest = Math.max(0, duration - minDuration);
  const begun = sounds.map((sound) => ({ ...sound, start: Math.min(sound.start, latest) }));
  const groups = together(begun, minDuration + minGap);
  const starts = groups.map(([first]) => first!.start);
  return groups.map((group, index): CaptionCue => {
    const start = starts[index]!;
    const sounding = Math.max(...group.map(({ end }) => end)) - start;
    const length = Math.min(Math.max(sounding, minDuration), maxDuration);
    const end = Math.min(start + length, (starts[index + 1] ?? Number.POSITIVE_INFINITY) - minGap);
    return { start, end, sounds: named(group, { start, end }) };
  });
}

/** Sounds that begin so near to each other that one caption must name them. */
function together(sounds: readonly Sound[], within: number): Sound[][] {
  const groups: Sound[][] = [];
  for (const sound of sounds) {
    const last = groups.at(-1);
    if (last && sound.start - last[0]!.start < within) last.push(sound);
    else groups.push([sound]);
  }
  return groups;
}

function named(group: readonly Sound[], during: Span): CaptionedSound[] {
  return [...group]
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, mostSounds)
    .map((sound) => ({ label: sound.label, place: placeOf(sound, during) }));
}
