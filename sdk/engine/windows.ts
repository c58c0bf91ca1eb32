/**
 * How a clip of any length meets a clip graph of fixed length: windows with half overlap, their outputs averaged second by second (ours).
 * Knows rows of numbers only, no tensors and no sessions.
 */

/**
 * First seconds of the windows of `size` that cover `segments` seconds, ascending. Neighbours start `floor(size / 2)` apart (at least 1); the last window
 * is moved back to end with the clip, so only a clip shorter than one window is ever padded. No seconds, no windows.
 */
export function windowStarts(segments: number, size: number): number[] {
  if (segments === 0) return [];
  const last = Math.max(0, segments - size);
  const hop = Math.max(1, Math.floor(size / 2));
  const starts: number[] = [];
  for (let start = 0; start < last; start += hop) starts.push(start);
  return [...starts, last];
}

/** Weight of each second of a window in the average, [size]: 1, 2, 3 ... 3, 2, 1. Triangular, and positive everywhere, so each covered second counts. */
export function windowWeights(size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size }, (_, second) => Math.min(second + 1, size - second));
}

/** [size]: 1 where the window from `start` on has a second of the clip, 0 where it is padded. */
export function windowMask(segments: number, start: number, size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size }, (_, second) => (start + second < segments ? 1 : 0));
}

/** Rows `start` to `start + size` one after another, [size, rowLength], zeros where `rows` ends early. */
export function stackWindow(
  rows: readonly Float32Array[],
  start: number,
  size: number,
  rowLength: number,
): Float32Array<ArrayBuffer> {
  const stacked = new Float32Array(size * rowLength);
  rows.slice(start, start + size).forEach((row, second) => {
    stacked.set(row, second * rowLength);
  });
  return stacked;
}

/** Weighted mean of overlapping windows: exactly `segments` rows of `rowLength` numbers, whatever the windows were. */
export class WindowAverage {
  readonly #segments: number;
  readonly #rowLength: number;
  readonly #weights: Float32Array;
  readonly #sums: Float64Array;
  readonly #totals: Float64Array;

  constructor(segments: number, size: number, rowLength: number) {
    this.#segments = segments;
    this.#rowLength = rowLength;
    this.#weights = windowWeights(size);
    this.#sums = new Float64Array(segments * rowLength);
    this.#totals = new Float64Array(segments);
  }

  /** Adds the output of the window from `start` on, [size, rowLength]. Padded rows are dropped. */
  add(start: number, output: Float32Array): void {
    const length = Math.min(this.#weights.length, this.#segments - start);
    for (let second = 0; second < length; second++) {
      const weight = this.#weights[second]!;
      this.#totals[start + second]! += weight;
      const target = (start + second) * this.#rowLength;
      const source = second * this.#rowLength;
      for (let i = 0; i < this.#rowLength; i++) this.#sums[target + i]! += weight * output[source + i]!;
    }
  }

  /** [segments, rowLength] */
  rows(): Float32Array<ArrayBuffer> {
    return Float32Array.from(this.#sums, (sum, i) => sum / this.#totals[Math.floor(i / this.#rowLength)]!);
  }
}
