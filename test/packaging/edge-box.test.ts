/** The edge box example as a process of its own: named files, and a folder that it follows. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeClipFiles } from '../../sdk/node/toybox/clip-files.ts';
import { run } from './installed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'examples/edge-box/run.mjs');
/** A clip of things that the shipped adapters know. */
let film: string;
let made: string;
beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'mettle-box-film-'));
  const files = await makeClipFiles(2, 'ave', 0);
  film = join(made, 'film.webm');
  await writeFile(film, files.find(({ path }) => /\.(webm|mp4)$/.test(path))!.bytes);
});
afterAll(() => rm(made, { recursive: true }));
const event = {
  label: expect.any(String),
  start: expect.any(Number),
  end: expect.any(Number),
  untrained: expect.any(Boolean),
};

test('prints one line per event, and goes on after a file that is no film', async () => {
  const { code, out, err } = await run(process.execPath, [program, 'package.json', film, 'missing.mp4'], root);
  expect(code).toBe(2);
  const lines = out.trim().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ file: film, ...event });
  expect(err).toMatch(/^package\.json: [^\n]+\nmissing\.mp4: [^\n]+\n$/);
});

test('follows a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mettle-box-'));
  await copyFile(film, join(folder, 'first.webm'));
  const box = spawn(process.execPath, [program, folder], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const lines = createInterface(box.stdout)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value);
    expect(await next()).toMatchObject({ file: join(folder, 'first.webm'), ...event });
    await writeFile(join(folder, 'notes.txt'), 'no clip');
    await copyFile(film, join(folder, 'second.webm'));
    let found = await next();
    while (found.file === join(folder, 'first.webm')) found = await next();
    expect(found).toMatchObject({ file: join(folder, 'second.webm'), ...event });
  } finally {
    box.kill();
    await once(box, 'exit');
    await rm(folder, { recursive: true });
  }
});
