/** Addresses that FFmpeg reads, watched in Node: a file at its own pace, a pipe that another program fills, and what is told where there is nothing. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMettle, type Mettle, type Moment } from '../../sdk/index.ts';

const run = promisify(execFile);
const film = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));
const hasFfmpeg = await run('ffmpeg', ['-version']).then(
  () => true,
  () => false,
);

let mettle: Mettle;
let folder: string;
beforeAll(async () => {
  mettle = await createMettle({ adapters: ['toybox-llp'], device: 'cpu' });
  folder = await mkdtemp(join(tmpdir(), 'mettle-live-'));
});
afterAll(async () => {
  await mettle.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function watched(address: string): Promise<Moment[]> {
  const moments: Moment[] = [];
  for await (const moment of mettle.watch(address, { hop: 0.25 })) moments.push(moment);
  return moments;
}

test('a film at the pace at which it plays, with both senses', async () => {
  const began = performance.now();
  const moments = await watched(film);
  const { duration } = await mettle.analyze(film);
  const told = moments.filter(({ last }) => !last);
  expect(told.length).toBeGreaterThan(0);
  expect(told.at(-1)!.heard).toBeLessThanOrEqual(duration + 0.1);
  expect(told[0]!.results[0]!.warnings).toEqual([]);
  expect(performance.now() - began).toBeGreaterThan(1000 * (told.at(-1)!.heard - 0.3));
  expect(moments.at(-1)!.last).toBe(true);
});

test.skipIf(!hasFfmpeg)('a named pipe that another program fills', async () => {
  const pipe = join(folder, 'camera.ts');
  await run('mkfifo', [pipe]);
  const lavfi = ['-f', 'lavfi', '-i', 'testsrc=d=3:s=160x120:r=10', '-f', 'lavfi', '-i', 'sine=d=3'];
  const codecs = ['-c:v', 'mpeg2video', '-c:a', 'mp2', '-f', 'mpegts', '-y', pipe];
  const camera = spawn('ffmpeg', ['-v', 'error', '-re', ...lavfi, ...codecs]);
  const moments = await watched(pipe);
  camera.kill();
  expect(moments.length).toBeGreaterThan(1);
  expect(moments[0]!.results[0]!.warnings).toEqual([]);
});

test('nothing there, and no film', async () => {
  await expect(watched(join(folder, 'nothing.mp4'))).rejects.toMatchObject({ code: 'network' });
  await expect(watched(fileURLToPath(import.meta.url))).rejects.toMatchObject({ code: 'network' });
  await expect(watched('nosuch://user:secret@host/x')).rejects.toMatchObject({
    message: expect.not.stringContaining('secret'),
  });
});
