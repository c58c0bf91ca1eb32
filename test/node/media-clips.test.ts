/** Films from elsewhere in Node: every container and codec we say we read, against committed numbers. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openClip } from '../../sdk/media/clip.ts';
import expected from '../fixtures/clips.json' with { type: 'json' };
import { type ClipSummary, summarize } from '../helpers/clip-summary.ts';
import { closeTo } from '../helpers/clip-tolerance.ts';
import { readShared, sharedIsAbsent, sharedPath } from '../helpers/shared.ts';

const summaries = expected as Record<string, ClipSummary>;
const names = Object.keys(summaries).filter((name) => !name.startsWith('tiny.'));
// Skipped without ../shared/data/clips, the films beside the checkout.
const absent = sharedIsAbsent('clips');

test.skipIf(absent).each(names)('%s is decoded as committed', async (name) => {
  closeTo(await summarize(sharedPath(`clips/${name}`)), summaries[name]!);
});

test.skipIf(absent)('every film there has its numbers', () => {
  expect(
    readdirSync(sharedPath('clips'))
      .filter((name) => !name.endsWith('.md'))
      .sort(),
  ).toEqual([...names].sort());
});

test.skipIf(absent)('H.264 and VP8 of the same film last and sound the same', () => {
  for (const film of ['frog', 'pig', 'rabbit']) {
    const [one, two] = [summaries[`mdn_${film}.mp4`]!, summaries[`mdn_${film}.webm`]!];
    expect(Math.abs(one.duration - two.duration)).toBeLessThan(0.01);
    expect(one.segments).toBe(two.segments);
    one.rms.forEach((value, i) => expect(Math.abs(value / two.rms[i]! - 1)).toBeLessThan(0.07));
    one.mean.forEach((value, i) => expect(Math.abs(value - two.mean[i]!)).toBeLessThan(5));
  }
});

test.skipIf(absent)('display size honours sample aspect and rotation; the chosen streams are named', async () => {
  const open = async (name: string) => {
    const clip = await openClip(new Blob([readShared(`clips/${name}`) as Uint8Array<ArrayBuffer>]));
    await clip.dispose();
    return clip;
  };
  expect((await open('mediabunny_sar_2x1.mp4')).video).toMatchObject({ width: 1280, height: 360 });
  expect((await open('mediabunny_rotate-buck-bunny.mp4')).video).toMatchObject({
    width: 1080,
    height: 1920,
    rotation: 90,
  });
  const { warnings } = await open('nasa_13013.mp4');
  expect(warnings.map(({ message }) => message)).toEqual([
    'The file holds 2 video streams; number 2 (h264) is analysed.',
    'The file holds 2 audio streams; number 2 (aac) is analysed.',
  ]);
});

test('a path that does not exist is not found', async () => {
  await expect(openClip('no/such/film.mp4')).rejects.toMatchObject({ name: 'MettleError', code: 'not-found' });
});
