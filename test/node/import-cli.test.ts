/** `mettle backbone import` through `main`: what it prints, what it writes, and that nothing stays behind when it stops. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import { compileBackbone } from '../../sdk/compile/backbone.ts';
import { smallForms } from '../../sdk/compile/variants.ts';
import { type PackageReport, smallestCosine } from '../../sdk/compile/variants-report.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import { createMettle } from '../../sdk/index.ts';
import { backboneTaps } from '../../sdk/models/backbone.ts';
import { initialize, Params } from '../../sdk/models/params.ts';
import { type PresetName, presets } from '../../sdk/models/presets.ts';
import { readSafetensors, toFloat32, writeSafetensors } from '../../sdk/onnx/safetensors.ts';
import { type Tensors, torchFileOf } from '../helpers/checkpoint-files.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { asMicrosoft, asTimm } from '../helpers/key-styles.ts';

type Weights = Record<string, Tensors[string]>;

/** Seeded noise of a preset's size. */
function noise(preset: PresetName): Weights {
  let params: Params | undefined;
  backboneTaps(presets[preset], (graph) => {
    params = Params.inputs(graph);
    return params;
  });
  return Object.fromEntries(
    [...params!.specs.values()].map((spec) => [spec.name, { shape: spec.shape, data: initialize(spec, 3) }]),
  );
}

const head: Weights = { 'head.weight': { shape: [2, 256], data: new Float32Array(512) } };

let root: string;
let swin: Weights;
let source: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-import-'));
  swin = noise('swin-v2-nano');
  source = join(root, 'swin.pth');
  await writeFile(
    source,
    torchFileOf(asMicrosoft({ ...swin, ...head }, [8, 8, 8, 4], [8, 8, 8, 4]), { nested: 'model' }),
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));

let place: string;
let out: string;
beforeEach(async () => {
  place = await mkdtemp(join(root, 'place-'));
  out = join(place, 'package');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(place, { recursive: true, force: true });
});

type Call = { code: number; out: string; err: string };

async function run(args: string[], { tty = false, stopAt }: { tty?: boolean; stopAt?: RegExp } = {}): Promise<Call> {
  const controller = new AbortController();
  const written = { out: '', err: '' };
  const output = (key: 'out' | 'err') => ({
    isTTY: tty,
    columns: 100,
    write: (text: string) => {
      written[key] += text;
      if (stopAt?.test(text)) controller.abort(new DOMException('Interrupted.', 'AbortError'));
    },
  });
  const io = { stdout: output('out'), stderr: output('err'), signal: controller.signal };
  return { code: await main(['backbone', 'import', ...args], io), ...written };
}

const pair = ['--preset', 'swin-v2-nano', '--preset', 'hts-at-nano'];
const nano = (...args: string[]): string[] => [source, '--preset', 'swin-v2-nano', '--out', out, ...args];

async function variant(name: string, change: (weights: Weights) => Weights): Promise<string> {
  const path = join(place, name);
  await writeFile(path, torchFileOf(change(swin)));
  return path;
}

