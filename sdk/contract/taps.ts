/** The shape in which a backbone hands out a tap. */
import type { Tap } from './manifest.ts';

/** The shape of a tap over `seconds` seconds: [seconds, tokens, width], or [seconds, width, rows, columns] of a map. */
export function tapShape({ layout, tokens, width, grid }: Tap, seconds = 1): number[] {
  return layout === 'map' ? [seconds, width, ...grid] : [seconds, tokens, width];
}
