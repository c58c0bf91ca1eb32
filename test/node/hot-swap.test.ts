/** Adapters that come and go on a running Mettle in Node. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { createMettle, type WorkerFactory } from '../../sdk/index.ts';
import {
  clip,
  expectBudget,
  expectCallsToFinish,
  expectErrors,
  expectLoadAndUnload,
  expectSwapsToOutliveWorkers,
} from '../helpers/hot-swap-cases.ts';

const shipped = fileURLToPath(new URL('../../adapters/adapters/toybox-llp', import.meta.url));

describe.each([
  ['in a worker', { device: 'cpu' as const }],
  ['in this thread', { device: 'cpu' as const, worker: false as const }],
])('%s', (_where, options) => {
  test('an adapter is loaded and unloaded, and the backbone stays', () => expectLoadAndUnload(options), 120_000);
  test('calls finish on what they began with', () => expectCallsToFinish(options), 120_000);
  test('what cannot be done changes nothing', () => expectErrors(options), 120_000);
  test('a budget lets adapters take turns', () => expectBudget(options), 120_000);
});

test('what was loaded outlives its worker', async () => {
  const all: Worker[] = [];
  const worker: WorkerFactory = (script) => {
    all.push(new Worker(script, { execArgv: [] }));
    return all.at(-1)! as never;
  };
  await expectSwapsToOutliveWorkers({ device: 'cpu' }, worker, () => Promise.all(all.map((one) => one.terminate())));
});

test('an adapter of another backbone, one that is broken and one that is untrained', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mettle-swap-'));
  try {
    await cp(shipped, folder, { recursive: true });
    const path = join(folder, 'manifest.json');
    const good = JSON.parse(await readFile(path, 'utf8'));
    const put = (change: object) => writeFile(path, JSON.stringify({ ...good, ...change }));
    await using mettle = await createMettle({ device: 'cpu', adapters: ['toybox-ave'] });
    const before = [mettle.info(), mettle.memory()];
    await put({ base: { ...good.base, id: 'large' } });
    await expect(mettle.load(folder)).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('was made for backbone "large"'),
    });
    // Its graphs give other shapes than this, which is found when they run first.
    const [first, ...others] = good.segment.outputs;
    await put({
      canary: null,
      familiarity: null,
      files: good.files.filter(
        ({ path: name }: { path: string }) => ![good.canary.file, good.familiarity.file].includes(name),
      ),
      segment: { ...good.segment, outputs: [{ ...first, shape: [...first.shape, 1] }, ...others] },
    });
    await expect(mettle.load(folder)).rejects.toMatchObject({ code: 'incompatible' });
    expect([mettle.info(), mettle.memory()]).toEqual(before);
    await put({ id: 'noise', untrained: true });
    await mettle.load(folder);
    expect(mettle.info().warnings).toMatchObject([{ code: 'untrained', message: expect.stringContaining('"noise"') }]);
    expect((await mettle.parse(clip(1))).adapter).toBe('noise');
    await mettle.unload('noise');
    expect([mettle.info(), mettle.memory()]).toEqual(before);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a source that is watched goes on with the adapters that there were when it began', async () => {
  await using mettle = await createMettle({ device: 'cpu', adapters: ['toybox-ave', 'toybox-llp'] });
  async function* tone() {
    for (let time = 0; time < 4; time += 0.25) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield { time, channels: [Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i / 9))], sampleRate: 16_000 };
    }
  }
  const states = () => mettle.memory().models.map(({ id, state }) => `${id} ${state}`);
  let first = true;
  for await (const { results, last } of mettle.watch({ sound: tone() })) {
    if (first) await mettle.unload('toybox-ave');
    first = false;
    expect(results.map(({ adapter }) => adapter)).toEqual(last ? [] : ['toybox-ave', 'toybox-llp']);
    expect(states()).toEqual(['nano loaded', 'toybox-ave leaving', 'toybox-llp loaded']);
  }
  expect(states()).toEqual(['nano loaded', 'toybox-llp loaded']);
  const [only] = (await mettle.analyze(clip(1))).results;
  expect(only!.adapter).toBe('toybox-llp');
});
