/**
 * A second that is repeated before its transform: the result is that of the whole repeated waveform, to the bit, though most frames are only copied.
 * HTS-AT reads its second ten times.
 */
import { describe, expect, test } from 'vitest';
import type { LogMelFrontEnd } from '../../sdk/contract/manifest.ts';
import { createLogMel, createSpectrogram } from '../../sdk/front-end/log-mel.ts';
import { melFilters } from '../../sdk/front-end/mel.ts';
import { presets } from '../../sdk/models/presets.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';

const htsAt = presets['hts-at'].frontEnd;

const noise = (length: number): Float32Array => {
  const random = seededRandom('front end');
  return Float32Array.from({ length }, () => 0.1 * gaussian(random));
};

/** Every frame of the repeated waveform transformed by itself, as one long sound without repetition. */
function longWay(frontEnd: LogMelFrontEnd, pcm: Float32Array): Float32Array {
  const { repeat, sampleRate, frames, mels, floor, fftSize } = frontEnd;
  const long = new Float32Array(repeat * sampleRate);
  for (let i = 0; i < repeat; i++) long.set(pcm, i * sampleRate);
  const power = createSpectrogram({ ...frontEnd, sampleRate: repeat * sampleRate, repeat: 1 })(long);
  const filters = melFilters(frontEnd);
  return Float32Array.from({ length: frames * mels }, (_, i) => {
    const { first, weights } = filters[i % mels]!;
    const at = Math.floor(i / mels) * (fftSize / 2 + 1) + first;
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k]! * power[at + k]!;
    return 10 * Math.log10(Math.max(sum, floor));
  });
}

describe('repeated sound', () => {
  test.each<[string, Partial<LogMelFrontEnd>]>([
    ['HTS-AT: 10 s, 1001 frames', {}],
    ['5 s', { repeat: 5, frames: 501 }],
    ['a hop that does not divide the second', { repeat: 3, hop: 300, frames: 300 }],
    ['frames that begin at their sample', { repeat: 4, align: 'left', frames: 397 }],
    ['a window shorter than the transform', { repeat: 4, window: 800, frames: 401 }],
  ])('%s: the same as of the whole waveform', (_name, change) => {
    const frontEnd: LogMelFrontEnd = { ...htsAt, ...change };
    const pcm = noise(frontEnd.sampleRate);
    const out = createLogMel(frontEnd)(pcm);
    const want = longWay(frontEnd, pcm);
    expect(out.length).toBe(frontEnd.frames * frontEnd.mels);
    expect(out.every((value, i) => value === want[i])).toBe(true);
  });

  test('frames a second apart are equal inside and differ at the ends', () => {
    const out = createLogMel(htsAt)(noise(32_000));
    const row = (frame: number): number[] => [...out.subarray(frame * 64, (frame + 1) * 64)];
    expect(row(350)).toEqual(row(950));
    expect(row(2)).toEqual(row(102));
    expect(row(0)).not.toEqual(row(100));
    expect(row(1000)).not.toEqual(row(900));
  });
});

describe('a shorter window', () => {
  test('sees only its own samples', () => {
    const frontEnd: LogMelFrontEnd = { ...htsAt, repeat: 1, window: 400, align: 'left', frames: 90, hop: 320 };
    const pcm = noise(32_000);
    const before = createLogMel(frontEnd)(pcm);
    // Frame 10 begins at sample 3200 and ends before 3600.
    pcm[3600] = 1;
    const after = createLogMel(frontEnd)(pcm);
    expect(after.subarray(10 * 64, 11 * 64)).toEqual(before.subarray(10 * 64, 11 * 64));
    expect(after.subarray(11 * 64, 12 * 64)).not.toEqual(before.subarray(11 * 64, 12 * 64));
  });

  test.each<[Partial<LogMelFrontEnd>, string]>([
    [{ window: 2048 }, 'frontEnd.window is 2048; expected at most 1024, the fftSize.'],
    [{ align: 'left', frames: 998 }, 'frontEnd.frames is 998; expected at most 997'],
    [{ repeat: 0 }, 'frontEnd.repeat is 0; expected a whole number above 0.'],
    [{ repeat: 1 }, 'frontEnd.frames is 1001; expected at most 101'],
  ])('%j is refused', (change, message) => {
    expect(() => createLogMel({ ...htsAt, ...change })).toThrow(message);
  });
});
