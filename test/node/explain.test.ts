/** Explanations in Node: what they promise, where attention lies in toybox clips, and what sound does to it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMettle, type Mettle, type RawClip } from '../../sdk/index.ts';
import { composeClip, soundtrackOf } from '../../sdk/toybox/index.ts';
import { checkExplainedMoments, checkExplains, checkMissingSense } from '../helpers/explain-cases.ts';
import { toyStream } from '../helpers/live-toybox.ts';
import { attentionOnThings } from '../helpers/toybox-attention.ts';

let mettle: Mettle;
beforeAll(async () => {
  mettle = await createMettle({ adapters: ['toybox-ave', 'toybox-llp', 'toybox-s4'], device: 'cpu' });
});
afterAll(() => mettle.dispose());

test('answers are the same with and without, and nothing is there that was not asked for', async () => {
  await using fresh = await createMettle({ adapters: ['toybox-ave', 'toybox-s4'], device: 'cpu' });
  await checkExplains(fresh, toyStream(3).clip(3));
});

test('of a sense that is not there nothing is told', () => checkMissingSense(mettle, toyStream(3).clip(2)));

test('moments of a running source are explained as seconds of a clip are', () =>
  checkExplainedMoments(mettle, toyStream(3)));

test('on WASM and in the thread of the caller the maps are the same', async () => {
  const clip = toyStream(3).clip(2);
  const { explanation: meant } = await mettle.localize(clip, { explain: true });
  await using other = await createMettle({ adapters: ['toybox-ave'], device: 'wasm', worker: false });
  const { explanation } = await other.localize(clip, { explain: true });
  const mapsOf = (seconds: typeof explanation): number[] =>
    seconds!.flatMap(({ picture, sound }) => [...picture!.map!.data, ...sound!.map!.data]);
  const [one, two] = [mapsOf(meant), mapsOf(explanation)];
  expect(one).toHaveLength(2 * (32 * 32 + 32 * 16));
  expect(Math.max(...one.map((share, i) => Math.abs(share - two[i]!)))).toBeLessThan(1e-5);
});

test('what is no flag is refused', async () => {
  await expect(mettle.localize(toyStream(3).clip(1), { explain: 'yes' } as never)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('options.explain must be true or false'),
  });
  await expect(mettle.embed(toyStream(3).clip(1), { explain: true } as never)).rejects.toThrow(/explain is unknown/);
});

describe('in toybox clips that nobody trained on', () => {
  test('things get more attention than their share of the picture', async () => {
    const shares = await attentionOnThings(mettle, 'avs-s4', [0, 1, 2, 3, 4, 5]);
    // 30 other clips gave 2.5 times for both, and more than its area in 150 of 150 seconds.
    for (const adapter of ['toybox-ave', 'toybox-llp']) {
      const { seconds, attention, area, above } = shares.get(adapter)!.sounding;
      expect(seconds).toBeGreaterThanOrEqual(25);
      expect(attention / area).toBeGreaterThan(1.7);
      expect(above / seconds).toBeGreaterThan(0.9);
    }
  });

  test('sound gets more attention in the half of the second in which it is', async () => {
    const rate = 32_000;
    const within: number[] = [];
    for (let index = 0; index < 6; index++) {
      const sound = soundtrackOf(composeClip(11, 'avs-s4', 10 * index + 9), rate).slice(0, rate);
      for (const first of [true, false]) {
        const pcm = Float32Array.from(sound, (x, i) => (i < rate / 2 === first ? x : 0.003 * x));
        const clip: RawClip = { audio: { channels: [pcm], sampleRate: rate } };
        const { explanation } = await mettle.localize(clip, { explain: true });
        const { rows, columns, data } = explanation![0]!.sound!.map!;
        const early = data.subarray(0, (rows / 2) * columns).reduce((a, b) => a + b, 0);
        within.push(first ? early : 1 - early);
      }
    }
    // 24 seconds, cut both ways, gave 0.59 on average and more than a half each time.
    expect(within.reduce((a, b) => a + b, 0) / within.length).toBeGreaterThan(0.54);
    expect(within.filter((share) => share > 0.5).length).toBeGreaterThanOrEqual(11);
  });
});
