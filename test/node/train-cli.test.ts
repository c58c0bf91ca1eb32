/**
 * `mettle train` and `mettle eval` from a folder of small clips to a finished adapter, as a user meets them: what lies on the disk afterwards, and what an
 * interruption, damaged features and full disks leave.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bytesFor } from '#bytes';
import { DEFAULT_BACKBONE } from '../../sdk/contract/registry.ts';
import { toyboxHeader, toyboxLog } from '../../sdk/node/toybox/origin.ts';
import { readSafetensors } from '../../sdk/onnx/safetensors.ts';
import { addMasks } from '../helpers/own-folder.ts';
import { mettle, small, TrainPlace } from '../helpers/train-place.ts';

const door = bytesFor();

const program = fileURLToPath(new URL('../../sdk/cli/mettle.ts', import.meta.url));
const place = new TrainPlace();
afterEach(() => vi.unstubAllEnvs());

/** The first call works, later ones have its result. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The weights of a training that nothing disturbs. */
const undisturbed = once(async () => {
  await place.train('undisturbed');
  return await weights('undisturbed');
});

const weights = (name: string): Promise<Buffer> =>
  readFile(join(place.root, name, 'adapter_model.stored8.safetensors'));
const checkpoint = async (name: string) =>
  readSafetensors(await readFile(join(place.root, `${name}.work`, 'checkpoint.safetensors')));

