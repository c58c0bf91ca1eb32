/** Two packages of one sense each as one backbone: manifest, download, engine, command; on tiny graphs that need no data. */

import { describe, expect, test, vi } from 'vitest';
import { runtimes } from '#runtimes';
import { main } from '../../sdk/cli/main.ts';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { compileBackbone, type Package } from '../../sdk/compile/backbone.ts';
import { checkFits, contractOf } from '../../sdk/contract/fits.ts';
import type { AdapterManifest, BackboneManifest, Tap } from '../../sdk/contract/manifest.ts';
import { pairManifests, wholeBackbone } from '../../sdk/contract/pair.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { type DownloadProgress, openModel } from '../../sdk/hub/hub.ts';
import { pairModels } from '../../sdk/hub/pair-models.ts';
import { defaultAdapter, mapsToGuide } from '../../sdk/models/adapter.ts';
import { defaultLcd, lcd } from '../../sdk/models/lcd.ts';
import { Params } from '../../sdk/models/params.ts';
import { type PresetName, presets } from '../../sdk/models/presets.ts';
import { asTokens } from '../../sdk/models/taps.ts';
import { Graph } from '../../sdk/ops/index.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { changed, MemoryPlatform } from '../unit/hub-fixtures.ts';

const onCpu = (values: Parameters<typeof evaluate>[0]) => evaluate(values);
const make = (id: string, names: PresetName[]): Promise<Package<BackboneManifest>> =>
  compileBackbone({ id, version: '1.2.0', license: id, presets: names, weights: { seed: 1 } }, onCpu);
const pictures = await make('eyes', ['swin-v2-nano']);
const sounds = await make('ears', ['hts-at-nano']);
const both = await make('whole', ['swin-v2-nano', 'hts-at-nano']);
const config = { ...defaultAdapter, task: 'localize' as const, classes: ['a', 'b'] };
const adapterFor = (base: BackboneManifest): Promise<Package<AdapterManifest>> =>
  compileAdapter({ id: 'adapter', version: '1.0.0', license: 'MIT', config, weights: { seed: 2 } }, base, onCpu);

describe('the manifest of a pair', () => {
  test('is the same in either order, with the contract of a package that has both', async () => {
    const pair = pairManifests(sounds.manifest, pictures.manifest);
    expect(pair).toEqual(pairManifests(pictures.manifest, sounds.manifest));
    expect(pair).toMatchObject({ id: 'eyes+ears', version: '1.2.0+1.2.0', license: 'eyes AND ears', untrained: true });
    expect(await contractOf(pair)).toBe(await contractOf(both.manifest));
    expect(pair.files.map(({ path }) => path)).toEqual([
      'visual:canary.safetensors',
      'visual:visual.onnx',
      'visual:visual.safetensors',
      'audio:audio.onnx',
      'audio:audio.safetensors',
      'audio:canary.safetensors',
    ]);
    expect(pair.inputs.audio).toEqual(presets['hts-at-nano'].frontEnd);
  });

  test('is named by adapters made for it, which fit no other', async () => {
    const { manifest } = await adapterFor(pairManifests(pictures.manifest, sounds.manifest));
    expect(manifest.base.id).toBe('eyes+ears');
    expect(parseManifest(manifest, 'adapter')).toEqual(manifest);
    await checkFits(manifest, pairManifests(sounds.manifest, pictures.manifest));
    await expect(checkFits(manifest, both.manifest)).rejects.toMatchObject({ code: 'incompatible' });
    for (const id of ['eyes+', '+ears', 'a+b+c', 'a b']) {
      expect(() => parseManifest(changed(manifest, 'base.id', id), 'adapter')).toThrow('base.id: expected the id');
    }
  });

  test('is refused where a name stands in both', () => {
    const twin = changed(sounds.manifest, 'taps.audio.0.name', 'visual.s0');
    expect(() => pairManifests(pictures.manifest, twin)).toThrow('"eyes" and "ears" both have a tap named "visual.s0"');
    expect(() => pairManifests(pictures.manifest, pictures.manifest)).toThrow('make no pair');
    expect(() => pairManifests(both.manifest, sounds.manifest)).toThrow('"whole" (pictures and sounds)');
    expect(wholeBackbone(both.manifest)).toBe(both.manifest);
    expect(() => wholeBackbone(sounds.manifest)).toThrow('"ears" is for sounds alone');
  });

  test.each<[string, unknown, string]>([
    ['inputs.visual', null, 'inputs: expected visual, audio or both, got neither'],
    [
      'taps.audio',
      [{ name: 'x', layout: 'tokens', tokens: 1, width: 1, grid: [1, 1] }],
      'taps.audio: expected none, since inputs.audio is null',
    ],
    [
      'variants.wasm.audio',
      { graph: 'visual.onnx', weights: 'visual.safetensors' },
      'variants.wasm.audio: expected null, since inputs.audio is null',
    ],
    ['variants.webgpu.visual', null, 'variants.webgpu.visual: expected an object, got null'],
    ['taps.visual', [], 'taps.visual: expected at least 1 item'],
  ])('a package of one sense with another %s is refused', (path, value, problem) => {
    expect(() => parseManifest(changed(pictures.manifest, path, value), 'here')).toThrow(problem);
  });
});

