/** What is true of a clip, second by second. */

import { spansOf } from './compose.ts';
import { toyboxClasses } from './objects/index.ts';
import type { Span, ToyClip } from './types.ts';

/** Whole seconds [start, end) in which objects of a class are seen, heard, or both at once. */
export type ToyEvent = { label: string; modality: 'seen' | 'heard' | 'both'; start: number; end: number };

/** Whole seconds of the film. */
export const filmSeconds = ({ seconds, begin }: Pick<ToyClip, 'seconds' | 'begin'>): number =>
  seconds - Math.ceil(begin);

/** {@link eventsOf} in exact times of the film. */
export function filmEvents(clip: ToyClip): ToyEvent[] {
  const seconds = filmSeconds(clip);
  return eventsOf(clip)
    .map((event) => ({
      ...event,
      start: Math.max(0, event.start - clip.begin),
      end: Math.min(seconds, event.end - clip.begin),
    }))
    .filter(({ start, end }) => start < end);
}

/** Flags per second for one class. */
export function flagsOf(clip: ToyClip, label: string): { seen: boolean[]; heard: boolean[]; both: boolean[] } {
  const actors = clip.actors.filter((actor) => actor.label === label);
  const any = (key: 'seen' | 'heard') =>
    Array.from({ length: clip.seconds }, (_, second) => actors.some((actor) => actor[key][second]));
  const [seen, heard] = [any('seen'), any('heard')];
  return { seen, heard, both: seen.map((on, second) => on && heard[second]!) };
}

/** All events, by class, then modality, then time. */
export function eventsOf(clip: ToyClip): ToyEvent[] {
  return toyboxClasses.flatMap((label) => {
    const flags = flagsOf(clip, label);
    return (['seen', 'heard', 'both'] as const).flatMap((modality) =>
      spansOf(flags[modality]).map(([start, end]: Span) => ({ label, modality, start, end })),
    );
  });
}
