/** Captions and chapters as FFmpeg reads them: an independent reader of WebVTT, SubRip and its own metadata. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captions, toChapters } from '../../sdk/export/index.ts';
import { heard, parsed } from '../helpers/parsed.ts';

const run = promisify(execFile);
const ffmpeg = await run('ffprobe', ['-version']).then(
  () => true,
  () => false,
);

const result = parsed([heard('Dog bark', 2, 6), heard('a=b; c', 10, 30)]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-exports-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function probe(name: string, text: string, what: string): Promise<Record<string, unknown>[]> {
  const path = join(folder, name);
  await writeFile(path, text);
  const { stdout } = await run('ffprobe', ['-v', 'error', '-of', 'json', `-show_${what}`, path]);
  return JSON.parse(stdout)[what];
}

test.skipIf(!ffmpeg)('captions in both formats, merged with speech', async () => {
  const speech = 'WEBVTT\n\n00:01.000 --> 00:03.000\nHello\n';
  const vtt = await probe('c.vtt', captions(result, { merge: speech }), 'packets');
  const srt = await probe('c.srt', captions(result, { format: 'srt' }), 'packets');
  const times = (packets: Record<string, unknown>[]) =>
    packets.map(({ pts_time, duration_time }) => [Number(pts_time), Number(duration_time)]);
  expect(times(vtt)).toEqual([
    [1, 2],
    [2, 4],
    [10, 5],
  ]);
  expect(times(srt)).toEqual([
    [2, 4],
    [10, 5],
  ]);
});

test.skipIf(!ffmpeg)('chapters', async () => {
  const chapters = await probe('chapters.txt', toChapters(result, { format: 'ffmetadata' }), 'chapters');
  expect(chapters.map(({ start_time, end_time, tags }) => [Number(start_time), Number(end_time), tags])).toEqual([
    [2, 6, { title: 'Dog bark' }],
    [10, 30, { title: 'a=b; c' }],
  ]);
});
