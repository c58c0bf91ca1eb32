/** Choosing among supplies of which one is to be drawn from more often than another. */
import type { Dice } from '../../toybox/dice.ts';

/** How often it is drawn from, beside the shares of the others; 1 where nothing is said. */
export type Shared = { share?: number };

export function pickShared<T extends Shared>(sources: readonly T[], dice: Dice): T {
  const all = sources.reduce((sum, { share = 1 }) => sum + share, 0);
  let place = dice.between(0, all);
  for (const source of sources) {
    place -= source.share ?? 1;
    if (place < 0) return source;
  }
  return sources.at(-1)!;
}
