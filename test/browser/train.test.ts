/** Training in a page: the same numbers as in Node on WASM and on WebGPU, where the state stays on the GPU; and a checkpoint made on one goes on on the other. */
import { expect, it } from 'vitest';
import { platform } from '#platform';
import type { CheckpointStore } from '../../sdk/train/checkpoint.ts';
import { adapterModel } from '../../sdk/train/model.ts';
import { type TrainOptions, train } from '../../sdk/train/trainer.ts';
import { tinyClips, tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';
import { expectTraining } from '../helpers/training-cases.ts';

const runtimePath = '/node_modules/onnxruntime-web/dist/';

it.each(['wasm', 'webgpu'] as const)('20 steps on %s', { timeout: 300_000 }, async (device) => {
  const runtime = await platform.loadRuntime({ device, runtimePath });
  expect(runtime.device).toBe(device);
  await expectTraining(runtime);
  runtime.dispose();
});

it('goes on with a checkpoint of the other device', { timeout: 300_000 }, async () => {
  const files = new Map<string, Uint8Array>();
  const store: CheckpointStore = {
    save: async (name, bytes) => void files.set(name, bytes),
    load: async (name) => files.get(name) ?? null,
  };
  const controller = new AbortController();
  const reason = new Error('enough');
  const steps: [string, number][] = [];
  const on = async (device: 'wasm' | 'webgpu', signal?: AbortSignal): Promise<void> => {
    const runtime = await platform.loadRuntime({ device, runtimePath });
    const onProgress: TrainOptions['onProgress'] = ({ step }) => {
      steps.push([device, step]);
      if (step === 2) controller.abort(reason);
    };
    // A small model: on a software GPU most of the time goes into compiling its shaders.
    const distill = { ...tinyConfig.distill, paths: 'preservation' as const };
    const model = adapterModel(tinyTaps, { ...tinyConfig, layers: 0, taps: 'last-half', distill });
    const options = { runtime, model, data: tinyClips(4, 1), batch: 4, steps: 4, seed: 1, signal, onProgress };
    try {
      await train({ ...options, checkpoint: { store, every: 4 }, resume: true });
    } finally {
      runtime.dispose();
    }
  };
  await expect(on('webgpu', controller.signal)).rejects.toBe(reason);
  await on('wasm');
  expect(steps).toEqual([
    ['webgpu', 1],
    ['webgpu', 2],
    ['wasm', 3],
    ['wasm', 4],
  ]);
});