describe('a checkpoint that fits', () => {
  test('becomes the package that compiling its weights gives', async () => {
    const { code, out: text, err } = await run(nano('--license', 'MIT', '--id', 'my-swin'));
    expect([code, err]).toEqual([0, '']);
    expect(text).toContain('swin.pth: PyTorch, ');
    expect(text).toContain('weights under "model"');
    expect(text).toMatch(/names +Microsoft Swin-V2\n/);
    expect(text).toMatch(/network +width 32, depths 2-2-4-2, heads 2-4-8-16, window 8\n/);
    expect(text).toMatch(/left out +head\.weight: classification head\n/);

    const files = ['canary.safetensors', 'manifest.json', 'report.json', 'visual.onnx', 'visual.safetensors'];
    expect((await readdir(out)).sort()).toEqual(['README.md', ...files]);
    const manifest = parseManifest(JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')), 'test');
    expect(manifest).toMatchObject({ kind: 'backbone', id: 'my-swin', license: 'MIT', untrained: false });
    for (const { path, bytes, integrity } of manifest.files) {
      const file = await readFile(join(out, path));
      expect([file.length, `sha256-${createHash('sha256').update(file).digest('base64')}`]).toEqual([bytes, integrity]);
    }

    const weights = new Map(Object.entries(swin).map(([name, { data }]) => [name, data as Float32Array]));
    const whole = await compileBackbone(
      { id: 'my-swin', version: '1.0.0', license: 'MIT', presets: ['swin-v2-nano'], weights: { visual: weights } },
      evaluate,
    );
    const { inputs, networks, taps, canary } = whole.manifest;
    expect(manifest).toMatchObject({ inputs, networks, taps, canary });
    expect(await readFile(join(out, 'canary.safetensors'))).toEqual(Buffer.from(whole.files['canary.safetensors']!));
    const mine = readSafetensors(new Uint8Array(await readFile(join(out, 'visual.safetensors')))).tensors;
    const theirs = readSafetensors(whole.files['visual.safetensors']!).tensors;
    for (const [name, { bytes }] of theirs) {
      expect(Buffer.compare(mine.get(name)!.bytes, bytes), name).toBe(0);
    }
    expect(theirs.size).toBeGreaterThan(100);
  });

  test('the card names its origin', async () => {
    await run(nano('--license', 'MIT'));
    const card = await readFile(join(out, 'README.md'), 'utf8');
    const digest = createHash('sha256')
      .update(await readFile(source))
      .digest('hex');
    for (const part of ['# swin-v2-nano 1.0.0', 'swin.pth', digest, 'Microsoft Swin-V2', 'license: "MIT"']) {
      expect(card).toContain(part);
    }
  });

  test('in the forms that --forms names: each in files of its own, float16 as 32-bit numbers rounded', async () => {
    const list = 'wasm=int8, webgpu=block8,webgpu-f16=float16';
    const { code, out: text } = await run(nano('--forms', list));
    expect(code).toBe(0);
    expect(text).toContain('MB, webgpu block8, wasm int8, webgpu-f16 float16, SHA-256');
    const manifest = parseManifest(JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')), 'test');
    const precisions = Object.entries(manifest.variants).map(([name, graphs]) => [name, graphs.visual.precision]);
    expect(Object.fromEntries(precisions)).toEqual({
      webgpu: 'weights-int8',
      wasm: 'int8',
      'webgpu-f16': 'float16',
    });
    const half = readSafetensors(new Uint8Array(await readFile(join(out, 'visual.float16.safetensors')))).tensors;
    const weight = half.get('norm.weight.half')!;
    expect(weight.dtype).toBe('F16');
    toFloat32(weight).forEach((x, i) => {
      expect(Math.abs(x - (swin['norm.weight']!.data as Float32Array)[i]!)).toBeLessThan(1e-3);
    });
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('(webgpu block8, wasm int8, webgpu-f16 float16)');
  });

  test('with one of sounds it becomes a backbone of both senses, which is run once when it is loaded', async () => {
    const sounds = join(place, 'sounds.safetensors');
    const tensors = Object.entries(noise('hts-at-nano')).map(
      ([name, { shape, data }]) =>
        [name, { dtype: 'F32' as const, shape: [...shape], data: data as Float32Array }] as const,
    );
    await writeFile(sounds, writeSafetensors(Object.fromEntries(tensors), { author: 'a | b' }));
    const both = [source, sounds, '--preset', 'swin-v2-nano', '--preset', 'hts-at-nano', '--out', out];
    const forms = ['--forms', 'wasm=stored8,webgpu=stored8'];
    const { code, out: text } = await run([...both, ...forms, '--id', 'both']);
    expect(code).toBe(0);
    expect(text).toMatch(/names +Microsoft Swin-V2\n[\s\S]*names +HTS-AT\n/);
    const manifest = parseManifest(JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')), 'test');
    const weights = async (file: Weights) =>
      new Map(Object.entries(file).map(([name, { data }]) => [name, data as Float32Array]));
    const whole = await compileBackbone(
      {
        ...{ id: 'both', version: '1.0.0', license: 'unknown', presets: ['swin-v2-nano', 'hts-at-nano'] },
        weights: { visual: await weights(swin), audio: await weights(noise('hts-at-nano')) },
        forms: smallForms,
      },
      evaluate,
    );
    // Some tables are folded at another place where weights are not in memory; what the graphs give is the same.
    expect({ ...manifest, files: [] }).toEqual({ ...whole.manifest, files: [] });
    expect(await readFile(join(out, 'canary.safetensors'))).toEqual(Buffer.from(whole.files['canary.safetensors']!));
    const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as PackageReport;
    expect(Object.keys(report)).toEqual(['visual', 'audio']);
    const card = await readFile(join(out, 'README.md'), 'utf8');
    for (const part of ['swin.pth', 'sounds.safetensors', 'author = a   b', 'preset `hts-at-nano`']) {
      expect(card).toContain(part);
    }
    expect(card).toMatch(/No tap differs from that of float32 by more than [\d.]+ %/);
    await using mettle = await createMettle({ backbone: out, adapters: [], device: 'cpu' });
    expect(mettle.info().backbone).toEqual({ id: 'both', version: '1.0.0' });
  });

  test('the report has the distance from float32 and the time of each form, also where float32 is not in the package', async () => {
    expect((await run(nano('--forms', 'wasm=int8,webgpu=block4,webgpu-f16=float16'))).code).toBe(0);
    const { visual, ...others } = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as PackageReport;
    expect(others).toEqual({});
    expect(Object.keys(visual!).sort()).toEqual(['visual.block4.onnx', 'visual.float16.onnx', 'visual.int8.onnx']);
    for (const [graph, { bytes, outputs, speed }] of Object.entries(visual!)) {
      expect(bytes).toBeGreaterThan(1e6);
      expect(Object.keys(outputs)).toContain('visual.s3');
      expect(smallestCosine(visual![graph]!)).toBeGreaterThan(0.9);
      expect(speed!.place).toMatchObject({ device: 'cpu', machine: expect.stringContaining('logical cores') });
      if (graph === 'visual.float16.onnx') {
        expect(speed).toMatchObject({ ms: null, ratio: null, why: expect.stringContaining('GPUs') });
      } else {
        for (const x of [speed!.ms, speed!.float32Ms, speed!.ratio]) {
          expect(Number.isFinite(x)).toBe(true);
          expect(x).toBeGreaterThan(0);
        }
        expect(speed!.rounds).toBeGreaterThanOrEqual(3);
      }
    }
    expect(await readdir(out)).not.toContain('float32');
    const manifest = await readFile(join(out, 'manifest.json'), 'utf8');
    expect(JSON.parse(manifest).files.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['README.md', 'report.json']),
    );
    const card = await readFile(join(out, 'README.md'), 'utf8');
    expect(card).toMatch(/\nTime of a segment: .*visual\.int8 [\d.]+ ms \([\d.]+ of float32\).*float16 not measured/);
  });

  test('where the forms cannot be run, the report says why and the package is whole', async () => {
    const free = vi.spyOn(os, 'freemem').mockReturnValue(1e6);
    expect((await run(nano('--forms', 'wasm=int8'))).code).toBe(0);
    expect(free).toHaveBeenCalled();
    const { visual } = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as PackageReport;
    for (const graph of ['visual.onnx', 'visual.int8.onnx']) {
      expect(visual![graph]).toMatchObject({
        outputs: {},
        speed: {
          ms: null,
          ratio: null,
          why: expect.stringMatching(/take 0\.\d GB of memory, of which 0\.0 GB are free/),
        },
      });
    }
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('visual.int8 not measured');
  });

  test('a loader of the SDK takes it, every byte verified', async () => {
    await run(nano('--quiet'));
    const { openModel } = await import('../../sdk/hub/hub.ts');
    const { manifest } = await openModel(pathToFileURL(`${out}/`).href, 'backbone', {});
    expect(manifest.id).toBe('swin-v2-nano');
  });

  test('--dry-run writes nothing; --quiet prints nothing; a terminal gets a bar of bytes', async () => {
    const dry = await run([source, '--preset', 'swin-v2-nano', '--dry-run', '--verbose']);
    expect([dry.code, dry.err]).toEqual([0, '']);
    expect(dry.out).toContain('layers.3.blocks.1.attn.relative_position_index');
    expect(await readdir(place)).toEqual([]);
    expect(await run(nano('--quiet'))).toEqual({ code: 0, out: '', err: '' });
    const bar = await run(nano('--force'), { tty: true });
    expect(bar.err).toMatch(/Checking.*\/\d+ MB/);
    expect(bar.err).toMatch(/Writing weights.*\/\d+ MB/);
  });

  test('a file that does not tell its window says which presets it fits', async () => {
    const tiny = join(place, 'timm.pth');
    await writeFile(tiny, torchFileOf(asTimm(noise('swin-v2-tiny-256-w8'))));
    const { code, out: text } = await run([tiny, '--preset', 'swin-v2-tiny-256-w16', '--dry-run']);
    expect(code).toBe(0);
    expect(text).toMatch(/names +timm Swin-V2, 0\.9 and later/);
    expect(text).toMatch(/note +the file does not tell its window; it would fit .*swin-v2-tiny-256-w8\b.* too/);
  });
});

describe('a checkpoint that does not fit: exit 2, no folder, names', () => {
  async function refused(args: string[]): Promise<Call> {
    const call = await run(args);
    expect(call.code).toBe(2);
    expect(await readdir(place).then((names) => names.filter((name) => !name.endsWith('.pth')))).toEqual([]);
    return call;
  }

  test('another preset: which would fit', async () => {
    const { err } = await refused([source, '--preset', 'swin-v2-large-192', '--out', out]);
    expect(err).toContain(
      'width 32, depths 2-2-4-2, heads 2-4-8-16, window 8, but preset "swin-v2-large-192" has width 192',
    );
    expect(err).toContain('--preset swin-v2-nano');
    const audio = await refused([source, '--preset', 'hts-at', '--out', out]);
    expect(audio.err).toMatch(/holds Microsoft Swin-V2, but the preset is a network for sounds/);
    expect(audio.err).toContain('--preset swin-v2-nano');
  });

  test('a window of the pretraining that is another: the table tells', async () => {
    const path = await variant('tuned.pth', (weights) => asMicrosoft(weights, [8, 8, 8, 4], [6, 6, 6, 4]));
    const { err } = await refused([path, '--preset', 'swin-v2-nano', '--out', out]);
    expect(err).toContain('window 8 (measured by 6), but preset');
  });

  test('unknown, missing and misshapen tensors, all by name', async () => {
    const path = await variant('odd.pth', ({ 'norm.bias': _, ...weights }) => ({
      ...weights,
      'norm.extra': { shape: [1], data: new Float32Array(1) },
      'layers.0.blocks.9.\u001b[2Jx': { shape: [1], data: new Float32Array(1) },
      'layers.1.blocks.0.norm1.bias': { shape: [32], data: new Float32Array(32) },
    }));
    const { out: text, err } = await refused([path, '--preset', 'swin-v2-nano', '--out', out]);
    expect(text).not.toContain('\u001b');
    expect(err).toContain('network of width 32, depths 10-2-4-2');
    expect(text).toMatch(/unknown +norm\.extra\n/);
    expect(text).toMatch(/missing +norm\.bias\n/);
    expect(text).toMatch(/shape +layers\.1\.blocks\.0\.norm1\.bias \[32\], expected \[64\]\n/);
    const other = await variant('less.pth', ({ 'norm.bias': _, ...weights }) => weights);
    expect((await refused([other, '--preset', 'swin-v2-nano', '--out', out])).err).toContain('1 missing: norm.bias');
  });

  test('a weight that is no number', async () => {
    const path = await variant('nan.pth', (weights) => ({
      ...weights,
      'norm.weight': { shape: [256], data: new Float32Array(256).fill(NaN) },
    }));
    const { err } = await refused([path, '--preset', 'swin-v2-nano', '--out', out]);
    expect(err).toContain('tensor "norm.weight" holds NaN');
  });

  test.each<[string, (weights: Weights) => Weights, RegExp]>([
    ['torchvision', () => ({ 'features.1.0.attn.cpb_mlp.0.weight': head['head.weight']! }), /torchvision/],
    [
      'Swin V1',
      () => ({ 'layers.0.blocks.0.attn.relative_position_bias_table': head['head.weight']! }),
      /first generation/,
    ],
    ['another network', () => ({ 'conv1.weight': head['head.weight']! }), /no known style; it holds conv1\.weight/],
  ])('%s', async (_, change, message) => {
    const path = await variant('other.pth', change);
    expect((await refused([path, '--preset', 'swin-v2-nano', '--out', out])).err).toMatch(message);
  });

  test.each<[string, (path: string) => string[], RegExp]>([
    ['no preset', (path) => [path, '--out', 'x'], /--preset NAME is missing.*\n.*swin-v2-large-192/],
    ['unknown preset', (path) => [path, '--preset', 'toString', '--out', 'x'], /--preset "toString" is unknown/],
    ['two without an id', (path) => [path, path, ...pair, '--out', 'x'], /--id ID is missing/],
    [
      'one preset of two',
      (path) => [path, path, '--preset', 'hts-at', '--id', 'x', '--out', 'x'],
      /2 checkpoints and 1 pres/,
    ],
    [
      'the same sense twice',
      (path) => [path, path, '--preset', 'hts-at', '--preset', 'hts-at-nano', '--id', 'x', '--out', 'x'],
      /hts-at and hts-at-nano are networks for the same sense/,
    ],
    ['no folder', (path) => [path, '--preset', 'hts-at'], /--out DIR is missing/],
    ['form unlike', (path) => [path, '--preset', 'hts-at', '--forms', 'int8'], /"int8" is not like wasm=int8/],
    [
      'form of nobody',
      (path) => [path, '--preset', 'hts-at', '--forms', 'cpu=int8'],
      /"cpu" is none of wasm, webgpu, /,
    ],
    ['form twice', (path) => [path, '--preset', 'hts-at', '--forms', 'wasm=int8,wasm=int8'], /names wasm twice/],
    ['half on WASM', (path) => [path, '--preset', 'hts-at', '--forms', 'wasm=float16'], /wasm takes float32, int8, /],
    ['no checkpoint', () => ['--preset', 'hts-at', '--out', 'x'], /Expected one CHECKPOINT/],
    ['bad id', (path) => [path, '--preset', 'hts-at', '--out', 'x', '--id', '../x'], /--id "..\/x" must be/],
    ['missing file', (path) => [`${path}.no`, '--preset', 'hts-at', '--out', 'x'], /does not exist/],
    ['folder', (path) => [join(path, '..'), '--preset', 'hts-at', '--out', 'x'], /not a file/],
  ])('wrong usage: %s', async (_, args, message) => {
    expect((await refused(args(source))).err).toMatch(message);
  });
});

describe('the folder', () => {
  test.each([/Checking/, /Writing weights/])('Ctrl-C at %s leaves nothing', async (stopAt) => {
    const { code, err } = await run(nano(), { tty: true, stopAt });
    expect(code).toBe(130);
    expect(err).toContain('interrupted');
    expect(await readdir(place)).toEqual([]);
  });

  test('files that are there stay, unless they are a package and --force is said', async () => {
    await mkdir(out);
    expect((await run(nano('--quiet'))).code).toBe(0);
    expect(await run(nano('--quiet'))).toMatchObject({ code: 2, err: expect.stringContaining('not empty') });
    expect((await run(nano('--quiet', '--force', '--id', 'second'))).code).toBe(0);
    expect(JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')).id).toBe('second');
    const stopped = await run(nano('--force', '--id', 'third'), { tty: true, stopAt: /Writing weights/ });
    expect(stopped.code).toBe(130);
    expect(JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')).id).toBe('second');
    expect(await readdir(place)).toEqual(['package']);

    const precious = join(place, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'thesis.txt'), 'all of it');
    const { code, err } = await run([source, '--preset', 'swin-v2-nano', '--out', precious, '--force']);
    expect(code).toBe(2);
    expect(err).toContain('holds no package');
    expect(await readdir(precious)).toEqual(['thesis.txt']);
  });
});
