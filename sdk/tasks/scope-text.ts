/** What a result says of its adapter, in words: the senses that decide, its world, what it does not know, and what was left out. The same in terminal, report and captions. */
import type { Scope } from '../contract/manifest.ts';
import { sensesOf } from './silence.ts';

/** `by sound and picture`, `by sound alone`. */
export function sensesText(scope: Scope | null): string {
  const senses = sensesOf(scope);
  if (senses.length > 1) return 'by sound and picture';
  return senses[0] === 'audio' ? 'by sound alone' : 'by picture alone';
}

/** Two sentences or three; one where its maker did not say. */
export function scopeLines(scope: Scope | null): string[] {
  if (!scope)
    return ['Its maker does not say what it knows: what is unlike its training clips may be answered all the same.'];
  return [`Knows: ${scope.world}`, `Does not know: ${scope.unknown}`];
}

/** `Silent about 3 seconds, which are unlike all that it learned from.` */
export const withheldText = (seconds: number): string =>
  `Silent about ${seconds} ${seconds === 1 ? 'second, which is' : 'seconds, which are'} unlike all that it learned from.`;
