/**
 * `mettle train` and `mettle eval` from a folder of small clips to a finished adapter, as a user meets them: what lies on the disk afterwards, what an
 * interruption leaves, and what is said about data, disks and devices that are at fault.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { platform } from '#platform';
import { main } from '../../sdk/cli/main.ts';
import { toyboxHeader, toyboxLog } from '../../sdk/node/toybox/origin.ts';
import { readSafetensors } from '../../sdk/onnx/safetensors.ts';
import { addMasks, fiveClips, makeOwnFolder, writeEvents } from '../helpers/own-folder.ts';

const program = fileURLToPath(new URL('../../sdk/cli/mettle.ts', import.meta.url));
const small = ['--epochs', '3', '--batch', '1', '--width', '16', '--layers', '1', '--tokens', '2', '--threads', '2'];

let root: string;
let data: string;
let features: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-train-'));
  data = await makeOwnFolder(join(root, 'data'));
  features = join(root, 'features');
});
afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

/** The first call works, later ones have its result. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

type Call = { code: number; out: string; err: string };
type Watch = { signal?: AbortSignal; onError?: (text: string) => void };

async function mettle(args: string[], { signal, onError }: Watch = {}): Promise<Call> {
  const [out, err]: [string[], string[]] = [[], []];
  const write = (text: string): void => {
    err.push(text);
    onError?.(text);
  };
  const stderr = { write, isTTY: onError !== undefined };
  const code = await main(args, { stdout: { write: (text) => out.push(text) }, stderr, signal });
  return { code, out: out.join(''), err: err.join('') };
}

const trainArgs = (out: string, more: string[] = [], from = data): string[] => [
  'train',
  '--data',
  from,
  '--out',
  out,
  '--cache',
  features,
  ...small,
  ...more,
];
const train = (name: string, more: string[] = [], watch: Watch = {}, from?: string): Promise<Call> =>
  mettle(trainArgs(join(root, name), more, from), watch);

/** With the times of its files, so that the features that were kept of them hold. */
async function copyOfData(name: string): Promise<string> {
  await cp(data, join(root, name), { recursive: true, preserveTimestamps: true });
  return join(root, name);
}

/** The weights of a training that nothing disturbs. */
const undisturbed = once(async () => {
  await train('undisturbed');
  return await weights('undisturbed');
});

/** Everything in the root that belongs to an output. */
const left = async (name: string): Promise<string[]> =>
  (await readdir(root)).filter((entry) => entry.startsWith(name)).sort();
const weights = (name: string): Promise<Buffer> => readFile(join(root, name, 'adapter_model.stored8.safetensors'));
const checkpoint = async (name: string) =>
  readSafetensors(await readFile(join(root, `${name}.work`, 'checkpoint.safetensors'))).metadata;

