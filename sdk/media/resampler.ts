/**
 * Changes the sample rate of a mono stream, piece by piece: a polyphase windowed sinc, the same in a page and in Node. It places nothing in time; output
 * sample m lies at m / outputRate seconds if input sample n lies at n / inputRate.
 *
 * Design (Kaiser window; Kaiser 1974, and Oppenheim & Schafer, "Discrete-Time Signal Processing", 7.5): beta 10.06 for 100 dB, 64 zero crossings on each side, cutoff
 * at 0.95 of the lower Nyquist frequency. Below 0.9 of it the response is flat within 0.001 dB, above it images and aliases are at least 95 dB down. Every phase
 * sums to one, so a constant stays exactly that constant.
 */
import { createDotProduct, dotStep } from './dot-product.ts';

export interface Resampler {
  /** The output that follows from all input so far. Cutting the input into other pieces gives the same samples, bit for bit. */
  push(input: Float32Array): Float32Array;
  /** The rest, as if silence followed: in all, `ceil(samples in * outputRate / inputRate)` samples come out. */
  finish(): Float32Array;
}

const zeroCrossings = 64;
const cutoff = 0.95;
const beta = 10.06;
/** Rates whose ratio needs more phases than this get interpolated ones (error below -110 dB). */
const mostPhases = 1024;

/** Input is taken in runs of at most this many samples, so that the memory never grows. */
const longestRun = 8192;

/** Rates in Hz, whole numbers above zero. */
export function createResampler(inputRate: number, outputRate: number): Resampler {
  if (inputRate === outputRate) return { push: (input) => input.slice(), finish: () => new Float32Array(0) };
  const divisor = gcd(inputRate, outputRate);
  const up = outputRate / divisor;
  const down = inputRate / divisor;
  const { half, held, dot } = makeBank(inputRate, outputRate, up);

  // `held[0]` is input sample `first`; the stream starts with silence.
  let filled = half - 1;
  let first = 1 - half;
  let received = 0;
  let produced = 0;

  /** Output m needs input up to floor(m * down / up) + half: how many are ready once the input ends before `end`. */
  const readyAt = (end: number) => Math.max(produced, Math.ceil(((end - half) * up) / down));

  const takeRun = (input: Float32Array, out: Float32Array, limit: number): number => {
    held.set(input, filled);
    filled += input.length;
    const ready = Math.min(limit, readyAt(first + filled));
    const count = ready - produced;
    // Output by output of one phase, so that its row of the table is read while it is near.
    for (let i = 0; i < Math.min(count, up); i++) {
      const position = (produced + i) * down;
      const whole = Math.floor(position / up);
      const phase = position - whole * up;
      for (let j = i, start = whole - half + 1 - first; j < count; j += up, start += down) out[j] = dot(start, phase);
    }
    produced = ready;
    const spent = Math.min(filled, Math.floor((produced * down) / up) - half + 1 - first);
    held.copyWithin(0, spent, filled);
    filled -= spent;
    first += spent;
    return count;
  };

  const take = (input: Float32Array, limit: number): Float32Array => {
    const out = new Float32Array(Math.min(limit, readyAt(first + filled + input.length)) - produced);
    let at = 0;
    for (let from = 0; from < input.length; from += longestRun) {
      at += takeRun(input.subarray(from, from + longestRun), out.subarray(at), limit);
    }
    return out;
  };
  return {
    push(input) {
      received += input.length;
      return take(input, Number.POSITIVE_INFINITY);
    },
    finish() {
      return take(new Float32Array(half + 1), Math.ceil((received * up) / down));
    },
  };
}

type Bank = {
  /** Taps on each side of an output sample. */
  half: number;
  /** Where input samples lie for `dot`: room for those that wait, and for one run. */
  held: Float64Array;
  /** The output sample whose first tap is `held[start]`, `phase` steps of 1/up after an input sample. */
  dot(start: number, phase: number): number;
};

function makeBank(inputRate: number, outputRate: number, up: number): Bank {
  const bandwidth = Math.min(1, outputRate / inputRate);
  // Taps beyond the last zero crossing are zeros.
  const half = (Math.ceil((2 * zeroCrossings) / bandwidth / dotStep) * dotStep) / 2;
  const taps = 2 * half;
  const phases = Math.min(up, mostPhases);
  const exact = phases === up;
  const tableLength = (phases + 1) * taps;
  const { memory, dot } = createDotProduct(tableLength + taps + longestRun);
  fillTable(memory, phases, half, bandwidth);
  return {
    half,
    held: memory.subarray(tableLength),
    dot(start, phase) {
      if (exact) return dot(phase * taps, tableLength + start, taps);
      const position = (phase * phases) / up;
      const row = Math.floor(position);
      const low = dot(row * taps, tableLength + start, taps);
      return low + (position - row) * (dot((row + 1) * taps, tableLength + start, taps) - low);
    },
  };
}

/** Row `phase` of `2 * half` taps; each sums to one. The sinc is even, so a row from the middle on is one from before it, backwards. */
function fillTable(table: Float64Array, phases: number, half: number, bandwidth: number): void {
  const taps = 2 * half;
  const rowOf = (phase: number) => table.subarray(phase * taps, (phase + 1) * taps);
  for (let phase = 0; phase <= phases / 2; phase++) {
    const row = rowOf(phase);
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += row[k] = kernel(k - half + 1 - phase / phases, bandwidth);
    for (let k = 0; k < taps; k++) row[k] = row[k]! / sum;
    rowOf(phases - phase).set(row.slice().reverse());
  }
}

/** Kaiser-windowed sinc at `offset` input samples from its centre; scale is free, rows are normalised. */
function kernel(offset: number, bandwidth: number): number {
  const at = offset * bandwidth;
  const edge = at / zeroCrossings;
  if (Math.abs(edge) >= 1) return 0;
  const angle = Math.PI * at * cutoff;
  const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
  return sinc * besselI0(beta * Math.sqrt(1 - edge * edge));
}

/** 1 / k^2 for k from 1 on: more than the series of any argument here has terms. */
const inverseSquares = Float64Array.from({ length: 64 }, (_, k) => 1 / (k + 1) ** 2);

/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 0; term > sum * 1e-17; k++) {
    term *= quarter * inverseSquares[k]!;
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
