/** What `mettle train` and `mettle eval` say about data, options and devices that are at fault. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { runtimes } from '#runtimes';
import { addMasks, fiveClips, makeOwnFolder, writeEvents } from '../helpers/own-folder.ts';
import { mettle, TrainPlace } from '../helpers/train-place.ts';

const place = new TrainPlace();
afterEach(() => vi.unstubAllEnvs());

describe('data at fault', () => {
  test('a broken clip and one without sound are told of; the others train', async () => {
    const folder = await place.copyOfData('faulty');
    await writeFile(join(folder, 'clip1.mp4'), 'no film');
    const silent = { name: 'clip5.mp4', split: 'train' as const, label: 'bell', audio: false };
    await makeOwnFolder(join(place.root, 'silent'), [silent]);
    await cp(join(place.root, 'silent', 'clip5.mp4'), join(folder, 'clip5.mp4'));
    await writeEvents(folder, [...fiveClips, silent]);
    const { code, err } = await place.train('despite', [], {}, folder);
    expect(code).toBe(0);
    expect(err).toMatch(/error: The clip cannot be decoded and is left out\. \(clip1\.mp4/);
    expect(err).toMatch(/warning: The clip has a picture alone\. \(clip5\.mp4\)/);
  });

  test('where no clip is left to train on, the folder is refused', async () => {
    const folder = await place.copyOfData('all-broken');
    for (const { name, split } of fiveClips) if (split === 'train') await writeFile(join(folder, name), 'no film');
    const { code, err } = await place.train('nothing-left', [], {}, folder);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(/None of the clips of the training split can be used/),
    });
    expect(await place.left('nothing-left')).toEqual([]);
  });

  test.each([
    [
      'no column',
      'file,begin,end\nclip0.mp4,0,1\n',
      /events\.csv line 1: no column onset, offset, label in the header/,
    ],
    ['no number', 'file,onset,offset,label\nclip0.mp4,soon,1,bell\n', /events\.csv line 2: time "soon"/],
    ['no label', 'file,onset,offset,label,split\nclip0.mp4,0,1,bell,late\n', /events\.csv line 2: split "late"/],
  ])('a table with %s is refused with its line', async (name, text, message) => {
    const folder = await place.copyOfData(`table ${name}`);
    await writeFile(join(folder, 'events.csv'), text);
    const { code, err } = await place.train(`from ${name}`.replace(' ', '-'), ['--id', 'x'], {}, folder);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
  });

  test.each([
    [['--width', '30'], 'A width of 30 cannot be shared by 4 heads'],
    [['--task', 'parse', '--head', 'B'], 'A head is chosen for localize alone'],
    [['--task', 'localize', '--decoder', 'linear'], 'Masks are decoded for segment alone'],
    [['--paths', 'none'], 'Without paths there are no meta-tokens to count'],
  ])('a model that cannot be is refused: %j', async (args, message) => {
    const { code, err } = await place.train('impossible', args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
    expect(await place.left('impossible')).toEqual([]);
  });

  test('a label outside classes.txt is told of and left out', async () => {
    const folder = await place.copyOfData('classes');
    await writeFile(join(folder, 'classes.txt'), 'bell\n');
    const { code, err } = await place.train('one-class', [], {}, folder);
    expect(code).toBe(0);
    expect(err).toMatch(/error: The label is not in classes\.txt and is left out\. \(events\.csv line 3: ball/);
    const { classes } = JSON.parse(await readFile(join(place.root, 'one-class', 'manifest.json'), 'utf8'));
    expect(classes).toEqual(['bell']);
  });

  test('masks of different sizes in one clip are compared at the size of its first', async () => {
    const folder = await place.copyOfData('mixed-masks');
    await addMasks(folder, fiveClips, true);
    expect(await place.train('mixed', [], {}, folder)).toMatchObject({ code: 0, out: expect.stringContaining('M_F') });
  });

  test('evaluation refuses classes that the adapter does not know, and takes those that it knows in any order', async () => {
    await place.train('knowing', ['--task', 'localize']);
    const folder = await place.copyOfData('turned');
    await writeEvents(folder, [...fiveClips].reverse());
    const [straight, turned] = [
      await mettle(['eval', join(place.root, 'knowing'), place.data, '--json']),
      await mettle(['eval', join(place.root, 'knowing'), folder, '--json']),
    ];
    expect(JSON.parse(turned.out)).toEqual({ ...JSON.parse(straight.out), dataset: 'turned' });
    await writeEvents(
      folder,
      fiveClips.map((clip) => ({ ...clip, label: 'drum' })),
    );
    expect(await mettle(['eval', join(place.root, 'knowing'), folder])).toMatchObject({
      code: 2,
      err: expect.stringContaining('has the classes drum, but adapter "knowing" was made for localize of bell, ball'),
    });
  });
});

describe('wrong usage', () => {
  test.each([
    [['--out', 'x'], '--data DIR is missing'],
    [['--data', 'x'], '--out DIR is missing'],
    [['--data', 'x', '--out', 'x', '--epochs', '0'], '--epochs must be a whole number from 1'],
    [['--data', 'x', '--out', 'x', '--width', '1'], '--width must be a whole number from 8 to 4096'],
    [['--data', 'x', '--out', 'x', '--head', 'C'], '--head "C" is unknown'],
    [['--data', 'x', '--out', 'x', '--exact', '--forms', 'wasm=int8'], 'leave one out'],
    [['--data', 'x', '--out', 'x', '--forms', 'wasm=float16'], '--forms: wasm takes float32, '],
    [['--data', 'x', '--out', 'x', '--id', 'My Adapter'], '"My Adapter" is no id of an adapter'],
    [['--data', 'no/such/folder', '--out', 'no/such/out'], 'There is no folder no/such/folder'],
  ])('%j', async (args, message) => {
    const { code, err } = await mettle(['train', ...args]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
  });

  test.each([
    ['{"epoch": 3}', '"epoch" is no option of train'],
    ['{"epochs": [1, 2]}', '"epochs" takes one value'],
    ['{"resume": "yes"}', '"resume" must be true or false'],
    ['[1]', 'holds no JSON object'],
    ['{', 'is no JSON'],
  ])('a file of options that holds %s', async (text, message) => {
    const file = join(place.root, 'bad.json');
    await writeFile(file, text);
    const { code, err } = await mettle(['train', '--config', file]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('devices', () => {
  test('a software GPU is refused unless it is allowed', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/drivers/lvp_icd.json');
    const { code, err } = await place.train('software', ['--device', 'webgpu']);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(
        /software driver \/drivers\/lvp_icd\.json, which is far slower.*\nhint: .*--software-gpu/,
      ),
    });
  });

  test('CUDA is refused where the runtime came without it', async ({ skip }) => {
    const device = await runtimes.chooseDevice('cuda').catch(() => null);
    if (device === 'cuda') skip('onnxruntime-node has CUDA here');
    const { code, err } = await place.train('cuda', ['--device', 'cuda']);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(
        /CUDA was asked for, but onnxruntime-node .*\nhint: .*ONNXRUNTIME_NODE_INSTALL=cuda12/,
      ),
    });
  });
});
