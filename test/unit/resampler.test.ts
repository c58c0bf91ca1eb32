/** The resampler against what an ideal one would do with sines, constants and pieces. */
import { expect, test } from 'vitest';
import { createResampler } from '../../sdk/media/resampler.ts';

const sine = (rate: number, hz: number, length: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

function convert(input: Float32Array, from: number, to: number, piece = input.length): Float32Array {
  const resampler = createResampler(from, to);
  const parts: Float32Array[] = [];
  for (let at = 0; at < input.length; at += piece) parts.push(resampler.push(input.subarray(at, at + piece)));
  parts.push(resampler.finish());
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** Power of `signal` over power of its difference to `expected`, in dB, away from the ends. */
function snr(signal: Float32Array, expected: Float32Array): number {
  let [power, error] = [0, 0];
  for (let i = 1000; i < expected.length - 1000; i++) {
    power += expected[i]! ** 2;
    error += (signal[i]! - expected[i]!) ** 2;
  }
  return 10 * Math.log10(power / error);
}

test.each([
  [44_100, 32_000, 997],
  [44_100, 16_000, 6500],
  [48_000, 32_000, 14_000],
  [48_000, 16_000, 7100],
  [8000, 32_000, 3400],
  [22_050, 16_000, 3000],
  [192_000, 16_000, 5000],
  // 32,000 phases: interpolated between 1024.
  [44_101, 32_000, 5000],
])('a sine from %d to %d Hz at %d Hz stays that sine: over 90 dB', (from, to, hz) => {
  const out = convert(sine(from, hz, from / 2), from, to);
  expect(snr(out, sine(to, hz, Math.floor(to / 2)))).toBeGreaterThan(90);
});

test.each([
  [44_100, 32_000, 17_000],
  [48_000, 16_000, 8100],
  [44_100, 16_000, 12_345],
  [192_000, 16_000, 40_000],
])('from %d to %d Hz a tone of %d Hz, which has no place there, is 95 dB down', (from, to, hz) => {
  const out = convert(sine(from, hz, from / 2), from, to);
  const inner = out.subarray(1000, -1000);
  const rms = Math.sqrt(inner.reduce((sum, value) => sum + value * value, 0) / inner.length);
  expect(20 * Math.log10(rms * Math.SQRT2)).toBeLessThan(-95);
});

test('a constant stays the same constant', () => {
  for (const [from, to] of [
    [44_100, 32_000],
    [8000, 48_000],
    [44_101, 16_000],
  ] as const) {
    const out = convert(new Float32Array(from / 4).fill(0.75), from, to).subarray(600, -600);
    expect(out.every((value) => Math.abs(value - 0.75) < 1e-6)).toBe(true);
  }
});

test.each([
  [44_100, 32_000],
  [48_000, 16_000],
  [16_000, 44_100],
  [44_101, 16_000],
])('%d to %d Hz: pieces of any length give the same bits', (from, to) => {
  const input = sine(from, 440, 9000);
  const whole = convert(input, from, to);
  expect(whole.length).toBe(Math.ceil((9000 * to) / from));
  for (const piece of [1, 7, 1024]) expect(convert(input, from, to, piece)).toEqual(whole);
});

test('equal rates pass through', () => {
  const input = sine(16_000, 100, 333);
  expect(convert(input, 16_000, 16_000, 50)).toEqual(input);
});

/** The definition, one multiplication after the other: a Kaiser-windowed sinc, each output from the input around it. */
function slowly(input: Float32Array, from: number, to: number): Float32Array {
  const [zeroCrossings, cutoff, beta] = [64, 0.95, 10.06];
  const bandwidth = Math.min(1, to / from);
  const bessel = (x: number) => {
    let [term, sum] = [1, 1];
    for (let k = 1; term > sum * 1e-17; k++) sum += term *= (x * x) / 4 / (k * k);
    return sum;
  };
  const weight = (offset: number) => {
    const at = offset * bandwidth;
    const edge = at / zeroCrossings;
    if (Math.abs(edge) >= 1) return 0;
    const angle = Math.PI * at * cutoff;
    return (angle === 0 ? 1 : Math.sin(angle) / angle) * bessel(beta * Math.sqrt(1 - edge * edge));
  };
  return Float32Array.from({ length: Math.ceil((input.length * to) / from) }, (_, m) => {
    // Taken apart in whole numbers: a tap at the very edge counts, or not, by the last bit.
    const [whole, rest] = [Math.floor((m * from) / to), ((m * from) % to) / to];
    const reach = Math.ceil(zeroCrossings / bandwidth);
    let [sum, weights] = [0, 0];
    for (let n = whole - reach + 1; n <= whole + reach; n++) {
      const share = weight(n - whole - rest);
      weights += share;
      sum += share * (input[n] ?? 0);
    }
    return sum / weights;
  });
}

test.each([
  [48_000, 32_000],
  [44_100, 32_000],
  [44_100, 16_000],
  [8000, 16_000],
])('%d to %d Hz: noise within 2e-7 of the definition', (from, to) => {
  let state = 1;
  const input = Float32Array.from({ length: 2500 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state / 2_147_483_647) * 2 - 1;
  });
  const expected = slowly(input, from, to);
  const worst = Math.max(...convert(input, from, to, 700).map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst).toBeLessThan(2e-7);
});