describe('from clips to an adapter', () => {
  test.each([
    ['localize', /Accuracy +\d+\.\d/, 'localize'],
    ['parse', /Segment-level/, 'parse'],
    ['segment', /M_J +\d+\.\d/, 'segment'],
  ])('%s: the folder appears whole, and run and eval take it', async (verb, figures, task) => {
    const from = await place.copyOfData(`data-${verb}`);
    if (verb === 'segment') await addMasks(from);
    const trained = await place.train(verb, ['--task', verb], {}, from);
    expect(trained).toMatchObject({ code: 0, out: expect.stringMatching(figures) });
    expect(trained.err).toMatch(/Device: the CPU\nData: 5 clips, folder, /);
    expect(await place.left(verb)).toEqual([verb, `${verb}.work`]);
    // Masks alone are judged and kept by a moving average of the weights.
    const averaged = [...(await checkpoint(verb)).tensors.keys()].some((name) => name.startsWith('average/'));
    expect(averaged).toBe(verb === 'segment');
    const files = await readdir(join(place.root, verb));
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
    // Whole seconds teach nothing about the inside of them.
    expect(JSON.parse(await readFile(join(place.root, verb, 'manifest.json'), 'utf8')).borders).toBeUndefined();
    const config = JSON.parse(await readFile(join(place.root, verb, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ peft_type: 'METTLE', task_type: task, config: { distill: { width: 16 } } });

    const evaluated = await mettle(['eval', join(place.root, verb), from, '--json']);
    expect(evaluated.code).toBe(0);
    const [report] = JSON.parse(await readFile(join(place.root, verb, 'evaluation.json'), 'utf8')).slice(-1);
    expect(report).toMatchObject({ task, split: 'test', clips: 1 });
    expect(JSON.parse(evaluated.out)).toMatchObject({ task, split: 'test', clips: 1 });
    const ran = await mettle(['run', join(from, 'clip4.mp4'), '--adapter', join(place.root, verb), '--json']);
    expect(ran.code).toBe(0);
    const { results } = JSON.parse(ran.out) as { results: { task: string; adapter: string; untrained: boolean }[] };
    expect(results).toMatchObject([{ task, adapter: verb, untrained: false }]);
  });

  test('a finished adapter says on a split what training said of it', async () => {
    const trained = await place.train('agree', ['--json', '--task', 'localize', '--head', 'B', '--exact']);
    const reports = JSON.parse(trained.out) as { split: string }[];
    for (const report of reports) {
      const args = ['eval', join(place.root, 'agree'), place.data, '--split', report.split, '--json', '--online'];
      const said = JSON.parse((await mettle(args)).out);
      expect(said).toMatchObject({ ...report, averagePrecision: expect.anything(), online: { context: 10 } });
      expect(said.online.published.online.event.audioVisual).toBeGreaterThanOrEqual(0);
    }
    expect(reports.map(({ split }) => split)).toEqual(['val', 'test']);
  });

  test('times inside of seconds give it a border head, which the command makes anew', async () => {
    const from = await place.copyOfData('data-exact');
    const table = await readFile(join(from, 'events.csv'), 'utf8');
    await writeFile(join(from, 'events.csv'), table.replaceAll(',0,1,', ',0.31,1.42,'));
    const trained = await place.train('exact', ['--task', 'parse', '--json'], {}, from);
    expect(trained.code).toBe(0);
    const manifestOf = async (name: string) =>
      JSON.parse(await readFile(join(place.root, name, 'manifest.json'), 'utf8'));
    const { borders, variants, files } = await manifestOf('exact');
    expect(borders).toEqual({ reads: ['audio.s0.b1', 'audio.s1.b1', 'audio.s2.b1'], steps: 16 });
    expect(variants.wasm.borders.graph).toBe('borders.stored8.onnx');
    expect(JSON.parse(trained.out).at(-1).borders).toMatchObject({ onsets: expect.any(Number) });
    const card = await readFile(join(place.root, 'exact', 'README.md'), 'utf8');
    expect(card).toContain('## How finely it tells times');

    const args = ['borders', join(place.root, 'exact'), '--data', from, '--cache', place.features, '--epochs', '2'];
    const made = await mettle([...args, '--seed', '7', '--out', join(place.root, 'finer'), '--json']);
    expect(made.code).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ borders, test: { ends: expect.any(Number) } });
    const after = await manifestOf('finer');
    const entry = (path: string, all: typeof files) => all.find((file: { path: string }) => file.path === path);
    for (const path of ['segment.stored8.onnx', 'clip.stored8.onnx', 'adapter_model.stored8.safetensors']) {
      expect(entry(path, after.files)).toEqual(entry(path, files));
    }
    expect(entry('borders.stored8.safetensors', after.files)).not.toEqual(entry('borders.stored8.safetensors', files));
    const evaluated = await mettle(['eval', join(place.root, 'finer'), from]);
    expect(evaluated).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Median error of +whole seconds +border head/),
    });
  }, 120_000);

  test.each([
    [['--task', 'localize', '--senses', 'audio', '--tokens', '2'], 'visual'],
    [['--task', 'parse', '--senses', 'visual', '--paths', 'none', '--taps', 'last'], 'audio'],
  ])('with %j it reads no taps of the other sense, and says the same', async (switches, unread) => {
    // Without the number of meta-tokens, of which a probe has none.
    const few = ['--epochs', '2', '--batch', '1', '--width', '16', '--layers', '1', '--exact'];
    const out = join(place.root, `without-${unread}`);
    const args = [
      'train',
      '--data',
      place.data,
      '--out',
      out,
      '--cache',
      place.features,
      ...few,
      ...switches,
      '--json',
    ];
    const trained = await mettle(args);
    expect(trained.code).toBe(0);
    const { segment } = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
    expect(segment.reads.filter((name: string) => name.startsWith(unread))).toEqual([]);
    const { out: said } = await mettle(['eval', out, place.data, '--json']);
    const report = JSON.parse(trained.out).at(-1);
    expect(JSON.parse(said)).toMatchObject({ ...report, averagePrecision: expect.anything() });
  });

  test('the card says how it was made, of what, and how far its files are from float32; no folder of this machine', async () => {
    await place.train('told');
    const card = await readFile(join(place.root, 'told', 'README.md'), 'utf8');
    const manifest = JSON.parse(await readFile(join(place.root, 'told', 'manifest.json'), 'utf8'));
    expect(card).toContain(`mettle train --data data --out told --cache features ${small.join(' ')}\n`);
    expect(card).not.toContain(place.root);
    expect(card).toContain('data (layout folder): 3 train, 1 val, 1 test clips.');
    expect(card).toContain('Classes: bell, ball.');
    expect(card).toContain(manifest.base.contract);
    const registry = JSON.parse(await readFile(fileURLToPath(new URL('registry.json', door.modelsUrl)), 'utf8'));
    expect(card).toContain(registry[DEFAULT_BACKBONE].integrity);
    const report = JSON.parse(await readFile(join(place.root, 'told', 'report.json'), 'utf8'));
    // The clip graph of an adapter as narrow as this has no weights that are large enough for 8 bits.
    const outputs = Object.values<{ relativeError: number }>(report.segment['segment.stored8.onnx'].outputs);
    const relativeError = Math.max(...outputs.map((output) => output.relativeError));
    expect(relativeError).toBeGreaterThan(0);
    expect(relativeError).toBeLessThan(0.01);
    const [, kilobytes, percent] = /(\d+) kB, weights-int8\. No output .* more than ([\d.]+) %/.exec(card)!;
    // Without the documents, of which the card is one.
    const modelFiles = manifest.files.filter(({ path }: { path: string }) => !/\.(md|json)$/.test(path));
    const bytes = modelFiles.reduce((sum: number, file: { bytes: number }) => sum + file.bytes, 0);
    expect(card).toMatch(/segment\.stored8 [\d.]+ ms \([\d.]+ of float32\)/);
    expect(Number(kilobytes)).toBe(Math.round(bytes / 1000));
    expect(Number(percent)).toBeGreaterThanOrEqual(Number((100 * relativeError).toPrecision(2)));
  });

  test('the card of a toybox names the command that makes it', async () => {
    const folder = await place.copyOfData('toys');
    await writeFile(join(folder, toyboxLog), `${toyboxHeader({ seed: 7, layout: 'ave' })}\n`);
    await place.train('from-toys', [], {}, folder);
    const card = await readFile(join(place.root, 'from-toys', 'README.md'), 'utf8');
    expect(card).toContain('mettle data toybox --out . --seed 7 --clips 5 --layouts ave\nmettle train --data toys ');
    expect(card).toMatch(/drawn figures with synthesised sounds/);
  });

  test('--exact keeps float32, --forms takes each form as it is named', async () => {
    const formsOf = async (name: string, more: string[]) => {
      expect((await place.train(name, more)).code).toBe(0);
      const { variants } = JSON.parse(await readFile(join(place.root, name, 'manifest.json'), 'utf8'));
      return Object.entries<{ segment: { precision: string } }>(variants).map(([variant, { segment }]) => [
        variant,
        segment.precision,
      ]);
    };
    expect(Object.fromEntries(await formsOf('unrounded', ['--exact']))).toEqual({ wasm: 'float32', webgpu: 'float32' });
    const forms = 'wasm=int8,webgpu=stored8,webgpu-f16=float16';
    expect(Object.fromEntries(await formsOf('forms', ['--forms', forms]))).toEqual({
      wasm: 'int8',
      webgpu: 'weights-int8',
      'webgpu-f16': 'float16',
    });
  });

  test('clips longer than what is seen at once are cut into pieces', async () => {
    const { code, out } = await place.train('pieces', ['--segments', '1', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([{ clips: 2 }, { clips: 2 }]);
  });

  test('options may stand in a file; the command line wins', async () => {
    const file = join(place.root, 'options.json');
    await writeFile(
      file,
      JSON.stringify({
        data: place.data,
        cache: place.features,
        epochs: 50,
        width: 16,
        taps: 'last-half',
        quiet: true,
      }),
    );
    const { code, err } = await mettle([
      'train',
      '--config',
      file,
      '--out',
      join(place.root, 'configured'),
      '--epochs',
      '1',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect((await checkpoint('configured')).metadata).toMatchObject({ step: '1' });
  });
});

describe('interruption', () => {
  test('aborted in the midst of an epoch and resumed, the adapter has the same bytes', async () => {
    const controller = new AbortController();
    let steps = 0;
    const onError = (text: string): void => {
      if (text.includes('clips/s') && ++steps === 5) controller.abort(new DOMException('Enough.', 'AbortError'));
    };
    const stopped = await place.train('broken-off', [], { signal: controller.signal, onError });
    expect(stopped).toMatchObject({ code: 130, err: expect.stringContaining('interrupted') });
    expect(await place.left('broken-off')).toEqual(['broken-off.work']);
    expect((await checkpoint('broken-off')).metadata).toMatchObject({ step: '5' });

    const resumed = await place.train('broken-off', ['--resume']);
    expect(resumed).toMatchObject({ code: 0, err: expect.stringContaining('Resuming from') });
    expect(await weights('broken-off')).toEqual(await undisturbed());
    const log = (await readFile(join(place.root, 'broken-off.work', 'log.jsonl'), 'utf8')).trim().split('\n');
    expect(log.map((line) => JSON.parse(line).step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('resuming another training is refused; what was done is not lost unseen', async () => {
    const again = (more: string[]) => place.train('other', more);
    await again([]);
    await rm(join(place.root, 'other'), { recursive: true });
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
    const out = join(place.root, 'ctrl-c');
    const args = place.args(out, ['--epochs', '100000']);
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
    expect(await place.left('ctrl-c')).toEqual(['ctrl-c.work']);
    expect(Number((await checkpoint('ctrl-c')).metadata.step)).toBeGreaterThanOrEqual(6);
    expect((await readdir(`${out}.work`)).sort()).toEqual(['checkpoint.safetensors', 'log.jsonl', 'training.html']);
  });
});

describe('features that were kept', () => {
  /** A copy of the kept place.features, each file changed. */
  async function changed(name: string, change: (path: string) => Promise<void>): Promise<string[]> {
    await undisturbed();
    const copy = join(place.root, name);
    await cp(place.features, copy, { recursive: true });
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
    const { code, err } = await place.train('diverged', poisoned);
    expect(code).toBe(2);
    expect(err).toMatch(
      /mettle: Step 1 gave a loss of NaN .* on the examples clip\d\.mp4\. No checkpoint was saved\.\nhint: \w/,
    );
    expect(await place.left('diverged')).toEqual([]);
  });

  test('a damaged file is made anew', async () => {
    const damaged = await changed('damaged', (path) => truncate(path, 500));
    expect(await place.train('repaired', damaged)).toMatchObject({ code: 0 });
    expect(await weights('repaired')).toEqual(await undisturbed());
  });

  test('without room for any, the result is the same', async () => {
    const { code, err } = await place.train('not-kept', ['--cache-gb', '0', '--cache', join(place.root, 'nothing')]);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('the backbone runs again each epoch') });
    expect(await place.left('nothing')).toEqual([]);
    expect(await weights('not-kept')).toEqual(await undisturbed());
  });
});

describe('disks', () => {
  test('a full one stops with the reason and leaves nothing half-written', async ({ skip }) => {
    const disk = join(place.root, 'full');
    await mkdir(disk);
    const inside = (command: string): string =>
      execFileSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=64k none '${disk}' && ${command}`], {
        encoding: 'utf8',
      });
    try {
      inside('true');
    } catch {
      skip('a small disk needs Linux, unshare and the right to mount in a namespace of its own');
    }
    await undisturbed();
    const command = [process.execPath, '--import', 'tsx', program, ...place.args(join(disk, 'out'))].join(' ');
    const said = inside(`{ ${command} 2>&1; echo code $?; ls -A '${disk}' '${disk}/out.work'; }`);
    expect(said).toMatch(
      /mettle: .*checkpoint\.safetensors cannot be written: the disk is full\.\nhint: Free some room/,
    );
    expect(said).toMatch(/code 2\n/);
    expect(said).not.toMatch(/\.part|\nout\n|\ncheckpoint/);
  });

  test('an output that exists is not touched', async () => {
    await mkdir(join(place.root, 'taken'));
    expect(await place.train('taken/')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/taken exists already\.\nhint: Choose another --out/),
    });
    expect(await place.left('taken')).toEqual(['taken']);
  });

  test('a place where nothing can be written is found out', async () => {
    await writeFile(join(place.root, 'file'), '');
    const { code, err } = await place.train('file/out');
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('cannot be written') });
  });
});
