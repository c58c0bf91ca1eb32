/** Training in a page: the same numbers as in Node on WASM and on WebGPU, where the state stays on the GPU; and a checkpoint made on one goes on on the other. */
import { afterEach, expect, it, vi } from 'vitest';
import { runtimes } from '#runtimes';
import { readSafetensors } from '../../sdk/onnx/safetensors.ts';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import type { CheckpointStore } from '../../sdk/train/loop/checkpoint.ts';
import { type TrainOptions, train } from '../../sdk/train/loop/trainer.ts';
import { tinyClips, tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';
import { expectTraining } from '../helpers/training-cases.ts';

afterEach(() => vi.restoreAllMocks());

const runtimePath = '/node_modules/onnxruntime-web/dist/';

it.each(['wasm', 'webgpu'] as const)('20 steps on %s', { timeout: 300_000 }, async (device) => {
  const runtime = await runtimes.loadRuntime({ device, runtimePath });
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
    const runtime = await runtimes.loadRuntime({ device, runtimePath });
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

/** Devices that the browser gave, newest last. */
function watchDevices(): GPUDevice[] {
  const devices: GPUDevice[] = [];
  const requestDevice = GPUAdapter.prototype.requestDevice;
  vi.spyOn(GPUAdapter.prototype, 'requestDevice').mockImplementation(async function (this: GPUAdapter, ...args) {
    const device = await requestDevice.apply(this, args);
    devices.push(device);
    return device;
  });
  return devices;
}

it('a GPU lost after step 3 stops with step and checkpoint, and the training ends on a new one', {
  timeout: 300_000,
}, async () => {
  const devices = watchDevices();
  const files = new Map<string, Uint8Array>();
  const saved: number[] = [];
  const store: CheckpointStore = {
    save: async (name, bytes) => {
      saved.push(Number(readSafetensors(bytes).metadata.step));
      files.set(name, bytes.slice());
    },
    load: async (name) => files.get(name) ?? null,
  };
  const small = { ...tinyConfig.distill, paths: 'preservation' as const };
  const model = adapterModel(tinyTaps, { ...tinyConfig, layers: 0, taps: 'last-half', distill: small });
  const losses: Record<string, number[]> = { whole: [], lost: [], resumed: [] };
  const on = async (device: 'wasm' | 'webgpu', run: string, change: Partial<TrainOptions> = {}): Promise<void> => {
    const runtime = await runtimes.loadRuntime({ device, runtimePath });
    const onProgress: TrainOptions['onProgress'] = ({ step, loss }) => {
      losses[run]![step] = loss;
      if (run === 'lost' && step === 3) devices.at(-1)!.destroy();
    };
    const options = { runtime, model, data: tinyClips(4, 1), batch: 4, steps: 6, seed: 1, onProgress };
    try {
      await train({ ...options, ...change });
    } finally {
      runtime.dispose();
    }
  };
  const checkpoint = { store, every: 2 };
  await on('wasm', 'whole');
  await expect(on('webgpu', 'lost', { checkpoint })).rejects.toMatchObject({
    code: 'device',
    message: expect.stringMatching(
      /^Training stopped after step 3 of 6\. The GPU device was lost .*\. The last good checkpoint is "checkpoint\.safetensors" of step 2\.$/,
    ),
    hint: expect.stringContaining('resume'),
  });
  expect(saved).toEqual([2]);
  await on('webgpu', 'resumed', { checkpoint, resume: true });
  expect(saved).toEqual([2, 4, 6]);
  expect(Object.keys(losses.resumed!).map(Number)).toEqual([3, 4, 5, 6]);
  for (const step of [3, 4, 5, 6]) expect(losses.resumed![step]).toBeCloseTo(losses.whole![step]!, 3);
  expect(losses.lost![3]).toBeCloseTo(losses.whole![3]!, 3);
});
