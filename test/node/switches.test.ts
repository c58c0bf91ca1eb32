/**
 * The switches of an adapter that leave something out: paths, layers, a sense. What is left out is not read, not computed and has no say; the rest compiles, and the
 * engine runs it.
 */

import { describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import type { AdapterOutputs } from '../../sdk/contract/model.ts';
import { wholeBackbone } from '../../sdk/contract/pair.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import type { EngineSegment } from '../../sdk/engine/types.ts';
import { type AdapterConfig, tapsToDistill } from '../../sdk/models/adapter.ts';
import { type ConfigChange, configFor } from '../../sdk/train/adapter/config.ts';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import type { BatchSource } from '../../sdk/train/loop/batches.ts';
import { buildForward } from '../../sdk/train/loop/step.ts';
import { train } from '../../sdk/train/loop/trainer.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { tinyModels, tinySegment } from '../helpers/tiny-models.ts';
import { noiseClips, tinyClips, tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';

const tasks = ['localize', 'parse', 'segment'] as const;
const switches: [name: string, ConfigChange][] = [
  ['a probe of all layers', { distill: { paths: 'none' } }],
  ['a probe of the last layer', { taps: 'last', distill: { paths: 'none' } }],
  ['the last layer', { taps: 'last' }],
  ['sound alone', { senses: 'audio' }],
  ['pictures alone', { senses: 'visual' }],
  ['a probe of pictures', { senses: 'visual', distill: { paths: 'none' } }],
  ['a linear probe', { decoder: 'linear' }],
  ['a linear probe of the last layer', { decoder: 'linear', taps: 'last' }],
  ['a linear probe of pictures', { decoder: 'linear', senses: 'visual' }],
];
const cases = tasks.flatMap((task) =>
  switches
    .filter(([, { senses, decoder }]) => (task === 'segment' ? senses !== 'audio' : !decoder))
    .map(([name, change]): [string, string, ConfigChange] => [task, name, change]),
);

function configOf(task: string, { distill, ...change }: ConfigChange): AdapterConfig {
  const named = { ...tinyConfig, task: task as AdapterConfig['task'], channels: 8 };
  return { ...named, ...change, distill: { ...tinyConfig.distill, ...distill } };
}

const { backbone } = tinyModels();
const base = wholeBackbone(backbone.manifest);
const compiled = (config: AdapterConfig) =>
  compileAdapter({ id: 'switched', version: '1.0.0', license: 'MIT', config, weights: { seed: 2 } }, base, (values) =>
    evaluate(values),
  );

/** What the engine's CPU says about two seconds. */
async function ask(
  adapter: Awaited<ReturnType<typeof compiled>>,
  seconds: readonly EngineSegment[],
): Promise<AdapterOutputs> {
  const engine = new LocalEngine(runtimes);
  try {
    await engine.load({ backbone: { ...backbone, manifest: base }, adapters: [adapter], device: 'cpu' });
    const run = await engine.begin(['switched']);
    const pushed = [];
    for (const second of seconds) pushed.push(await engine.push(run, second));
    const finished = await engine.finish(run);
    return adapter.manifest.clip ? finished.switched! : pushed[1]!.switched!;
  } finally {
    await engine.dispose();
  }
}

const readsOf = ({ segment }: AdapterManifest): { heard: boolean; seen: boolean } => ({
  heard: segment.reads.some((name) => name.startsWith('a')),
  seen: segment.reads.some((name) => name.startsWith('v')),
});

/** Labels of noise cannot be learned from noise; masks that are full can. */
const soundingEverywhere = (clips: BatchSource): BatchSource => ({
  ...clips,
  async read(index) {
    const example = await clips.read(index);
    return { ...example, ...(example.masks && { masks: example.masks.map(() => 1) }) };
  },
});

describe.each(cases)('%s with %s', (task, _name, change) => {
  const config = configOf(task, change);

  test('compiles and runs; the sense that it lacks is not read and changes nothing', async () => {
    const adapter = await compiled(config);
    const { senses = 'both' } = config;
    expect(readsOf(adapter.manifest)).toEqual({ heard: senses !== 'visual', seen: senses !== 'audio' });
    const [one, other] = [
      [0, 1],
      [2, 3],
    ].map((seconds) => seconds.map(tinySegment)) as [EngineSegment[], EngineSegment[]];
    const otherSound = one.map(({ frame }, i) => ({ frame, pcm: other[i]!.pcm }));
    const otherPicture = one.map(({ pcm }, i) => ({ frame: other[i]!.frame, pcm }));
    const said = await ask(adapter, one);
    for (const { shape, data } of Object.values(said)) {
      expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
      expect(data.every(Number.isFinite)).toBe(true);
    }
    // Injection begins with gates of zero, so that sound has no say in masks of seeded noise.
    const heard = senses !== 'visual' && (task !== 'segment' || config.decoder === 'linear');
    expect(JSON.stringify(await ask(adapter, otherSound)) !== JSON.stringify(said)).toBe(heard);
    expect(JSON.stringify(await ask(adapter, otherPicture)) !== JSON.stringify(said)).toBe(senses !== 'audio');
  });

  test('trains', async () => {
    const end = { ...tinyTaps.visual[1]!, name: 'visual.s1' };
    const taps = task === 'segment' ? { ...tinyTaps, visual: [...tinyTaps.visual, end] } : tinyTaps;
    const model = adapterModel(taps, config);
    const losses: number[] = [];
    await train({
      runtime: await runtimes.loadRuntime({ device: 'cpu', threads: 1 }),
      model,
      data: task === 'localize' ? tinyClips(8, 1) : soundingEverywhere(noiseClips(8, model.inputs(1), 1)),
      batch: 8,
      steps: 30,
      seed: 1,
      // Of a linear probe there are so few numbers that they must go further.
      schedule: { rate: config.decoder === 'linear' ? 3e-2 : 3e-3 },
      onProgress: ({ loss }) => losses.push(loss),
    });
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
  });
});

test.each([
  [0, false],
  [1, true],
  [2, true],
])('of %d layers of parsing, what is said of a second hangs on its neighbours: %s', async (layers, hangs) => {
  const adapter = await compiled(configOf('parse', { layers }));
  const seconds = [tinySegment(0), tinySegment(1)];
  const said = await ask(adapter, seconds);
  const second = ({ audio, visual }: AdapterOutputs, at: number): string => {
    const width = visual!.shape[1]!;
    return JSON.stringify([audio!, visual!].map(({ data }) => [...data].slice(at * width, (at + 1) * width)));
  };
  const picture = (at: number, { frame }: EngineSegment) =>
    seconds.map((one, i) => (i === at ? { ...one, frame } : one));
  const later = await ask(adapter, picture(1, tinySegment(3)));
  expect(second(later, 1)).not.toBe(second(said, 1));
  expect(second(later, 0) !== second(said, 0)).toBe(hangs);
});

test('the last tap of each sense is read, or of blocks the last block', () => {
  const config = configOf('localize', { taps: 'last' });
  expect(tapsToDistill(tinyTaps.visual, config).map(({ name }) => name)).toEqual(['visual.s1.b0']);
  expect(tapsToDistill(base.taps.visual, config).map(({ name }) => name)).toEqual(['v1']);
});

test('a sense that is needed cannot be left out', () => {
  const data = { task: 'segment' as const, classes: [], items: [] };
  expect(() => configFor(data, { senses: 'audio' })).toThrow('Masks are decoded from pictures');
  const matching = adapterModel(base.taps, configOf('segment', { senses: 'visual' }), { matching: 0.5 });
  expect(() => buildForward(matching, 1)).toThrow('The matching loss compares pictures with sound');
  expect(() => configFor(data, { distill: { paths: 'none', tokens: 4 } })).toThrow('no meta-tokens to count');
});
