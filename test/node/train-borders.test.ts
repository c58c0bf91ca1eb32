/** A border head for a finished adapter: learned from made-up features in which each class shows in a channel of its own, packed beside graphs that stay, and run by the engine. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { withBorderHead } from '../../sdk/compile/borders.ts';
import { evaluate } from '../../sdk/compile/evaluate.ts';
import { bordersOutput } from '../../sdk/contract/borders.ts';
import type { BackboneManifest, Tap } from '../../sdk/contract/manifest.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { openBackbone } from '../../sdk/load.ts';
import { type AdapterConfig, defaultAdapter } from '../../sdk/models/adapter.ts';
import { borderTaps } from '../../sdk/models/borders.ts';
import { seededRandom } from '../../sdk/random.ts';
import { trainBorders } from '../../sdk/train/borders/train-borders.ts';
import type { ExactEvent } from '../../sdk/train/data/types.ts';
import type { Piece } from '../../sdk/train/features/pieces.ts';
import type { TapCache } from '../../sdk/train/features/tap-cache.ts';

const nano = fileURLToPath(new URL('../../adapters/backbones/nano', import.meta.url));
const base = parseManifest(JSON.parse(readFileSync(`${nano}/manifest.json`, 'utf8')), 'nano') as BackboneManifest;
const fine = borderTaps(base.taps.audio, base.inputs.audio)!;
const seconds = 4;
const classes = ['bell', 'dog'];
const config: AdapterConfig = {
  ...defaultAdapter,
  distill: { ...defaultAdapter.distill, width: 16 },
  ...{ task: 'parse', classes, taps: 'last', segments: seconds, layers: 1, channels: 8 },
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 1 });
});
afterAll(() => runtime.dispose());

const compile = () =>
  compileAdapter({ id: 'ears', version: '1.0.0', license: 'MIT', config, weights: { seed: 1 } }, base, (values) =>
    evaluate(runtime.ort, values),
  );

/** Noise, and in channel c of every row a step up while class c sounds. */
function tapOf({ name, tokens, width, grid: [rows, columns] }: Tap, events: readonly ExactEvent[], seed: string) {
  const random = seededRandom(`${seed} ${name}`);
  const data = Float32Array.from({ length: seconds * tokens * width }, () => random() - 0.5);
  for (let row = 0; row < seconds * rows; row++) {
    const middle = (row + 0.5) / rows;
    for (const { classIndex, onset, offset } of events) {
      if (middle < onset || middle >= offset) continue;
      for (let column = 0; column < columns; column++) data[(row * columns + column) * width + classIndex]! += 3;
    }
  }
  return data;
}

function material(count: number, whole = false) {
  const random = seededRandom('events');
  const pieces = Array.from({ length: count }, (_, index): Piece & { events: ExactEvent[] } => {
    const events = classes.map((_name, classIndex): ExactEvent => {
      const onset = 0.3 + 1.5 * random();
      const offset = onset + 1 + random();
      const time = whole ? Math.round : (x: number) => x;
      return { classIndex, modality: 'audio', onset: time(onset), offset: time(offset) };
    });
    const flags = new Uint8Array(seconds * classes.length);
    return {
      ...{ id: `${index}`, split: index < count - 4 ? 'train' : 'test', seconds, start: 0, events },
      source: { kind: 'video', path: `${index}` },
      labels: { task: 'parse', clip: Uint8Array.of(1, 1), audio: flags, visual: flags },
    };
  });
  const all = [...base.taps.audio, ...base.taps.visual];
  const taps = {
    read: async (index: number, names: Iterable<string>) => {
      const read = [...names].map((name) => all.find((tap) => tap.name === name)!);
      const given = read.map((tap) => [tap.name, tapOf(tap, pieces[index]!.events, `${index}`)]);
      return { seconds, taps: Object.fromEntries(given) };
    },
  } as unknown as TapCache;
  return { pieces, failed: new Map<string, string>(), taps, indexOf: (piece: Piece) => Number(piece.id) };
}

