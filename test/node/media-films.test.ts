/** Whole films in both containers: what is seen and heard lies in the seconds in which it happens; and films without one of the streams. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openClip } from '../../sdk/media/clip.ts';
import { encodeFilm, filmEvents, makeFilm } from '../helpers/clip-maker.ts';

const format = { frame: { width: 80, height: 60 }, sampleRate: 16_000 };

test.each([
  ['webm', 'vp9', 'opus'],
  ['mp4', 'h264', 'aac'],
])('a .%s holds %s and %s, and sounds during its events alone', async (container, video, audio) => {
  const folder = await mkdtemp(join(tmpdir(), 'mettle-'));
  const path = join(folder, `film.${container}`);
  await makeFilm(path);
  const clip = await openClip(path);
  expect([clip.video?.codec, clip.audio?.codec, clip.segmentCount]).toEqual([video, audio, 10]);
  const loud: boolean[] = [];
  const moved: boolean[] = [];
  let last: Uint8Array | null = null;
  for await (const { frame, pcm } of clip.segments(format)) {
    loud.push(pcm!.some((value) => Math.abs(value) > 0.15));
    const change = last ? frame!.data.filter((value, i) => Math.abs(value - last![i]!) > 60).length : 0;
    moved.push(change > 60);
    last = frame!.data;
  }
  await clip.dispose();
  await rm(folder, { recursive: true });
  const inside = (second: number) => filmEvents.some(({ start, end }) => second >= start && second < end);
  expect(loud).toEqual(loud.map((_, second) => inside(second)));
  expect(moved[0] || moved[1]).toBe(false);
  expect(moved.slice(2, 5)).toContain(true);
  expect(moved.slice(6, 9)).toContain(true);
});

test('a stream may be missing, and a warning says so', async () => {
  const small = { seconds: 1, width: 64, height: 48, frameRate: 10 };
  const silent = await openClip(new Blob([await encodeFilm('mp4', { ...small, audio: false })]));
  expect([silent.audio, silent.warnings.map(({ code }) => code)]).toEqual([null, ['no-audio']]);
  const blind = await openClip(new Blob([await encodeFilm('webm', { ...small, video: false })]));
  expect([blind.video, blind.warnings.map(({ code }) => code)]).toEqual([null, ['no-picture']]);
  for (const clip of [silent, blind]) await clip.dispose();
});
