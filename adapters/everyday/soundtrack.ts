/** A plan as sound: excerpts at their levels with soft edges, over noise that swells a little. */
import { seededRandom } from '../../sdk/random.ts';
import { lowPass, peakOf, rmsOver, type Wave } from '../../sdk/toybox/synth.ts';
import type { Excerpt } from './excerpts.ts';
import { rate } from './sounds.ts';

/** Noise under everything; `level` in decibels of full scale, null for digital silence. `dark` in Hz: less of what lies above. */
export type Noise = { level: number | null; dark: number; swell: number; phase: number };

const edgeSeconds = 0.03;
const loudest = 0.95;

const amplitude = (decibels: number): number => 10 ** (decibels / 20);

/** Mono samples at `rate`, [seconds * rate]. */
export function soundtrackOf(plan: {
  seconds: number;
  seed: string;
  excerpts: readonly Excerpt[];
  noise: Noise;
}): Wave {
  const { seconds, seed, excerpts, noise } = plan;
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

function addExcerpt(wave: Wave, excerpt: Excerpt): void {
  const { sound, pieces, span, level, pace, echoes, dull } = excerpt;
  const first = Math.round(span[0] * rate);
  const own = new Float32Array(Math.max(0, Math.min(wave.length, Math.round(span[1] * rate)) - first));
  for (const piece of pieces) playPiece(own, sound.samples, piece, pace, first);
  if (dull !== null) {
    const filter = lowPass(rate, dull);
    for (let i = 0; i < own.length; i++) own[i] = filter(own[i]!);
  }
  const sounding = pieces.map(({ at, length }) => [at - span[0], at + length / pace - span[0]] as const);
  const gain = amplitude(level) / Math.max(1e-9, rmsOver(own, rate, sounding));
  for (const { delay, gain: share } of [{ delay: 0, gain: 1 }, ...echoes]) {
    const shift = first + Math.round(delay * rate);
    const end = Math.min(own.length, wave.length - shift);
    for (let i = 0; i < end; i++) wave[i + shift] = wave[i + shift]! + gain * share * own[i]!;
  }
}

/** Linear between samples: pieces are played a little slower or quicker. */
function playPiece(
  own: Float32Array,
  samples: Float32Array,
  { from, length, at }: Excerpt['pieces'][number],
  pace: number,
  first: number,
): void {
  const [target, count] = [Math.round(at * rate) - first, Math.round((length / pace) * rate)];
  const edge = Math.min(edgeSeconds * rate, count / 4);
  for (let i = 0; i < count && target + i < own.length; i++) {
    const place = from * rate + i * pace;
    const whole = Math.floor(place);
    const [a, b] = [samples[whole] ?? 0, samples[whole + 1] ?? 0];
    const fade = Math.min(1, (i + 1) / edge, (count - i) / edge);
    own[target + i] = own[target + i]! + fade * (a + (b - a) * (place - whole));
  }
}