test('it learns when each class sounds, and leaves everything else as it was', async () => {
  const adapter = await compile();
  const features = material(20);
  const steps: number[] = [];
  const { package: bordered, figures } = await trainBorders({
    ...{ adapter, base, runtime, features, epochs: 20, batch: 4 },
    onProgress: ({ done }) => steps.push(done),
  });
  const { manifest, files } = bordered;
  expect(steps.at(-1)).toBe(80);
  expect(manifest.borders).toEqual({ reads: fine.taps.map(({ name }) => name), steps: 16 });
  const canary = adapter.manifest.canary!.file;
  for (const { path, integrity } of adapter.manifest.files) {
    if (path !== canary) expect(manifest.files.find((file) => file.path === path)?.integrity).toBe(integrity);
  }
  expect(figures.test).toMatchObject({ onsets: expect.any(Number), ends: expect.any(Number) });

  const { graph, weights } = manifest.variants.wasm.borders!;
  const session = await runtime.ort.InferenceSession.create(files[graph]!, {
    externalData: [{ path: weights, data: files[weights]! }],
  });
  const [index, second] = [18, 1];
  const { taps } = await features.taps.read(
    index,
    fine.taps.map(({ name }) => name),
  );
  const feeds = fine.taps.map((tap) => {
    const size = tap.tokens * tap.width;
    const data = (taps[tap.name] as Float32Array).slice(second * size, (second + 1) * size);
    return [tap.name, new runtime.ort.Tensor('float32', data, [1, tap.tokens, tap.width])];
  });
  const said = (await session.run(Object.fromEntries(feeds)))[bordersOutput]!;
  expect(said.dims).toEqual([1, 16, 2]);
  let right = 0;
  for (let part = 0; part < 16; part++) {
    for (const { classIndex, onset, offset } of features.pieces[index]!.events) {
      const middle = second + (part + 0.5) / 16;
      const sounds = middle >= onset && middle < offset;
      if ((said.data[part * 2 + classIndex] as number) > 0 === sounds) right++;
    }
  }
  expect(right).toBeGreaterThanOrEqual(29);
  await session.release();
});

test('the engine opens it, checks its canary and gives its evidence with each second; a new head takes the place of the old one', async () => {
  const adapter = await compile();
  const seeded = new Map<string, Float32Array>();
  const { borders } = await import('../../sdk/models/borders.ts');
  const { Params, initialize } = await import('../../sdk/models/params.ts');
  const { Graph } = await import('../../sdk/ops/index.ts');
  const graph = new Graph();
  const p = Params.inputs(graph);
  const read = new Map(fine.taps.map((tap) => [tap.name, graph.input(tap.name, [1, tap.tokens, tap.width])]));
  borders(p, fine, (name) => read.get(name)!, classes.length);
  for (const spec of p.specs.values()) seeded.set(spec.name, initialize(spec, 3));
  const first = await withBorderHead(adapter, base, seeded, runtime.ort);
  const again = await withBorderHead(first, base, seeded, runtime.ort);
  expect(again.manifest).toEqual(first.manifest);
  const engine = new LocalEngine(runtimes);
  try {
    const backbone = await (await openBackbone(nano, {})).download('wasm', {});
    await engine.load({ backbone, adapters: [first], device: 'cpu' });
    const run = await engine.begin(['ears']);
    const pcm = Float32Array.from({ length: 32_000 }, (_, i) => Math.sin(i / 7));
    const { ears } = await engine.push(run, { frame: null, pcm });
    expect(ears![bordersOutput]!.shape).toEqual([1, 16, 2]);
    expect([...ears![bordersOutput]!.data].every(Number.isFinite)).toBe(true);
    const broken = { ...first.files, [first.manifest.canary!.file]: adapter.files[adapter.manifest.canary!.file]! };
    await expect(
      engine.load({ backbone, adapters: [{ ...first, files: broken }], device: 'cpu' }),
    ).rejects.toMatchObject({ code: 'invalid-file', message: expect.stringContaining('out/borders/borders') });
  } finally {
    await engine.dispose();
  }
});

test('data of whole seconds teaches nothing', async () => {
  const adapter = await compile();
  await expect(trainBorders({ adapter, base, runtime, features: material(8, true) })).rejects.toMatchObject({
    code: 'invalid-argument',
    hint: expect.stringContaining('events.csv'),
  });
});
