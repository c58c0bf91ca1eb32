/** A backbone's taps as values: the shape that a graph gives them, and the one form in which adapters work with them. */
import type { Tap } from '../hub/manifest.ts';
import { reshape, transpose, type Value } from '../ops/index.ts';

/** The shape of a tap over `seconds` seconds: [seconds, tokens, width], or [seconds, width, rows, columns] of a map. */
export function tapShape({ layout, tokens, width, grid }: Tap, seconds = 1): number[] {
  return layout === 'map' ? [seconds, width, ...grid] : [seconds, tokens, width];
}

/** A tap's value as tokens [N, tokens, width], row by row: a map [N, width, rows, columns] is turned round, tokens stay as they are. */
export function asTokens(value: Value): Value {
  if (value.rank !== 4) return value;
  const [n, width, rows, columns] = value.shape as [number, number, number, number];
  return transpose(reshape(value, [n, width, rows * columns]), [0, 2, 1]);
}
