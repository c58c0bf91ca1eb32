/** Pictures and files that Node writes. PNGs are read back by a small reader of our own here, and by Chromium in the report's test. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodePng } from '../../sdk/node/output/png.ts';
import { writeResults } from '../../sdk/node/output/write.ts';
import { findings } from '../helpers/findings.ts';

/** Reads what the specification allows of 8-bit pictures without palette and interlacing. */
function decodePng(file: Uint8Array) {
  const bytes = Buffer.from(file);
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const chunks: { type: string; body: Buffer }[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const typeAndBody = bytes.subarray(at + 4, at + 8 + length);
    if (crc32) expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(typeAndBody));
    chunks.push({ type: typeAndBody.toString('latin1', 0, 4), body: typeAndBody.subarray(4) });
    at += 12 + length;
  }
  expect(chunks.map((chunk) => chunk.type)).toEqual(['IHDR', 'IDAT', 'IEND']);
  const header = chunks[0]!.body;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  expect([header[8], ...header.subarray(10)]).toEqual([8, 0, 0, 0]);
  const channels = { 0: 1, 2: 3, 6: 4 }[header[9]!]!;
  const raw = inflateSync(chunks[1]!.body);
  const stride = width * channels;
  const data = new Uint8Array(height * stride);
  const used = new Set<number>();
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (stride + 1)]!;
    used.add(filter);
    for (let i = 0; i < stride; i++) {
      const a = i >= channels ? data[row * stride + i - channels]! : 0;
      const b = row > 0 ? data[(row - 1) * stride + i]! : 0;
      const c = row > 0 && i >= channels ? data[(row - 1) * stride + i - channels]! : 0;
      const p = a + b - c;
      const nearest = [a, b, c].reduce((best, value) => (Math.abs(p - value) < Math.abs(p - best) ? value : best));
      data[row * stride + i] = raw[row * (stride + 1) + 1 + i]! + [0, a, b, (a + b) >> 1, nearest][filter]!;
    }
  }
  return { width, height, channels, data, used };
}

describe('encodePng', () => {
  test.each([1, 3, 4])('%d channels read back exactly', (channels) => {
    const width = 37;
    const height = 23;
    // Slopes, an edge and noise, so that several filters are worth their while.
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
      const x = Math.floor(i / channels) % width;
      const y = Math.floor(i / channels / width);
      if (y < 6) return x * 7 + y * 5;
      if (y < 12) return (x * x + y * 31 * (x % 2)) & 0xff;
      return (i * 2654435761) >>> 24;
    });
    const back = decodePng(encodePng({ width, height, data }));
    expect({ ...back, used: back.used.size > 1 }).toEqual({ width, height, channels, data, used: true });
  });

  test('a smooth picture is compressed well', () => {
    const data = Uint8Array.from({ length: 200 * 100 * 3 }, (_, i) => Math.floor(i / 3) % 200);
    expect(encodePng({ width: 200, height: 100, data }).length).toBeLessThan(1500);
  });

  test.each([
    { width: 2, height: 2, data: new Uint8Array(8) },
    { width: 2, height: 2, data: new Uint8Array(13) },
    { width: 0, height: 2, data: new Uint8Array(0) },
    { width: 1.5, height: 2, data: new Uint8Array(3) },
  ])('sizes that do not agree are refused', (image) => {
    expect(() => encodePng(image)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('writeResults', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'mettle-output-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const tree = async (folder: string) => (await readdir(folder, { recursive: true })).sort();
  const all = ['events.vtt', 'masks', 'masks/000.png', 'masks/001.png', 'masks/002.png', 'report.html', 'results.json'];

  test('a new folder, parents included, with all files and nothing beside it', async () => {
    const folder = join(root, 'a', 'b');
    expect(await writeResults(folder, findings())).toBe(folder);
    expect(await tree(folder)).toEqual(all);
    expect(await readdir(join(root, 'a'))).toEqual(['b']);
    const document = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
    expect(document.source).toMatchObject({ name: findings().name, duration: 2.5 });
    expect(document.results.map((result: { task: string }) => result.task)).toEqual(['localize', 'parse', 'segment']);
    expect(document.results[2].masks[1].file).toBe('masks/001.png');
    expect(await readFile(join(folder, 'events.vtt'), 'utf8')).toMatch(/^WEBVTT\n/);
    const mask = decodePng(await readFile(join(folder, 'masks/001.png')));
    const expected = findings().results.find((result) => result.task === 'segment')!.masks[1]!;
    expect(mask).toMatchObject({ width: expected.width, height: expected.height, channels: 1, data: expected.data });
  });

  test('in an existing folder ours are replaced, stale ones go, others stay', async () => {
    await writeResults(root, findings());
    await writeFile(join(root, 'notes.txt'), 'mine');
    await writeFile(join(root, 'masks', 'readme.md'), 'mine');
    await writeFile(join(root, 'masks', '007.png'), 'stale');
    await writeFile(join(root, 'results.json'), 'stale');
    await writeResults(root, findings());
    expect(await tree(root)).toEqual([...all, 'masks/readme.md', 'notes.txt'].sort());
    expect(JSON.parse(await readFile(join(root, 'results.json'), 'utf8')).version).toBe(1);

    const without = findings();
    await writeResults(root, { ...without, results: without.results.slice(0, 1) });
    expect(await tree(root)).toEqual([
      'events.vtt',
      'masks',
      'masks/readme.md',
      'notes.txt',
      'report.html',
      'results.json',
    ]);
  });

  test('a link to a folder is followed and stays a link', async () => {
    await mkdir(join(root, 'real'));
    await symlink(join(root, 'real'), join(root, 'link'));
    await writeResults(join(root, 'link'), findings());
    expect(await tree(join(root, 'real'))).toEqual(all);
  });

  test('a file in the way: nothing is touched, and the error says what to do', async () => {
    await writeFile(join(root, 'file'), 'mine');
    for (const folder of [join(root, 'file'), join(root, 'file', 'below')]) {
      await expect(writeResults(folder, findings())).rejects.toMatchObject({
        code: 'write',
        message: expect.stringContaining(folder),
        hint: 'Name another folder.',
      });
    }
    expect(await readFile(join(root, 'file'), 'utf8')).toBe('mine');
    expect(await tree(root)).toEqual(['file']);
  });

  test('a failure half-way puts the old files back', async () => {
    await writeResults(root, findings());
    await writeFile(join(root, 'events.vtt'), 'old');
    await rm(join(root, 'report.html'));
    await mkdir(join(root, 'report.html', 'in the way'), { recursive: true });
    await rm(join(root, 'masks'), { recursive: true });
    await writeFile(join(root, 'masks'), 'in the way');
    const before = await tree(root);
    await expect(writeResults(root, findings())).rejects.toMatchObject({ code: 'write' });
    expect(await tree(root)).toEqual(before);
    expect(await readFile(join(root, 'events.vtt'), 'utf8')).toBe('old');
  });

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written to', async () => {
    await mkdir(join(root, 'closed'));
    await chmod(join(root, 'closed'), 0o500);
    await expect(writeResults(join(root, 'closed', 'new'), findings())).rejects.toMatchObject({
      code: 'write',
      message: expect.stringContaining('permission denied'),
      hint: 'Name a folder that you may write to.',
    });
  });

  test('an aborted write leaves nothing', async () => {
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    await expect(writeResults(join(root, 'new'), findings(), { signal })).rejects.toBe(reason);
    await expect(writeResults(root, findings(), { signal })).rejects.toBe(reason);
    expect(await tree(root)).toEqual([]);
  });
});
