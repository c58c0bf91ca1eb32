/**
 * Chooses levels for a weight. Plainly, each number goes to its nearest level. Error-aware, rows are rounded one after another, and what rounding did to the
 * outputs so far is made good by the rows that follow, as far as the inputs seen in calibration move together (LDLQ: Chee et al., QuIP, NeurIPS 2023, section 3;
 * the same result as GPTQ, Frantar et al., ICLR 2023). Works on plain arrays.
 */
import { type Bits, fitScales, levelRange } from './grid.ts';

/** `group` rows of K share a scale per column. */
export type Format = { bits: Bits; group: number };

/** A weight [inner, columns] as `levels` times `scales` [inner / group, columns]. */
export type Rounded = Format & { inner: number; columns: number; levels: Int8Array; scales: Float32Array };

/** Share of the mean square of the inputs that is added to each, so that rows that calibration never moved stay near their nearest level. */
const damping = 0.01;

/**
 * Rounds `weight` [inner, columns]. With `inputs` [samples, inner] the error of the product with such inputs is kept small, not that of the weight.
 * `inner` must be a multiple of the format's group.
 */
export function roundWeight(
  weight: Float32Array,
  [inner, columns]: readonly [number, number],
  { bits, group }: Format,
  inputs?: Float32Array,
): Rounded {
  const { lowest, highest } = levelRange(bits);
  const levels = new Int8Array(weight.length);
  const scales = new Float32Array((inner / group) * columns);
  const feedback = inputs ? feedbackOf(gram(inputs, inner), inner) : null;
  // What each number lost, row by row; only where it is fed back.
  const lost = feedback ? new Float32Array(weight.length) : null;
  for (let first = 0; first < inner; first += group) {
    const target = weight.slice(first * columns, (first + group) * columns);
    const scale = scales.subarray((first / group) * columns, (first / group + 1) * columns);
    const feed = (from: number, to: number, k: number): void => {
      const row = target.subarray((k - first) * columns, (k - first + 1) * columns);
      for (let j = from; j < to; j++)
        addScaled(row, lost!.subarray(j * columns, (j + 1) * columns), feedback![j * inner + k]!);
    };
    if (feedback) for (let k = first; k < first + group; k++) feed(0, first, k);
    fitScales(target, columns, bits, scale);
    for (let k = first; k < first + group; k++) {
      if (feedback) feed(first, k, k);
      for (let n = 0; n < columns; n++) {
        const at = k * columns + n;
        const wanted = target[at - first * columns]! / scale[n]!;
        levels[at] = Math.min(highest, Math.max(lowest, Math.round(wanted)));
        if (lost) lost[at] = weight[at]! - levels[at]! * scale[n]!;
      }
    }
  }
  return { bits, group, inner, columns, levels, scales };
}

/** The numbers that levels and scales stand for: [inner, columns]. */
export function restored({ inner, columns, group, levels, scales }: Rounded): Float32Array<ArrayBuffer> {
  const weight = new Float32Array(inner * columns);
  for (let k = 0; k < inner; k++) {
    const scale = Math.floor(k / group) * columns;
    for (let n = 0; n < columns; n++) weight[k * columns + n] = levels[k * columns + n]! * scales[scale + n]!;
  }
  return weight;
}

function addScaled(to: Float32Array, from: Float32Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * from[i]!;
}

/** X'X of inputs [samples, inner], damped: [inner, inner], the upper triangle alone. */
function gram(inputs: Float32Array, inner: number): Float64Array {
  const sums = new Float64Array(inner * inner);
  for (let at = 0; at < inputs.length; at += inner) {
    const row = inputs.subarray(at, at + inner);
    for (let i = 0; i < inner; i++) {
      const x = row[i]!;
      for (let j = i; j < inner; j++) sums[i * inner + j]! += x * row[j]!;
    }
  }
  let trace = 0;
  for (let i = 0; i < inner; i++) trace += sums[i * inner + i]!;
  // Inputs that were all zero say nothing.
  const extra = trace > 0 ? (damping * trace) / inner : 1;
  for (let i = 0; i < inner; i++) sums[i * inner + i]! += extra;
  return sums;
}

/**
 * The unit upper triangle R of H = R D R', in place, from the upper triangle of H: entry (j, k) says how much of the loss of row j row k makes good.
 * Columns are eliminated from the last to the first.
 */
function feedbackOf(h: Float64Array, inner: number): Float64Array {
  const pivots = new Float64Array(inner);
  for (let k = inner - 1; k >= 0; k--) {
    pivots[k] = h[k * inner + k]!;
    for (let j = 0; j < k; j++) pivots[j] = h[j * inner + k]! / pivots[k]!;
    for (let i = 0; i < k; i++) {
      const factor = h[i * inner + k]!;
      // Along a row of H, which lies together in memory.
      for (let j = i; j < k; j++) h[i * inner + j]! -= factor * pivots[j]!;
      h[i * inner + k] = pivots[i]!;
    }
  }
  return h;
}
