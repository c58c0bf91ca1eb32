/**
 * Training steps as graphs: gradients against finite differences in float64, the optimizer inside and outside the graph, one loss curve on two runtimes,
 * and what a step costs.
 */

import { describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import type { Shape } from '../../sdk/ops/index.ts';
import { seededRandom } from '../../sdk/random.ts';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import { stackBatch } from '../../sdk/train/loop/batches.ts';
import { initialState, type TrainState } from '../../sdk/train/loop/init.ts';
import { defaultOptimizer } from '../../sdk/train/loop/optimizer.ts';
import { openRunner, type StepRunner } from '../../sdk/train/loop/runner.ts';
import { buildStep, lossGraph, type OptimizerPlace, type TrainModel } from '../../sdk/train/loop/step.ts';
import { expectDirections } from '../helpers/finite-differences.ts';
import { noiseClips, tinyClips, tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';
import { expectTraining } from '../helpers/training-cases.ts';

const optimizer = { ...defaultOptimizer, average: 0.9, decay: 0.1 };
const segmentationTaps = {
  ...tinyTaps,
  visual: [
    ...tinyTaps.visual,
    { name: 'visual.s0', layout: 'tokens' as const, tokens: 16, width: 16, grid: [4, 4] as [number, number] },
    { name: 'visual.s1', layout: 'tokens' as const, tokens: 4, width: 24, grid: [2, 2] as [number, number] },
  ],
};
const variants: Record<string, TrainModel> = {
  localization: adapterModel(tinyTaps, tinyConfig),
  'localization, head B': adapterModel(tinyTaps, { ...tinyConfig, head: 'B' }),
  parsing: adapterModel(tinyTaps, { ...tinyConfig, task: 'parse' }),
  segmentation: adapterModel(
    segmentationTaps,
    { ...tinyConfig, task: 'segment', segments: 2, channels: 8, nonLocal: { seconds: 2 } },
    { matching: 0.5 },
  ),
};

describe.each(Object.entries(variants))('%s', (_name, model) => {
  test('gradients equal finite differences along a random direction of every parameter (1e-6)', async () => {
    const { params, inputs, report } = lossGraph(model, 1);
    const specs = [...params.specs.values()];
    const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    const data = await noiseClips(1, oneExample(model), 1).read(0);
    const batch = await stackBatch({ size: 1, id: String, read: () => data }, [0], shapes, 1);
    // Not at the start, where gates of zero hide what is behind them.
    const random = seededRandom('shift');
    const feeds: Record<string, ArrayLike<number>> = { ...batch };
    for (const [name, start] of initialState(specs, 1).parameters)
      feeds[name] = start.map((x) => x + (random() - 0.5) / 5);
    const parameters = specs.map(({ name, shape, init }) => params.get(name, shape, init));
    expectDirections(report.loss, parameters, feeds);
  });
});

const oneExample = (model: TrainModel): Record<string, Shape> => model.inputs(1);

describe('a step', () => {
  test('has the gradients of its parameters as results, and none of a tap', () => {
    const step = buildStep(adapterModel(tinyTaps, tinyConfig), 2, optimizer, 'host');
    expect(step.results).toEqual(step.specs.map(({ name }) => `grad/${name}`));
    expect(step.specs.some(({ name }) => name in step.inputs)).toBe(false);
    expect(Object.keys(step.inputs)).toContain('audio.s0.b0');
  });

  test('refuses a model whose parameter is called like an input', () => {
    const model: TrainModel = {
      inputs: (batch) => ({ x: [batch, 1] }),
      forward: (p) => ({ y: p.get('x', [1, 1], 'fan-in') }),
      loss: ({ y }) => ({ loss: y! }),
    };
    expect(() => buildStep(model, 1, optimizer, 'host')).toThrow('"x" names a parameter and an input');
  });
});

describe('runners', () => {
  const model = adapterModel(tinyTaps, tinyConfig);
  const data = tinyClips(16, 5);

  async function oneStep(runtime: Runtime, place: OptimizerPlace): Promise<TrainState> {
    const runner = await open(runtime, place);
    await runner.run(await stackBatch(data, [0, 1, 2, 3], runner.step.inputs, 4), 2e-3);
    const state = await runner.state();
    await runner.dispose();
    return state;
  }

  const open = (runtime: Runtime, place: OptimizerPlace): Promise<StepRunner> =>
    openRunner({
      runtime,
      model,
      batch: 4,
      optimizer,
      place,
      start: ({ specs }) => initialState(specs, 1, { average: true }),
    });

  /** Largest difference of any parameter, moment or average. */
  function distance(a: TrainState, b: TrainState): number {
    let worst = 0;
    for (const kind of ['parameters', 'first', 'second', 'average'] as const) {
      for (const [name, data] of a[kind]!) {
        data.forEach((x, i) => {
          worst = Math.max(worst, Math.abs(x - b[kind]!.get(name)![i]!));
        });
      }
    }
    return worst;
  }

  test('the optimizer gives the same state in the graph and over arrays (1e-6 after one step)', async () => {
    const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 2 });
    const [host, graph] = await Promise.all([oneStep(runtime, 'host'), oneStep(runtime, 'graph')]);
    expect(graph.step).toBe(1);
    expect(distance(host, graph)).toBeLessThan(1e-6);
  });

  test.each(['cpu', 'wasm'] as const)(
    '20 steps give the losses of the reference on %s, with both optimizers (1e-3)',
    async (device) => {
      const runtime = await runtimes.loadRuntime({ device, threads: 2 });
      expect(runtime.device).toBe(device);
      await expectTraining(runtime, 'host');
      await expectTraining(runtime, 'graph');
    },
  );

  test.each(['host', 'graph'] as const)('a loss that is no number leaves the state as it was (%s)', async (place) => {
    const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 2 });
    const runner = await open(runtime, place);
    const batch = await stackBatch(data, [0, 1], runner.step.inputs, 4);
    batch['audio.s0.b0']![5] = Number.NaN;
    const before = await runner.state();
    const report = await runner.run(batch, 1e-3);
    expect(report.finite).toBe(false);
    expect(report.loss).toBeNaN();
    expect(await runner.state()).toEqual(before);
    await runner.dispose();
  });
});
