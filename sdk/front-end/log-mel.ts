/**
 * The sound front end: from one second of PCM to the log-mel picture that an audio backbone reads. Pure arithmetic in float64, the same everywhere.
 * A second that is repeated costs little more than one that is not: frames that see the same samples a period later are the same, and are copied.
 */

import { logMelFault } from '../contract/front-end.ts';
import type { LogMelFrontEnd } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';
import { createPowerFft } from './fft.ts';
import { type MelFilter, melFilters } from './mel.ts';

type SpectrogramShape = Pick<
  LogMelFrontEnd,
  'sampleRate' | 'repeat' | 'window' | 'fftSize' | 'hop' | 'align' | 'frames'
>;

/**
 * Makes a function from PCM [sampleRate] in [-1, 1] to `(log(mel) - mean) / std` [frames, mels], row by row. The returned array is fresh at each call; the
 * tables and buffers in between are kept. Throws `invalid-argument` for a front end that cannot be, or PCM of another length.
 */
export function createLogMel(frontEnd: LogMelFrontEnd): (pcm: Float32Array) => Float32Array<ArrayBuffer> {
  checkFrontEnd(frontEnd);
  const { frames, mels, floor, mean, std } = frontEnd;
  const transform = createTransform(frontEnd);
  const sources = equalFrames(frontEnd);
  const filters = melFilters(frontEnd);
  const spectrum = new Float64Array(frontEnd.fftSize / 2 + 1);
  const isMagnitude = frontEnd.spectrum === 'magnitude';
  const compress =
    frontEnd.log === 'natural'
      ? (x: number) => Math.log(x + floor)
      : (x: number) => 10 * Math.log10(Math.max(x, floor));
  return (pcm) => {
    checkLength(pcm, frontEnd.sampleRate);
    const out = new Float32Array(frames * mels);
    for (let frame = 0; frame < frames; frame++) {
      const source = sources[frame]!;
      if (source < frame) {
        out.copyWithin(frame * mels, source * mels, (source + 1) * mels);
        continue;
      }
      transform(pcm, frame, spectrum);
      if (isMagnitude) for (let bin = 0; bin < spectrum.length; bin++) spectrum[bin] = Math.sqrt(spectrum[bin]!);
      for (let mel = 0; mel < mels; mel++) {
        out[frame * mels + mel] = (compress(sumOf(filters[mel]!, spectrum)) - mean) / std;
      }
    }
    return out;
  };
}

/** Makes a function from PCM [sampleRate] to the power spectrogram [frames, fftSize / 2 + 1]; every frame is transformed. */
export function createSpectrogram(shape: SpectrogramShape): (pcm: Float32Array) => Float64Array {
  const { frames, fftSize, sampleRate } = shape;
  const bins = fftSize / 2 + 1;
  const transform = createTransform(shape);
  return (pcm) => {
    checkLength(pcm, sampleRate);
    const power = new Float64Array(frames * bins);
    for (let frame = 0; frame < frames; frame++) {
      transform(pcm, frame, power.subarray(frame * bins, (frame + 1) * bins));
    }
    return power;
  };
}

/**
 * Writes the power of one frame: a periodic Hann window on the repeated second, with zeros up to `fftSize`. Centred frames see the sound reflected at both of
 * its ends (without repeating the end sample).
 */
function createTransform(shape: SpectrogramShape): (pcm: Float32Array, frame: number, power: Float64Array) => void {
  const { sampleRate, window, fftSize } = shape;
  const samples = sampleRate * shape.repeat;
  const fft = createPowerFft(fftSize);
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const windowed = new Float64Array(fftSize);
  return (pcm, frame, power) => {
    const start = firstSample(shape, frame);
    for (let i = 0; i < window; i++) windowed[i] = hann[i]! * pcm[reflect(start + i, samples) % sampleRate]!;
    fft(windowed, power);
  };
}

/** For each frame the earliest that sees the same samples: one a period before it, where neither of them reaches over an end of the sound. */
function equalFrames(shape: SpectrogramShape): Int32Array {
  const { sampleRate, repeat, window, hop, frames } = shape;
  const period = sampleRate / hop;
  const sources = Int32Array.from({ length: frames }, (_, frame) => frame);
  if (!Number.isInteger(period)) return sources;
  for (let frame = period; frame < frames; frame++) {
    const isInside =
      firstSample(shape, frame - period) >= 0 && firstSample(shape, frame) + window <= sampleRate * repeat;
    if (isInside) sources[frame] = sources[frame - period]!;
  }
  return sources;
}

const firstSample = ({ align, hop, window }: SpectrogramShape, frame: number): number =>
  frame * hop - (align === 'centre' ? Math.floor(window / 2) : 0);

function reflect(index: number, length: number): number {
  if (index < 0) return -index;
  return index < length ? index : 2 * (length - 1) - index;
}

function sumOf({ first, weights }: MelFilter, spectrum: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < weights.length; k++) sum += weights[k]! * spectrum[first + k]!;
  return sum;
}

function checkLength(pcm: Float32Array, sampleRate: number): void {
  if (pcm.length === sampleRate) return;
  throw new MettleError(
    'invalid-argument',
    `pcm holds ${pcm.length} samples; expected one second, ${sampleRate} samples.`,
    { hint: `Ask segments() for sampleRate ${sampleRate}.` },
  );
}

function checkFrontEnd(frontEnd: LogMelFrontEnd): void {
  const demand = (holds: boolean, name: keyof LogMelFrontEnd, expected: string) => {
    if (holds) return;
    throw new MettleError('invalid-argument', `frontEnd.${name} is ${frontEnd[name]}; expected ${expected}.`, {
      hint: 'Take the front end from inputs.audio in the manifest of the backbone.',
    });
  };
  for (const name of ['sampleRate', 'repeat', 'window', 'fftSize', 'hop', 'mels', 'frames'] as const) {
    demand(Number.isInteger(frontEnd[name]) && frontEnd[name] > 0, name, 'a whole number above 0');
  }
  demand(frontEnd.minHz >= 0, 'minHz', '0 or more');
  demand(frontEnd.floor > 0, 'floor', 'a number above 0');
  demand(Number.isFinite(frontEnd.std) && frontEnd.std !== 0, 'std', 'a number other than 0');
  const fault = logMelFault(frontEnd);
  if (fault) demand(false, fault.field, fault.expected);
}
