/**
 * When a result says nothing: where a second is not familiar, where a sense is missing that decides the answer, and where no class is probable enough. One
 * definition for all tasks.
 */
import type { Scope, Sense } from '../contract/manifest.ts';
import type { ResultContext } from './context.ts';

/**
 * The least confidence of an answer (ours): a class that is less probable in a second is not named there, so no event has a lower confidence.
 * Masks have none: they are drawn from one half on, which is what a mask means.
 */
export const leastConfidence = 0.3;

const both: readonly Sense[] = ['audio', 'visual'];

/** The senses that decide the answers of an adapter; both where it does not say. */
export const sensesOf = (scope: Scope | null | undefined): readonly Sense[] => scope?.senses ?? both;

/** Whether the clip has every sense that decides the answer. */
export function hasSenses({ scope, hasAudio, hasPicture }: ResultContext): boolean {
  const present = { audio: hasAudio, visual: hasPicture };
  return sensesOf(scope).every((sense) => present[sense]);
}

/** Familiarity of second `index` in one sense, or in the least familiar of those that decide the answer; null where nobody knows. */
export function familiarityOf({ familiarity, scope }: ResultContext, index: number, sense?: Sense): number | null {
  const second = familiarity?.seconds[index];
  if (!second) return null;
  if (sense) return second[sense];
  const known = sensesOf(scope).flatMap((name) => second[name] ?? []);
  return known.length > 0 ? Math.min(...known) : null;
}

/** Whether what is said of a second of this familiarity is to be left out. */
export function isWithheld({ familiarity, unfamiliar = 'withhold' }: ResultContext, value: number | null): boolean {
  return unfamiliar === 'withhold' && familiarity != null && value !== null && value < familiarity.least;
}
