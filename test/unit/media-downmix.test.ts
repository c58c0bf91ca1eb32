/** Any number of channels to one: ITU-R BS.775-3, to one channel, times the square root of one half, against its published coefficients. */
import { expect, test } from 'vitest';
import { openClip } from '../../sdk/media/clip.ts';

const rate = 16_000;
const tone = (gain = 1) =>
  Float32Array.from({ length: 2 * rate }, (_, i) => gain * 0.5 * Math.sin((2 * Math.PI * 440 * i) / rate));

async function mix(channels: Float32Array[]): Promise<{ gain: number; warnings: string[] }> {
  await using clip = await openClip({ audio: { channels, sampleRate: rate } });
  let power = 0;
  for await (const { pcm } of clip.segments({ frame: { width: 8, height: 8 }, sampleRate: rate })) {
    power += pcm!.reduce((sum, value) => sum + value * value, 0);
  }
  const warnings = clip.warnings.map(({ code }) => code).filter((code) => code !== 'no-picture');
  return { gain: Math.sqrt(power / tone().reduce((sum, value) => sum + value * value, 0)), warnings };
}

/** `count` channels, of which those in `sounding` hold the tone. */
const layout = (count: number, sounding: number[]) =>
  Array.from({ length: count }, (_, i) => tone(sounding.includes(i) ? 1 : 0));

test.each([
  ['mono', 1, [0], 1],
  ['the left of stereo', 2, [0], 0.5],
  ['both sides of stereo', 2, [0, 1], 1],
  ['the left of 5.1', 6, [0], 0.5],
  ['the centre of 5.1', 6, [2], Math.SQRT1_2],
  ['a surround channel of 5.1', 6, [4], Math.SQRT1_2 / 2],
  ['the centre of 7.1', 8, [2], Math.SQRT1_2],
  ['a rear channel of 7.1', 8, [5], Math.SQRT1_2 / 2],
  ['one of nine channels', 9, [4], 1 / 9],
])('%s', async (_, count, sounding, gain) => {
  const mixed = await mix(layout(count, sounding));
  expect(Math.abs(mixed.gain - gain)).toBeLessThan(1e-5);
  expect(mixed.warnings).toEqual([]);
});

test.each([
  ['opposite phase', [tone(), tone(-1)]],
  ['nearly opposite phase', [tone(), tone(-0.9)]],
  ['low frequencies alone', layout(6, [3])],
])('a warning tells that %s is lost', async (_, channels) => {
  const { gain, warnings } = await mix(channels);
  expect(gain).toBeLessThan(0.06);
  expect(warnings).toEqual(['cancelled-sound']);
});

test('what is quiet, or only wide, is not warned of', async () => {
  expect((await mix([tone(1e-3), tone(-1e-3)])).warnings).toEqual([]);
  expect((await mix([tone(), tone(0.2)])).warnings).toEqual([]);
});