test('a pair whose files have the same names downloads as one and runs as the package with both does', async () => {
  const platform = new MemoryPlatform();
  // The same names in both packages.
  const renamed = (built: Package<BackboneManifest>, sense: string) => ({
    ...built.files,
    'manifest.json': new TextEncoder().encode(JSON.stringify(built.manifest).replaceAll(`${sense}.onnx`, 'graph.onnx')),
    'graph.onnx': built.files[`${sense}.onnx`]!,
  });
  platform.put('memory://page/eyes/', renamed(pictures, 'visual'));
  platform.put('memory://page/ears/', renamed(sounds, 'audio'));
  const open = (at: string) => openModel(at, 'backbone', { platform });
  const pair = pairModels(await open('./ears'), await open('./eyes'));
  const seen: DownloadProgress[] = [];
  const backbone = await pair.download('wasm', { onProgress: (progress) => seen.push(progress) });
  const last = seen.filter(({ type }) => type === 'total').at(-1)!;
  expect(last).toMatchObject({ model: 'eyes+ears', received: pair.bytes('wasm'), bytes: pair.bytes('wasm') });
  expect(Object.keys(backbone.files)).toContain('audio:graph.onnx');

  const frame = { width: 128, height: 128, data: Uint8Array.from({ length: 128 * 128 * 3 }, (_, i) => (i * 7) % 256) };
  const pcm = Float32Array.from({ length: 32_000 }, (_, i) => Math.sin(i / 9));
  const outputs = [];
  for (const model of [backbone, both]) {
    const adapter = await adapterFor(model.manifest);
    const engine = new LocalEngine(runtimes);
    await engine.load({ backbone: model, adapters: [adapter], device: 'cpu' });
    const run = await engine.begin(['adapter']);
    await engine.push(run, { frame, pcm });
    outputs.push(await engine.finish(run));
    await engine.dispose();
  }
  expect(outputs[0]).toEqual(outputs[1]);
});

test('the engine takes no backbone of one sense', async () => {
  const engine = new LocalEngine(runtimes);
  await expect(engine.load({ backbone: pictures, adapters: [], device: 'cpu' })).rejects.toMatchObject({
    code: 'incompatible',
  });
  await engine.dispose();
});

describe('taps of other networks', () => {
  test('a map becomes tokens row by row', async () => {
    const graph = new Graph();
    const map = graph.input('map', [1, 2, 2, 3]);
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const { tokens } = await evaluate({ tokens: asTokens(map) }, { map: { data, shape: [1, 2, 2, 3] } });
    expect([...tokens!]).toEqual([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
    const plain = graph.input('plain', [1, 6, 2]);
    expect(asTokens(plain)).toBe(plain);
  });

  test.each([24, 100, 200, 1001, 1280])('LCD reads a width of %d', (width) => {
    const graph = new Graph();
    const condensed = lcd(Params.inputs(graph), graph.input('x', [1, 9, width]), defaultLcd);
    expect(condensed.shape).toEqual([1, 4, width]);
  });

  const tap = (name: string, ...grid: [number, number]): Tap => {
    return { name, layout: 'map', tokens: grid[0] * grid[1], width: 8, grid };
  };
  test.each<[string, Tap[], string[]]>([
    [
      'the last of each size, finest first',
      [tap('a', 8, 8), tap('b', 8, 8), tap('c', 4, 4), tap('d', 2, 2)],
      ['b', 'c', 'd'],
    ],
    [
      'at most four',
      [tap('a', 32, 32), tap('b', 16, 16), tap('c', 8, 8), tap('d', 4, 4), tap('e', 2, 2)],
      ['b', 'c', 'd', 'e'],
    ],
    ['only what doubles', [tap('a', 14, 14), tap('b', 7, 7), tap('c', 1, 1)], ['a', 'b']],
    [
      'stage ends, not blocks',
      [tap('s0.b0', 8, 8), tap('s0', 8, 8), tap('s1.b0', 4, 4), tap('s1', 4, 4)],
      ['s0', 's1'],
    ],
    ['sides that are not square', [tap('a', 6, 4), tap('b', 3, 2)], ['a', 'b']],
  ])('a mask is decoded from %s', (_name, taps, names) => {
    expect(mapsToGuide(taps).map(({ name }) => name)).toEqual(names);
  });
});

test.each<[string[], unknown]>([
  [['--backbone', './a'], './a'],
  [
    ['--backbone', './a', '--backbone', './b'],
    ['./a', './b'],
  ],
  [
    ['--backbone', './a,./b'],
    ['./a', './b'],
  ],
])('the command hands on %j', async (options, backbone) => {
  const createMettle = vi.fn(() => Promise.reject(new Error('seen enough')));
  const silent = { write: () => {} };
  await main(['run', 'c.mp4', ...options], {
    stdout: silent,
    stderr: silent,
    createMettle,
    listModels: async () => [],
  });
  expect(createMettle).toHaveBeenCalledWith(expect.objectContaining({ backbone }));
});

test.each([[['a', 'b', 'c']], [['a,']], [['a,b,c']]])('the command refuses the backbones %j', async (names) => {
  let err = '';
  const code = await main(['run', 'c.mp4', ...names.flatMap((name) => ['--backbone', name])], {
    stdout: { write: () => {} },
    stderr: { write: (text) => (err += text) },
  });
  expect(code).toBe(2);
  expect(err).toContain('--backbone takes one backbone or two');
});
