/** A backbone's taps as values: the one form in which adapters work with them. */
import type { Tap } from '../contract/manifest.ts';
import { reshape, transpose, type Value } from '../ops/index.ts';

/** A tap's value as tokens [N, tokens, width], row by row: a map [N, width, rows, columns] is turned round, tokens stay as they are. */
export function asTokens(value: Value): Value {
  if (value.rank !== 4) return value;
  const [n, width, rows, columns] = value.shape as [number, number, number, number];
  return transpose(reshape(value, [n, width, rows * columns]), [0, 2, 1]);
}

export const isBlock = (tap: Tap): boolean => /\.b\d+$/.test(tap.name);

/** The taps that stand for layers: blocks, or all of a backbone without blocks (any network with named outputs). */
export const layersOf = (taps: readonly Tap[]): Tap[] => (taps.some(isBlock) ? taps.filter(isBlock) : [...taps]);
