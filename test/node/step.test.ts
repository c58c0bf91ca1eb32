/**
 * Training steps as graphs: gradients against finite differences in float64, the optimizer inside and outside the graph, one loss curve on two runtimes,
 * and what a step costs.
 */
import { describe, expect, test } from 'vitest';
import { loadRuntime } from '../../sdk/node/runtime.ts';
import type { Shape } from '../../sdk/ops/index.ts';
import type { Runtime } from '../../sdk/platform.ts';
import { seededRandom } from '../../sdk/random.ts';
import { stackBatch } from '../../sdk/train/batches.ts';
import { initialState, type TrainState } from '../../sdk/train/init.ts';
import { adapterModel } from '../../sdk/train/model.ts';
import { defaultOptimizer } from '../../sdk/train/optimizer.ts';
import { openRunner } from '../../sdk/train/runner.ts';
import { buildStep, lossGraph, type OptimizerPlace, type TrainModel } from '../../sdk/train/step.ts';
import { expectDirections } from '../helpers/finite-differences.ts';
import { noiseClips, tinyClips, tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';

const optimizer = { ...defaultOptimizer, average: 0.9, decay: 0.1 };
const segmentationTaps = {
  ...tinyTaps,
  visual: [
    ...tinyTaps.visual,
    { name: 'visual.s0', tokens: 16, width: 16, grid: [4, 4] as [number, number] },
    { name: 'visual.s1', tokens: 4, width: 24, grid: [2, 2] as [number, number] },
  ],
};
const variants: Record<string, TrainModel> = {
  localization: adapterModel(tinyTaps, tinyConfig),
  'localization, head B': adapterModel(tinyTaps, { ...tinyConfig, head: 'B' }),
  parsing: adapterModel(tinyTaps, { ...tinyConfig, task: 'parsing' }),
  segmentation: adapterModel(
    segmentationTaps,
    { ...tinyConfig, task: 'segmentation', segments: 2, channels: 8, nonLocal: { seconds: 2 } },
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

  async function curve(runtime: Runtime, place: OptimizerPlace, steps: number) {
    const runner = await openRunner({
      runtime,
      model,
      batch: 4,
      optimizer,
      place,
      start: ({ specs }) => initialState(specs, 1, { average: true }),
    });
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      const indices = [0, 1, 2, 3].map((k) => (4 * i + k) % data.size);
      const report = await runner.run(await stackBatch(data, indices, runner.step.inputs, 4), 2e-3);
      expect(report.finite).toBe(true);
      losses.push(report.loss);
    }
    const state = await runner.state();
    await runner.dispose();
    return { losses, state };
  }

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

  test('the optimizer gives the same state in the graph and over arrays (1e-6 after one step, losses 1e-4 after 20)', async () => {
    const cpu = await loadRuntime({ device: 'cpu', threads: 2 });
    const first = await Promise.all([curve(cpu, 'host', 1), curve(cpu, 'graph', 1)]);
    expect(distance(first[0].state, first[1].state)).toBeLessThan(1e-6);
    const [host, graph] = [await curve(cpu, 'host', 20), await curve(cpu, 'graph', 20)];
    expect(graph.state.step).toBe(20);
    host.losses.forEach((loss, i) => {
      expect(Math.abs(loss - graph.losses[i]!)).toBeLessThan(1e-4);
    });
    expect(host.losses.at(-1)!).toBeLessThan(host.losses[0]!);
  });

  test('20 steps give the same losses on onnxruntime-node and on WASM (1e-3)', async () => {
    const native = await curve(await loadRuntime({ device: 'cpu', threads: 2 }), 'host', 20);
    const wasm = await curve(await loadRuntime({ device: 'wasm', threads: 2 }), 'host', 20);
    native.losses.forEach((loss, i) => {
      expect(Math.abs(loss - wasm.losses[i]!)).toBeLessThan(1e-3);
    });
  });

  test.each(['host', 'graph'] as const)('a loss that is no number leaves the state as it was (%s)', async (place) => {
    const runtime = await loadRuntime({ device: 'cpu', threads: 2 });
    const runner = await openRunner({
      runtime,
      model,
      batch: 4,
      optimizer,
      place,
      start: ({ specs }) => initialState(specs, 1, { average: true }),
    });
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
