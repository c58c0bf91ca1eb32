/** Building blocks of sound: things that ring, noise, filters. All add to or work on mono waves at any rate. */
import type { Span } from './types.ts';

export type Wave = Float32Array<ArrayBuffer>;

/** Adds a damped sine that starts at `start` seconds: `frequency` in Hz, `decay` is the time to 1/e. One recurrence of two steps per sample. */
export function addRing(
  wave: Wave,
  rate: number,
  start: number,
  { frequency, decay, level }: { frequency: number; decay: number; level: number },
): void {
  if (frequency >= 0.45 * rate) return;
  const first = Math.round(start * rate);
  const end = Math.min(wave.length, first + Math.round(7 * decay * rate));
  const shrink = Math.exp(-1 / (decay * rate));
  const turn = (2 * Math.PI * frequency) / rate;
  const [near, far] = [2 * shrink * Math.cos(turn), -shrink * shrink];
  let last = 0;
  let before = (-level * Math.sin(turn)) / shrink;
  for (let i = first; i < end; i++) {
    if (i >= 0) wave[i] = wave[i]! + last;
    const next = near * last + far * before;
    before = last;
    last = next;
  }
}

export type Filter = (input: number) => number;

/** A resonance at `frequency` Hz, 0 dB at its peak (biquad of R. Bristow-Johnson's cookbook). */
export function bandPass(rate: number, frequency: number, q: number): Filter {
  const turn = (2 * Math.PI * Math.min(frequency, 0.45 * rate)) / rate;
  const alpha = Math.sin(turn) / (2 * q);
  const a0 = 1 + alpha;
  const [b, a1, a2] = [alpha / a0, (-2 * Math.cos(turn)) / a0, (1 - alpha) / a0];
  let x1 = 0;
  let x2 = 0;
  let y1 = 0;
  let y2 = 0;
  return (x) => {
    const y = b * (x - x2) - a1 * y1 - a2 * y2;
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
    return y;
  };
}

/** One pole: -3 dB at `frequency` Hz. */
export function lowPass(rate: number, frequency: number): Filter {
  const keep = Math.exp((-2 * Math.PI * frequency) / rate);
  let last = 0;
  return (x) => {
    last = x * (1 - keep) + last * keep;
    return last;
  };
}

/** Adds `at(seconds since start)` for `length` seconds. */
export function addSound(
  wave: Wave,
  rate: number,
  start: number,
  length: number,
  at: (seconds: number) => number,
): void {
  const first = Math.max(0, Math.round(start * rate));
  const end = Math.min(wave.length, Math.round((start + length) * rate));
  for (let i = first; i < end; i++) wave[i] = wave[i]! + at((i - first) / rate);
}

/** Silences everything outside the spans; edges take some milliseconds. */
export function gate(wave: Wave, rate: number, spans: readonly Span[]): void {
  const [attack, release] = [0.004 * rate, 0.06 * rate];
  let at = 0;
  for (const [start, end] of spans) {
    const [first, last] = [Math.round(start * rate), Math.min(wave.length, Math.round(end * rate))];
    wave.fill(0, at, first);
    for (let i = first; i < last; i++) {
      wave[i] = wave[i]! * Math.min(1, (i - first) / attack, (last - i) / release);
    }
    at = last;
  }
  wave.fill(0, at);
}

/** Largest magnitude. */
export const peakOf = (wave: Float32Array): number => wave.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0);

/** Root mean square over the spans. */
export function rmsOver(wave: Float32Array, rate: number, spans: readonly Span[]): number {
  let [sum, count] = [0, 0];
  for (const [start, end] of spans) {
    const last = Math.min(wave.length, Math.round(end * rate));
    for (let i = Math.round(start * rate); i < last; i++, count++) sum += wave[i]! * wave[i]!;
  }
  return count === 0 ? 0 : Math.sqrt(sum / count);
}
