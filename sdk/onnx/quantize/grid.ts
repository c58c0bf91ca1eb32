/**
 * The numbers that few bits can say. A weight [K, N], rows first, is cut into groups of rows; within a group each column has a scale, and every number
 * becomes a whole multiple of it, a level. Zero stays zero.
 */

export type Bits = 4 | 7 | 8;

/** Levels of `bits` run from `lowest` to `highest`: -8 to 7, and otherwise to both sides alike. */
export function levelRange(bits: Bits): { lowest: number; highest: number } {
  const highest = 2 ** (bits - 1) - 1;
  return { lowest: bits === 4 ? -highest - 1 : -highest, highest };
}

/** Scales to try for 4 bits, as shares of the one at which the largest number just fits. */
const shares = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7];

/**
 * Scales of one group: `rows` [group, columns], one per column into `scales`.
 * The largest number just fits. With 4 bits the scale is the one with the least squared error instead, which may cut large numbers off, and may be
 * negative: the range has one level more on one side.
 */
export function fitScales(rows: Float32Array, columns: number, bits: Bits, scales: Float32Array): void {
  const { lowest, highest } = levelRange(bits);
  const column = new Float32Array(rows.length / columns);
  for (let n = 0; n < columns; n++) {
    let largest = 0;
    for (let k = 0; k < column.length; k++) {
      const x = rows[k * columns + n]!;
      column[k] = x;
      if (Math.abs(x) > Math.abs(largest)) largest = x;
    }
    // A group of zeros has any scale.
    if (largest === 0) scales[n] = 1;
    else if (bits !== 4) scales[n] = Math.abs(largest) / highest;
    else scales[n] = bestScale(column, largest / lowest);
  }
}

function bestScale(column: Float32Array, widest: number): number {
  const { lowest, highest } = levelRange(4);
  let [best, least] = [widest, Number.POSITIVE_INFINITY];
  for (const share of shares) {
    const scale = Math.fround(widest * share);
    let error = 0;
    for (let k = 0; k < column.length; k++) {
      const level = Math.min(highest, Math.max(lowest, Math.round(column[k]! / scale)));
      error += (column[k]! - level * scale) ** 2;
    }
    if (error < least) [best, least] = [scale, error];
  }
  return best;
}
