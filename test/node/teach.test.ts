/** Teaching in Node: what it promises everywhere, and `mettle teach`. */
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { teach } from '../../sdk/train/index.ts';
import { exampleFiles } from '../helpers/example-files.ts';
import { mettle } from '../helpers/mettle-command.ts';
import { takeSource, taughtEvents } from '../helpers/taught-examples.ts';
import {
  expectAbortToLeaveNothing,
  expectLessonsToLast,
  expectResumption,
  expectTaught,
  lesson,
} from '../helpers/teach-cases.ts';

const place = { device: 'wasm', threads: 1 } as const;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-teach-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('teaching', () => {
  test('names fresh takes, packs what others load, and goes on after a crash', async () => {
    const taught = await expectTaught(place);
    await expectResumption(place, taught);
  }, 400_000);
  test('leaves nothing of an abort', () => expectAbortToLeaveNothing(place), 200_000);
  test('keeps examples until they are forgotten', () => expectLessonsToLast(join(folder, 'lessons')));

  const wrong = (examples: unknown[], more: object = {}) => teach({ ...place, examples, ...more } as never);
  test('says what is missing', async () => {
    await expect(wrong(lesson().slice(0, 2))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'There are 2 examples of "bell"; expected at least 3.',
    });
    await expect(wrong([{ label: null, source: takeSource('nothing', 0) }])).rejects.toMatchObject({
      message: 'The examples show 0 events; expected 1 to 50.',
    });
    await expect(wrong(lesson(), { id: 'No id' })).rejects.toMatchObject({ message: 'options.id "No id" is no id.' });
    await expect(wrong([{ lable: 'bell', source: '' }])).rejects.toMatchObject({
      message: expect.stringContaining('options.examples[0].lable is unknown'),
    });
    await expect(wrong(lesson(), { senses: 'visual' })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'Example "bell 1" has no picture, which shall decide.',
    });
  }, 60_000);
});

describe('a package that was given', () => {
  test('is refused where a byte of it is not what its manifest says', async () => {
    const { createMettle } = await import('../../sdk/index.ts');
    const files = { 'manifest.json': new TextEncoder().encode('{}') };
    await expect(createMettle({ ...place, adapters: [{ files }] })).rejects.toMatchObject({ code: 'invalid-file' });
    await expect(createMettle({ ...place, adapters: [new Blob(['no zip'])] })).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringMatching(/^The zip of an adapter: no zip file that can be read/),
    });
    await expect(createMettle({ ...place, adapters: [{ files: {} }] })).rejects.toMatchObject({
      message: 'The adapter that was given holds no manifest.json.',
    });
  });
});

describe('mettle teach', () => {
  const args = (out: string) => ['teach', join(folder, 'examples'), '--out', join(folder, out), '--device', 'wasm'];
  beforeAll(async () => {
    const written = await exampleFiles(folder, 3);
    for (const [event, paths] of Object.entries(written)) {
      await mkdir(join(folder, 'examples', event), { recursive: true });
      for (const path of paths) await rename(path, join(folder, 'examples', event, path.split('/').at(-1)!));
    }
    await writeFile(join(folder, 'examples', 'bell', 'broken.wav'), 'no sound');
  });

  test('makes a zip from folders, which mettle run takes', async () => {
    const { code, out, err } = await mettle(args('Own Bells.zip'));
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^left out: bell\/broken\.wav: /) });
    expect(out).toContain('By sound, each example judged as if it were new: 6 of 6 right, 0 silent; 3 of 3');
    const clip = join(folder, 'examples', 'saw', 'saw-1.wav');
    const ran = await mettle(['run', clip, '--adapter', join(folder, 'Own Bells.zip'), '--device', 'wasm', '--json']);
    expect(ran.code).toBe(0);
    const [result] = JSON.parse(ran.out).results;
    expect(result).toMatchObject({ adapter: 'own-bells', classes: taughtEvents });
    expect(result.events.map(({ label }: { label: string }) => label)).toContain('saw');
  }, 200_000);

  test('leaves nothing where it is interrupted', async () => {
    const before = await readdir(folder);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('Enough.', 'AbortError')), 1500);
    expect(await mettle(args('never'), controller.signal)).toMatchObject({ code: 130 });
    expect(await readdir(folder)).toEqual(before);
  }, 60_000);

  test('says what a folder must look like', async () => {
    await mkdir(join(folder, 'empty'));
    expect(await mettle(['teach', join(folder, 'empty'), '--out', join(folder, 'x')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Make one folder for each event'),
    });
    expect(await mettle(['teach', folder])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--out OUT is missing.'),
    });
  });
});
