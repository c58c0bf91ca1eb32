/** The log-mel front end against its definition, written out slowly in float64. */
import { expect, test } from 'vitest';
import type { LogMelFrontEnd } from '../../sdk/contract/manifest.ts';
import { MettleError } from '../../sdk/errors.ts';
import { createLogMel, createSpectrogram } from '../../sdk/front-end/log-mel.ts';
import { randomNumbers } from './fuzz.ts';

const frontEnd: LogMelFrontEnd = {
  input: 'audio',
  layout: 'image',
  repeat: 1,
  window: 128,
  align: 'centre',
  spectrum: 'power',
  scale: 'slaney',
  log: 'decibel',
  sampleRate: 2000,
  fftSize: 128,
  hop: 50,
  mels: 12,
  minHz: 30,
  maxHz: 950,
  floor: 1e-10,
  frames: 38,
  mean: -20,
  std: 8,
};

const noise = (length: number) => {
  const random = randomNumbers(5);
  return Float32Array.from({ length }, (_, i) => 0.4 * Math.sin(i * 0.7) + 0.2 * (random() - 0.5));
};

/** |DFT|^2 of frame `frame`, term by term. */
function slowPower(pcm: Float32Array, frame: number): number[] {
  const { fftSize, hop } = frontEnd;
  return Array.from({ length: fftSize / 2 + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < fftSize; n++) {
      let at = Math.abs(frame * hop - fftSize / 2 + n);
      if (at >= pcm.length) at = 2 * pcm.length - 2 - at;
      const value = pcm[at]! * Math.sin((Math.PI * n) / fftSize) ** 2;
      re += value * Math.cos((2 * Math.PI * k * n) / fftSize);
      im -= value * Math.sin((2 * Math.PI * k * n) / fftSize);
    }
    return re * re + im * im;
  });
}

/** Slaney's scale below 1000 Hz is linear; the formula above it in another form than the SDK's. */
const toMel = (hz: number) => (hz < 1000 ? (3 * hz) / 200 : 15 + 27 * (Math.log(hz / 1000) / Math.log(6.4)));

test('the power spectrum is that of the definition', () => {
  const pcm = noise(frontEnd.sampleRate);
  const power = createSpectrogram(frontEnd)(pcm);
  const bins = frontEnd.fftSize / 2 + 1;
  for (const frame of [0, 1, 20, 37]) {
    const expected = slowPower(pcm, frame);
    for (let k = 0; k < bins; k++) expect(Math.abs(power[frame * bins + k]! - expected[k]!)).toBeLessThan(1e-9);
  }
});

test('log-mel is the definition within 1e-4 standard deviations', () => {
  const pcm = noise(frontEnd.sampleRate);
  const out = createLogMel(frontEnd)(pcm);
  expect(out.length).toBe(frontEnd.frames * frontEnd.mels);
  const { mels, minHz, maxHz, sampleRate, fftSize } = frontEnd;
  const edge = (i: number) => ((toMel(minHz) + ((toMel(maxHz) - toMel(minHz)) * i) / (mels + 1)) * 200) / 3;
  for (const frame of [0, 7, 37]) {
    const power = slowPower(pcm, frame);
    for (let mel = 0; mel < mels; mel++) {
      const [left, top, right] = [edge(mel), edge(mel + 1), edge(mel + 2)];
      let sum = 0;
      for (let k = 0; k < power.length; k++) {
        const hz = (k * sampleRate) / fftSize;
        const slope = hz <= top ? (hz - left) / (top - left) : (right - hz) / (right - top);
        sum += (Math.max(0, slope) * 2 * power[k]!) / (right - left);
      }
      const expected = (10 * Math.log10(Math.max(sum, 1e-10)) + 20) / 8;
      expect(Math.abs(out[frame * mels + mel]! - expected)).toBeLessThan(1e-4);
    }
  }
});

test('silence gives the floor, and each call an array of its own', () => {
  const logMel = createLogMel({ ...frontEnd, mean: 0, std: 1 });
  const first = logMel(new Float32Array(2000));
  expect(new Set(first)).toEqual(new Set([-100]));
  logMel(noise(2000));
  expect(first[0]).toBe(-100);
});

test.each([
  ['fftSize', 100],
  ['hop', 0],
  ['mels', 1.5],
  ['maxHz', 1001],
  ['floor', 0],
  ['frames', 42],
  ['std', 0],
])('refuses %s = %d', (name, value) => {
  expect(() => createLogMel({ ...frontEnd, [name]: value })).toThrow(
    expect.objectContaining({
      code: 'invalid-argument',
      message: expect.stringContaining(`frontEnd.${name} is ${value}`),
    }),
  );
});

test('refuses another length than one second', () => {
  expect(() => createLogMel(frontEnd)(new Float32Array(1999))).toThrow(MettleError);
});
