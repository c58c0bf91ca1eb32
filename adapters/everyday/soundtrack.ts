/** A plan as sound: excerpts at their levels with soft edges, over noise that swells a little. */
import { seededRandom } from '../../sdk/random.ts';
import { lowPass, peakOf, rmsOver, type Wave } from '../../sdk/toybox/synth.ts';
import type { ClipPlan, Excerpt, Noise } from './plan.ts';
import { rate } from './sounds.ts';

const edgeSeconds = 0.03;
const loudest = 0.95;

const amplitude = (decibels: number): number => 10 ** (decibels / 20);

/** Mono samples at `rate`, [seconds * rate]. */
export function soundtrackOf({ seconds, seed, excerpts, noise }: ClipPlan): Wave {
  const wave = noiseOf(noise, seconds, seed);
  for (const excerpt of excerpts) addExcerpt(wave, excerpt);
  const peak = peakOf(wave);
  return peak > loudest ? wave.map((value) => (value * loudest) / peak) : wave;
}

function noiseOf({ level, dark, swell, phase }: Noise, seconds: number, seed: string): Wave {
  const wave = new Float32Array(seconds * rate);
  if (level === null) return wave;
  const random = seededRandom(`${seed}/hiss`);
  const filter = lowPass(rate, dark);
  for (let i = 0; i < wave.length; i++) {
    const white = 2 * random() - 1;
    const gain = amplitude(swell * Math.sin(2 * Math.PI * (i / wave.length + phase)));
    wave[i] = gain * (filter(white) + 0.05 * white);
  }
  const scale = amplitude(level) / rmsOver(wave, rate, [[0, seconds]]);
  return wave.map((value) => value * scale);
}

function addExcerpt(wave: Wave, { sound, from, length, at, spans, level }: Excerpt): void {
  const [source, target, count] = [from, at, length].map((time) => Math.round(time * rate)) as [number, number, number];
  const inTake = spans.map(([start, end]) => [start - at + from, end - at + from] as const);
  const gain = amplitude(level) / Math.max(1e-9, rmsOver(sound.samples, rate, inTake));
  const edge = edgeSeconds * rate;
  for (let i = 0; i < count && target + i < wave.length; i++) {
    const fade = Math.min(1, i / edge, (count - i) / edge);
    wave[target + i] = wave[target + i]! + gain * fade * (sound.samples[source + i] ?? 0);
  }
}
