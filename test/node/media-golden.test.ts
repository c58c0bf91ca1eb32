/** The log-mel front end against a reference run of HTS-AT's (float32), which lies beside the checkout. */
import { expect, test } from 'vitest';
import type { LogMelFrontEnd } from '../../sdk/contract/manifest.ts';
import { createLogMel, createSpectrogram } from '../../sdk/front-end/log-mel.ts';
import { readSafetensors, tensorOf, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

const path = 'golden/htsat_small.safetensors';
const frontEnd: LogMelFrontEnd = {
  input: 'in',
  layout: 'image',
  repeat: 1,
  window: 1024,
  align: 'centre',
  spectrum: 'power',
  scale: 'slaney',
  log: 'decibel',
  sampleRate: 32_000,
  fftSize: 1024,
  hop: 320,
  mels: 64,
  minHz: 50,
  maxHz: 14_000,
  floor: 1e-10,
  frames: 101,
  mean: 0,
  std: 1,
};

// Skipped without ../shared/data/golden.
test.skipIf(sharedIsAbsent(path))(
  'HTS-AT: power within 1e-4 of the largest, log-mel within 0.01 dB above -90 dB',
  () => {
    const file = readSafetensors(readShared(path));
    const golden = (name: string) => toFloat32(tensorOf(file, name));
    const pcm = golden('in');
    const spec = golden('out.spec');
    const power = createSpectrogram(frontEnd)(pcm);
    expect(power.length).toBe(spec.length);
    const largest = spec.reduce((most, value) => Math.max(most, value), 0);
    const powerError = spec.reduce((most, value, i) => Math.max(most, Math.abs(value - power[i]!)), 0) / largest;
    expect(powerError).toBeLessThan(1e-4);

    const expected = golden('out.logmel');
    const out = createLogMel(frontEnd)(pcm);
    expect(out.length).toBe(expected.length);
    const errors = [...out].map((value, i) => (expected[i]! > -90 ? Math.abs(value - expected[i]!) : 0));
    expect(Math.max(...errors)).toBeLessThan(0.01);
  },
);
