/**
 * Changes the sample rate of a mono stream, piece by piece: a polyphase windowed sinc, the same in a page and in Node. It places nothing in time; output
 * sample m lies at m / outputRate seconds if input sample n lies at n / inputRate.
 *
 * Design (Kaiser window; Kaiser 1974, and Oppenheim & Schafer, "Discrete-Time Signal Processing", 7.5): beta 10.06 for 100 dB, 64 zero crossings on each side, cutoff
 * at 0.95 of the lower Nyquist frequency. Below 0.9 of it the response is flat within 0.001 dB, above it images and aliases are at least 95 dB down. Every phase
 * sums to one, so a constant stays exactly that constant.
 */

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

/** Rates in Hz, whole numbers above zero. */
export function createResampler(inputRate: number, outputRate: number): Resampler {
  if (inputRate === outputRate) return { push: (input) => input.slice(), finish: () => new Float32Array(0) };
  const divisor = gcd(inputRate, outputRate);
  const up = outputRate / divisor;
  const down = inputRate / divisor;
  const bank = makeBank(inputRate, outputRate, up);
  const { half } = bank;

  // `held[0]` is input sample `first`; the stream starts with silence.
  let held = new Float32Array(half - 1);
  let first = 1 - half;
  let received = 0;
  let produced = 0;

  const take = (input: Float32Array, limit: number): Float32Array => {
    const joined = new Float32Array(held.length + input.length);
    joined.set(held);
    joined.set(input, held.length);
    const last = first + joined.length - 1;
    // Output m needs input up to floor(m * down / up) + half.
    const ready = Math.min(limit, Math.max(produced, Math.ceil(((last - half + 1) * up) / down)));
    const out = new Float32Array(ready - produced);
    for (let i = 0; i < out.length; i++) {
      const position = (produced + i) * down;
      const whole = Math.floor(position / up);
      out[i] = bank.dot(joined, whole - half + 1 - first, position - whole * up);
    }
    produced = ready;
    const keepFrom = Math.min(last + 1, Math.floor((produced * down) / up) - half + 1);
    held = joined.slice(keepFrom - first);
    first = keepFrom;
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
  /** The output sample whose first tap is `samples[start]`, `phase` steps of 1/up after an input sample. */
  dot(samples: Float32Array, start: number, phase: number): number;
};

function makeBank(inputRate: number, outputRate: number, up: number): Bank {
  const bandwidth = Math.min(1, outputRate / inputRate);
  const half = Math.ceil(zeroCrossings / bandwidth);
  const taps = 2 * half;
  const phases = Math.min(up, mostPhases);
  const exact = phases === up;
  const table = new Float64Array((phases + 1) * taps);
  for (let phase = 0; phase <= phases; phase++) {
    const row = table.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += row[k] = kernel(k - half + 1 - phase / phases, bandwidth);
    for (let k = 0; k < taps; k++) row[k] = row[k]! / sum;
  }
  return {
    half,
    dot(samples, start, phase) {
      const position = exact ? phase : (phase * phases) / up;
      const row = Math.floor(position);
      const low = rowDot(table, row * taps, samples, start, taps);
      const share = position - row;
      return share === 0 ? low : low + share * (rowDot(table, (row + 1) * taps, samples, start, taps) - low);
    },
  };
}

function rowDot(table: Float64Array, row: number, samples: Float32Array, start: number, taps: number): number {
  let sum = 0;
  for (let k = 0; k < taps; k++) sum += table[row + k]! * samples[start + k]!;
  return sum;
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

/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