describe('from clips to an adapter', () => {
  test.each([
    ['localize', /Accuracy +\d+\.\d/, 'localization'],
    ['parse', /Segment-level/, 'parsing'],
    ['segment', /M_J +\d+\.\d/, 'segmentation'],
  ])('%s: the folder appears whole, and run and eval take it', async (verb, figures, task) => {
    const from = await copyOfData(`data-${verb}`);
    if (verb === 'segment') await addMasks(from);
    const trained = await train(verb, ['--verb', verb], {}, from);
    expect(trained).toMatchObject({ code: 0, out: expect.stringMatching(figures) });
    expect(trained.err).toMatch(/Device: the CPU\nData: 5 clips, folder, /);
    expect(await left(verb)).toEqual([verb, `${verb}.work`]);
    const files = await readdir(join(root, verb));
    const parts = verb === 'segment' ? ['segment.stored8.onnx'] : ['clip.stored8.onnx', 'segment.stored8.onnx'];
    const beside = [
      'README.md',
      'adapter_config.json',
      'adapter_model.stored8.safetensors',
      'evaluation.json',
      'manifest.json',
      'report.json',
    ];
    expect(files).toEqual(expect.arrayContaining([...beside, ...parts]));
    const config = JSON.parse(await readFile(join(root, verb, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ peft_type: 'METTLE', task_type: task, config: { distill: { width: 16 } } });

    const evaluated = await mettle(['eval', join(root, verb), from, '--json']);
    expect(evaluated.code).toBe(0);
    const [report] = JSON.parse(await readFile(join(root, verb, 'evaluation.json'), 'utf8')).slice(-1);
    expect(report).toMatchObject({ task, split: 'test', clips: 1 });
    expect(JSON.parse(evaluated.out)).toMatchObject({ task, split: 'test', clips: 1 });
    const ran = await mettle(['run', join(from, 'clip4.mp4'), '--adapter', join(root, verb), '--json']);
    expect(ran.code).toBe(0);
    const { results } = JSON.parse(ran.out) as { results: { task: string; adapter: string; untrained: boolean }[] };
    expect(results).toMatchObject([{ task, adapter: verb, untrained: false }]);
  });

  test('a finished adapter says on a split what training said of it', async () => {
    const trained = await train('agree', ['--json', '--verb', 'localize', '--head', 'B', '--exact']);
    const reports = JSON.parse(trained.out) as { split: string }[];
    for (const report of reports) {
      const { out } = await mettle(['eval', join(root, 'agree'), data, '--split', report.split, '--json']);
      expect(JSON.parse(out)).toMatchObject({ ...report, averagePrecision: expect.anything() });
    }
    expect(reports.map(({ split }) => split)).toEqual(['val', 'test']);
  });

  test.each([
    [['--verb', 'localize', '--senses', 'audio', '--tokens', '2'], 'visual'],
    [['--verb', 'parse', '--senses', 'visual', '--paths', 'none', '--taps', 'last'], 'audio'],
  ])('with %j it reads no taps of the other sense, and says the same', async (switches, unread) => {
    // Without the number of meta-tokens, of which a probe has none.
    const few = ['--epochs', '2', '--batch', '1', '--width', '16', '--layers', '1', '--exact'];
    const out = join(root, `without-${unread}`);
    const args = ['train', '--data', data, '--out', out, '--cache', features, ...few, ...switches, '--json'];
    const trained = await mettle(args);
    expect(trained.code).toBe(0);
    const { segment } = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
    expect(segment.reads.filter((name: string) => name.startsWith(unread))).toEqual([]);
    const { out: said } = await mettle(['eval', out, data, '--json']);
    const report = JSON.parse(trained.out).at(-1);
    expect(JSON.parse(said)).toMatchObject({ ...report, averagePrecision: expect.anything() });
  });

  test('the card says how it was made, of what, and how far its files are from float32; no folder of this machine', async () => {
    await train('told');
    const card = await readFile(join(root, 'told', 'README.md'), 'utf8');
    const manifest = JSON.parse(await readFile(join(root, 'told', 'manifest.json'), 'utf8'));
    expect(card).toContain(`mettle train --data data --out told --cache features ${small.join(' ')}\n`);
    expect(card).not.toContain(root);
    expect(card).toContain('data (layout folder): 3 train, 1 val, 1 test clips.');
    expect(card).toContain('Classes: bell, ball.');
    expect(card).toContain(manifest.base.contract);
    const registry = JSON.parse(await readFile(fileURLToPath(new URL('registry.json', platform.modelsUrl)), 'utf8'));
    expect(card).toContain(registry.nano.integrity);
    const report = JSON.parse(await readFile(join(root, 'told', 'report.json'), 'utf8'));
    // The clip graph of an adapter as narrow as this has no weights that are large enough for 8 bits.
    const outputs = Object.values<{ relativeError: number }>(report.segment['segment.stored8.onnx'].outputs);
    const relativeError = Math.max(...outputs.map((output) => output.relativeError));
    expect(relativeError).toBeGreaterThan(0);
    expect(relativeError).toBeLessThan(0.01);
    const [, kilobytes, percent] = /(\d+) kB, weights-int8\. No output .* more than ([\d.]+) %/.exec(card)!;
    const bytes = manifest.files.reduce((sum: number, file: { bytes: number }) => sum + file.bytes, 0);
    expect(card).toMatch(/segment\.stored8 [\d.]+ ms \([\d.]+ of float32\)/);
    expect(Number(kilobytes)).toBe(Math.round(bytes / 1000));
    expect(Number(percent)).toBeGreaterThanOrEqual(Number((100 * relativeError).toPrecision(2)));
  });

  test('the card of a toybox names the command that makes it', async () => {
    const folder = await copyOfData('toys');
    await writeFile(join(folder, toyboxLog), `${toyboxHeader({ seed: 7, layout: 'ave' })}\n`);
    await train('from-toys', [], {}, folder);
    const card = await readFile(join(root, 'from-toys', 'README.md'), 'utf8');
    expect(card).toContain('mettle data toybox --out . --seed 7 --clips 5 --layouts ave\nmettle train --data toys ');
    expect(card).toMatch(/drawn figures with synthesised sounds/);
  });

  test('--exact keeps float32, --forms takes each form as it is named', async () => {
    const formsOf = async (name: string, more: string[]) => {
      expect((await train(name, more)).code).toBe(0);
      const { variants } = JSON.parse(await readFile(join(root, name, 'manifest.json'), 'utf8'));
      return Object.entries<{ segment: { precision: string } }>(variants).map(([variant, { segment }]) => [
        variant,
        segment.precision,
      ]);
    };
    expect(Object.fromEntries(await formsOf('exact', ['--exact']))).toEqual({ wasm: 'float32', webgpu: 'float32' });
    const forms = 'wasm=int8,webgpu=stored8,webgpu-f16=float16';
    expect(Object.fromEntries(await formsOf('forms', ['--forms', forms]))).toEqual({
      wasm: 'int8',
      webgpu: 'weights-int8',
      'webgpu-f16': 'float16',
    });
  });

  test('clips longer than what is seen at once are cut into pieces', async () => {
    const { code, out } = await train('pieces', ['--segments', '1', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([{ clips: 2 }, { clips: 2 }]);
  });

  test('options may stand in a file; the command line wins', async () => {
    const file = join(root, 'options.json');
    await writeFile(
      file,
      JSON.stringify({ data, cache: features, epochs: 50, width: 16, taps: 'last-half', quiet: true }),
    );
    const { code, err } = await mettle(['train', '--config', file, '--out', join(root, 'configured'), '--epochs', '1']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(await checkpoint('configured')).toMatchObject({ step: '1' });
  });
});

describe('interruption', () => {
  test('aborted in the midst of an epoch and resumed, the adapter has the same bytes', async () => {
    const controller = new AbortController();
    let steps = 0;
    const onError = (text: string): void => {
      if (text.includes('clips/s') && ++steps === 5) controller.abort(new DOMException('Enough.', 'AbortError'));
    };
    const stopped = await train('broken-off', [], { signal: controller.signal, onError });
    expect(stopped).toMatchObject({ code: 130, err: expect.stringContaining('interrupted') });
    expect(await left('broken-off')).toEqual(['broken-off.work']);
    expect(await checkpoint('broken-off')).toMatchObject({ step: '5' });

    const resumed = await train('broken-off', ['--resume']);
    expect(resumed).toMatchObject({ code: 0, err: expect.stringContaining('Resuming from') });
    expect(await weights('broken-off')).toEqual(await undisturbed());
    const log = (await readFile(join(root, 'broken-off.work', 'log.jsonl'), 'utf8')).trim().split('\n');
    expect(log.map((line) => JSON.parse(line).step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('resuming another training is refused; what was done is not lost unseen', async () => {
    const again = (more: string[]) => train('other', more);
    await again([]);
    await rm(join(root, 'other'), { recursive: true });
    expect(await again(['--resume', '--width', '32'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/belongs to another training: its distill is .*"width":16.* here it is .*"width":32/),
    });
    expect(await again([])).toMatchObject({
      code: 0,
      err: expect.stringMatching(/will be written over; with --resume/),
    });
  });

  test('Ctrl-C leaves a checkpoint, exit code 130 and no adapter', async () => {
    const out = join(root, 'ctrl-c');
    const args = trainArgs(out, ['--epochs', '100000']);
    const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.includes('epoch 2 ')) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, said }).toEqual({ code: 130, said: expect.stringContaining('mettle: interrupted.') });
    expect(await left('ctrl-c')).toEqual(['ctrl-c.work']);
    expect(Number((await checkpoint('ctrl-c')).step)).toBeGreaterThanOrEqual(6);
    expect((await readdir(`${out}.work`)).sort()).toEqual(['checkpoint.safetensors', 'log.jsonl', 'training.html']);
  });
});

describe('features that were kept', () => {
  /** A copy of the kept features, each file changed. */
  async function changed(name: string, change: (path: string) => Promise<void>): Promise<string[]> {
    await undisturbed();
    const copy = join(root, name);
    await cp(features, copy, { recursive: true });
    for (const file of await readdir(copy)) await change(join(copy, file));
    return ['--cache', copy];
  }

  test('one that is no number stops the training, which names the clip', async () => {
    const poisoned = await changed('poisoned', async (path) => {
      const bytes = await readFile(path);
      // The last tap's last values, as NaN in half precision.
      for (let at = bytes.length - 2; at > bytes.length - 200; at -= 2) bytes.writeUInt16LE(0x7e00, at);
      await writeFile(path, bytes);
    });
    const { code, err } = await train('diverged', poisoned);
    expect(code).toBe(2);
    expect(err).toMatch(
      /mettle: Step 1 gave a loss of NaN .* on the examples clip\d\.mp4\. No checkpoint was saved\.\nhint: \w/,
    );
    expect(await left('diverged')).toEqual([]);
  });

  test('a damaged file is made anew', async () => {
    const damaged = await changed('damaged', (path) => truncate(path, 500));
    expect(await train('repaired', damaged)).toMatchObject({ code: 0 });
    expect(await weights('repaired')).toEqual(await undisturbed());
  });

  test('without room for any, the result is the same', async () => {
    const { code, err } = await train('not-kept', ['--cache-gb', '0', '--cache', join(root, 'nothing')]);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('the backbone runs again each epoch') });
    expect(await left('nothing')).toEqual([]);
    expect(await weights('not-kept')).toEqual(await undisturbed());
  });
});

describe('disks', () => {
  test('a full one stops with the reason and leaves nothing half-written', async ({ skip }) => {
    const place = join(root, 'full');
    await mkdir(place);
    const inside = (command: string): string =>
      execFileSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=64k none '${place}' && ${command}`], {
        encoding: 'utf8',
      });
    try {
      inside('true');
    } catch {
      skip('a small disk needs Linux, unshare and the right to mount in a namespace of its own');
    }
    await undisturbed();
    const command = [process.execPath, '--import', 'tsx', program, ...trainArgs(join(place, 'out'))].join(' ');
    const said = inside(`{ ${command} 2>&1; echo code $?; ls -A '${place}' '${place}/out.work'; }`);
    expect(said).toMatch(
      /mettle: .*checkpoint\.safetensors cannot be written: the disk is full\.\nhint: Free some room/,
    );
    expect(said).toMatch(/code 2\n/);
    expect(said).not.toMatch(/\.part|\nout\n|\ncheckpoint/);
  });

  test('an output that exists is not touched', async () => {
    await mkdir(join(root, 'taken'));
    expect(await train('taken/')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/taken exists already\.\nhint: Choose another --out/),
    });
    expect(await left('taken')).toEqual(['taken']);
  });

  test('a place where nothing can be written is found out', async () => {
    await writeFile(join(root, 'file'), '');
    const { code, err } = await train('file/out');
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('cannot be written') });
  });
});

describe('data at fault', () => {
  test('a broken clip and one without sound are told of; the others train', async () => {
    const folder = await copyOfData('faulty');
    await writeFile(join(folder, 'clip1.mp4'), 'no film');
    const silent = { name: 'clip5.mp4', split: 'train' as const, label: 'bell', audio: false };
    await makeOwnFolder(join(root, 'silent'), [silent]);
    await cp(join(root, 'silent', 'clip5.mp4'), join(folder, 'clip5.mp4'));
    await writeEvents(folder, [...fiveClips, silent]);
    const { code, err } = await train('despite', [], {}, folder);
    expect(code).toBe(0);
    expect(err).toMatch(/error: The clip cannot be decoded and is left out\. \(clip1\.mp4/);
    expect(err).toMatch(/warning: The clip has a picture alone\. \(clip5\.mp4\)/);
  });

  test('where no clip is left to train on, the folder is refused', async () => {
    const folder = await copyOfData('all-broken');
    for (const { name, split } of fiveClips) if (split === 'train') await writeFile(join(folder, name), 'no film');
    const { code, err } = await train('nothing-left', [], {}, folder);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(/None of the clips of the training split can be used/),
    });
    expect(await left('nothing-left')).toEqual([]);
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
    const folder = await copyOfData(`table ${name}`);
    await writeFile(join(folder, 'events.csv'), text);
    const { code, err } = await train(`from ${name}`.replace(' ', '-'), ['--id', 'x'], {}, folder);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
  });

  test.each([
    [['--width', '30'], 'A width of 30 cannot be shared by 4 heads'],
    [['--verb', 'parse', '--head', 'B'], 'A head is chosen for localization alone'],
    [['--paths', 'none'], 'Without paths there are no meta-tokens to count'],
  ])('a model that cannot be is refused: %j', async (args, message) => {
    const { code, err } = await train('impossible', args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
    expect(await left('impossible')).toEqual([]);
  });

  test('a label outside classes.txt is told of and left out', async () => {
    const folder = await copyOfData('classes');
    await writeFile(join(folder, 'classes.txt'), 'bell\n');
    const { code, err } = await train('one-class', [], {}, folder);
    expect(code).toBe(0);
    expect(err).toMatch(/error: The label is not in classes\.txt and is left out\. \(events\.csv line 3: ball/);
    const { classes } = JSON.parse(await readFile(join(root, 'one-class', 'manifest.json'), 'utf8'));
    expect(classes).toEqual(['bell']);
  });

  test('masks of different sizes in one clip are compared at the size of its first', async () => {
    const folder = await copyOfData('mixed-masks');
    await addMasks(folder, fiveClips, true);
    expect(await train('mixed', [], {}, folder)).toMatchObject({ code: 0, out: expect.stringContaining('M_F') });
  });

  test('evaluation refuses classes that the adapter does not know, and takes those that it knows in any order', async () => {
    await train('knowing', ['--verb', 'localize']);
    const folder = await copyOfData('turned');
    await writeEvents(folder, [...fiveClips].reverse());
    const [straight, turned] = [
      await mettle(['eval', join(root, 'knowing'), data, '--json']),
      await mettle(['eval', join(root, 'knowing'), folder, '--json']),
    ];
    expect(JSON.parse(turned.out)).toEqual({ ...JSON.parse(straight.out), dataset: 'turned' });
    await writeEvents(
      folder,
      fiveClips.map((clip) => ({ ...clip, label: 'drum' })),
    );
    expect(await mettle(['eval', join(root, 'knowing'), folder])).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'has the classes drum, but adapter "knowing" was made for localization of bell, ball',
      ),
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
    const file = join(root, 'bad.json');
    await writeFile(file, text);
    const { code, err } = await mettle(['train', '--config', file]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('devices', () => {
  test('a software GPU is refused unless it is allowed', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/drivers/lvp_icd.json');
    const { code, err } = await train('software', ['--device', 'webgpu']);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(
        /software driver \/drivers\/lvp_icd\.json, which is far slower.*\nhint: .*--software-gpu/,
      ),
    });
  });

  test('CUDA is refused where the runtime came without it', async ({ skip }) => {
    const device = await platform.chooseDevice('cuda').catch(() => null);
    if (device === 'cuda') skip('onnxruntime-node has CUDA here');
    const { code, err } = await train('cuda', ['--device', 'cuda']);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(
        /CUDA was asked for, but onnxruntime-node .*\nhint: .*ONNXRUNTIME_NODE_INSTALL=cuda12/,
      ),
    });
  });
});
