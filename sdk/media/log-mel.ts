/** The sound front end: from one second of PCM to the log-mel picture that an audio backbone reads. Pure arithmetic in float64, the same everywhere. */
import { MettleError } from '../errors.ts';
import type { LogMelFrontEnd } from '../hub/manifest.ts';
import { createPowerFft } from './fft.ts';

type SpectrogramShape = { sampleRate: number; fftSize: number; hop: number; frames: number };

/**
 * Makes a function from PCM [sampleRate] in [-1, 1] to `(10 log10(max(mel power, floor)) - mean) / std` [frames, mels], row by row. The returned array is fresh at
 * each call; the tables and buffers in between are kept. Throws `invalid-argument` for a front end that cannot be, or PCM of another length.
 */
export function createLogMel(frontEnd: LogMelFrontEnd): (pcm: Float32Array) => Float32Array<ArrayBuffer> {
  checkFrontEnd(frontEnd);
  const { frames, mels, floor, mean, std } = frontEnd;
  const bins = frontEnd.fftSize / 2 + 1;
  const spectrogram = createSpectrogram(frontEnd);
  const filters = melFilters(frontEnd);
  return (pcm) => {
    const power = spectrogram(pcm);
    const out = new Float32Array(frames * mels);
    for (let frame = 0; frame < frames; frame++) {
      for (let mel = 0; mel < mels; mel++) {
        const { first, weights } = filters[mel]!;
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * power[frame * bins + first + k]!;
        out[frame * mels + mel] = (10 * Math.log10(Math.max(sum, floor)) - mean) / std;
      }
    }
    return out;
  };
}

/**
 * Makes a function from PCM [sampleRate] to the power spectrogram [frames, fftSize / 2 + 1]: periodic Hann window, frame t centred on sample t * hop, the signal
 * reflected at both ends (without repeating the end sample). The returned array is used again by the next call.
 */
export function createSpectrogram(shape: SpectrogramShape): (pcm: Float32Array) => Float64Array {
  const { sampleRate, fftSize, hop, frames } = shape;
  const bins = fftSize / 2 + 1;
  const fft = createPowerFft(fftSize);
  const hann = Float64Array.from({ length: fftSize }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / fftSize));
  const windowed = new Float64Array(fftSize);
  const power = new Float64Array(frames * bins);
  return (pcm) => {
    if (pcm.length !== sampleRate) {
      throw new MettleError(
        'invalid-argument',
        `pcm holds ${pcm.length} samples; expected one second, ${sampleRate} samples.`,
        { hint: `Ask segments() for sampleRate ${sampleRate}.` },
      );
    }
    for (let frame = 0; frame < frames; frame++) {
      const start = frame * hop - fftSize / 2;
      for (let i = 0; i < fftSize; i++) windowed[i] = hann[i]! * pcm[reflect(start + i, sampleRate)]!;
      fft(windowed, power.subarray(frame * bins, (frame + 1) * bins));
    }
    return power;
  };
}

function reflect(index: number, length: number): number {
  if (index < 0) return -index;
  return index < length ? index : 2 * (length - 1) - index;
}

type MelFilter = { first: number; weights: Float64Array };

/**
 * Triangles whose corners lie evenly on Slaney's mel scale, each with an area of one in Hz (Slaney, "Auditory Toolbox", technical report 1998-010; the convention that
 * librosa calls `htk=False, norm="slaney"`).
 */
function melFilters({ sampleRate, fftSize, mels, minHz, maxHz }: LogMelFrontEnd): MelFilter[] {
  const bins = fftSize / 2 + 1;
  const low = hzToMel(minHz);
  const step = (hzToMel(maxHz) - low) / (mels + 1);
  const corners = Array.from({ length: mels + 2 }, (_, i) => melToHz(low + i * step));
  return Array.from({ length: mels }, (_, mel) => {
    const [left, middle, right] = [corners[mel]!, corners[mel + 1]!, corners[mel + 2]!];
    const weight = (bin: number) => {
      const hz = (bin * sampleRate) / fftSize;
      const height = Math.min((hz - left) / (middle - left), (right - hz) / (right - middle));
      return Math.max(0, height) * (2 / (right - left));
    };
    let first = 0;
    while (first < bins && weight(first) === 0) first++;
    let end = first;
    while (end < bins && weight(end) > 0) end++;
    return { first, weights: Float64Array.from({ length: end - first }, (_, k) => weight(first + k)) };
  });
}

/** Linear below 1000 Hz (15 mel), logarithmic above, a factor of 6.4 in 27 steps. */
const hzPerMel = 200 / 3;
const bendHz = 1000;
const bendMel = bendHz / hzPerMel;
const logStep = Math.log(6.4) / 27;

function hzToMel(hz: number): number {
  return hz < bendHz ? hz / hzPerMel : bendMel + Math.log(hz / bendHz) / logStep;
}

function melToHz(mel: number): number {
  return mel < bendMel ? mel * hzPerMel : bendHz * Math.exp(logStep * (mel - bendMel));
}

function checkFrontEnd(frontEnd: LogMelFrontEnd): void {
  const { sampleRate, fftSize, hop, mels, minHz, maxHz, floor, frames, std } = frontEnd;
  const demand = (holds: boolean, name: string, value: number, expected: string) => {
    if (holds) return;
    throw new MettleError('invalid-argument', `frontEnd.${name} is ${value}; expected ${expected}.`, {
      hint: 'Take the front end from inputs.audio in the manifest of the backbone.',
    });
  };
  const whole = (value: number) => Number.isInteger(value) && value > 0;
  demand(whole(sampleRate), 'sampleRate', sampleRate, 'a whole number above 0');
  demand(
    whole(fftSize) && fftSize >= 4 && Number.isInteger(Math.log2(fftSize)),
    'fftSize',
    fftSize,
    'a power of two from 4 up',
  );
  demand(fftSize / 2 < sampleRate, 'fftSize', fftSize, `less than two seconds, ${2 * sampleRate} samples`);
  demand(whole(hop), 'hop', hop, 'a whole number above 0');
  demand(whole(mels), 'mels', mels, 'a whole number above 0');
  demand(minHz >= 0, 'minHz', minHz, '0 or more');
  demand(maxHz > minHz && maxHz <= sampleRate / 2, 'maxHz', maxHz, `more than minHz and at most ${sampleRate / 2}`);
  demand(floor > 0, 'floor', floor, 'a power above 0');
  const available = 1 + Math.floor(sampleRate / hop);
  demand(whole(frames) && frames <= available, 'frames', frames, `a whole number from 1 to ${available}`);
  demand(Number.isFinite(std) && std !== 0, 'std', std, 'a number other than 0');
}
