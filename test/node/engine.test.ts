/** The engine in Node, through the platform's own door. */
import { describe, expect, it } from 'vitest';
import { runtimes } from '#runtimes';
import type { DeviceRequest } from '../../sdk/contract/device.ts';
import type { Runtimes } from '../../sdk/contract/runtime.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import type { Engine, EngineLoad, EngineProgress } from '../../sdk/engine/types.ts';
import { MettleError } from '../../sdk/errors.ts';
import { connectEngine, exposeEngine } from '../../sdk/work/engine-bridge.ts';
import { expectAddAndRemove, expectReferenceNumbers, expectShortClip } from '../helpers/engine-cases.ts';
import { portWorker } from '../helpers/port-worker.ts';
import { tinyModels, tinySegment } from '../helpers/tiny-models.ts';

/** An engine on a runtime of the test's own. */
const engineOn = (loadRuntime: Runtimes['loadRuntime']): LocalEngine => new LocalEngine({ ...runtimes, loadRuntime });

async function withEngine<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = new LocalEngine(runtimes);
  try {
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}

function request(device: DeviceRequest): EngineLoad {
  return { ...tinyModels(), device };
}

describe.each(['cpu', 'wasm'] as const)('engine on %s', (device) => {
  it('gives the reference numbers', async () => {
    await withEngine(async (engine) => {
      const info = await engine.load(request(device));
      expect(info.device).toBe(device);
      expect(info.variant).toBe('wasm');
      expect(info.runtime).toMatch(device === 'cpu' ? /^onnxruntime-node 1\./ : /^onnxruntime-web 1\./);
      await expectReferenceNumbers(engine);
      await expectShortClip(engine);
    });
  });

  it('takes an adapter while a run is under way, and gives it up', async () => {
    await withEngine(async (engine) => {
      const [mix] = tinyModels().adapters;
      await engine.load({ ...request(device), adapters: [mix!] });
      await expectAddAndRemove(engine, () => tinyModels().adapters[1]!);
    });
  });

  it('keeps two runs apart that take turns', async () => {
    await withEngine(async (engine) => {
      await engine.load(request(device));
      const [one, two] = [await engine.begin(['mix']), await engine.begin(['mix'])];
      await Promise.all(
        [0, 1, 2].flatMap((i) => [engine.push(one, tinySegment(i)), engine.push(two, tinySegment(i + 5))]),
      );
      const [first, second] = await Promise.all([engine.finish(one), engine.finish(two)]);
      const again = await engine.begin(['mix']);
      for (const i of [0, 1, 2]) await engine.push(again, tinySegment(i));
      expect((await engine.finish(again)).mix).toEqual(first.mix);
      expect(second.mix).not.toEqual(first.mix);
    });
  });
});

describe('engine', () => {
  it('says why it took a device, what is untrained, and how far it is', async () => {
    await withEngine(async (engine) => {
      const steps: EngineProgress[] = [];
      const info = await engine.load(request('auto'), (progress) => steps.push(progress));
      expect(info.device).toBe('cpu');
      expect(info.why).toEqual(['The CPU, because onnxruntime-node is installed.']);
      expect(info.threads).toBeGreaterThanOrEqual(1);
      expect(info.warnings.map((warning) => warning.code)).toEqual(['untrained', 'untrained']);
      expect(info.adapters).toEqual([
        { id: 'mix', version: '1.0.0', task: 'localize' },
        { id: 'sound', version: '1.0.0', task: 'segment' },
      ]);
      const counted = (phase: string) => steps.filter((step) => step.phase === phase).map((step) => step.done);
      expect(counted('load')).toEqual([0, 1, 2, 3, 4, 5]);
      expect(counted('warmup')).toEqual([0, 1, 2, 3, 4, 5]);
      expect(steps.every((step) => step.total === 5)).toBe(true);
    });
  });

  it('refuses GPU devices that cannot be had with a device error', async () => {
    const noDriver = await withEngine((engine) => engine.load(request('webgpu')).catch((error: unknown) => error));
    // A machine with a Vulkan driver loads; any other must say what is wrong.
    if (!(noDriver instanceof MettleError)) expect(noDriver).toMatchObject({ device: 'webgpu' });
    else expect(noDriver).toMatchObject({ code: 'device', hint: expect.stringContaining('auto') });
  });

  it('rejects wrong requests at the edge', async () => {
    await withEngine(async (engine) => {
      await expect(engine.begin([])).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(engine.load({ ...request('auto'), threads: 0 })).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(engine.load(request('gpu' as DeviceRequest))).rejects.toMatchObject({ code: 'invalid-argument' });
      const models = tinyModels();
      const mix = models.adapters[0]!;
      const stranger = { ...mix, manifest: { ...mix.manifest, segment: { ...mix.manifest.segment, reads: ['v9'] } } };
      const misfit = engine.load({ ...models, adapters: [stranger], device: 'cpu' });
      await expect(misfit).rejects.toMatchObject({ code: 'incompatible', message: expect.stringContaining('v9') });
      await engine.load(request('cpu'));
      await expect(engine.begin(['nobody'])).rejects.toMatchObject({ code: 'not-found' });
      const run = await engine.begin(['mix']);
      const pcm = new Float32Array(3);
      await expect(engine.push(run, { frame: null, pcm })).rejects.toMatchObject({ code: 'invalid-argument' });
    });
  });

  it('finds graphs that do not fit their manifest, and bytes that are no graph', async () => {
    await withEngine(async (engine) => {
      const models = tinyModels();
      const [mix] = models.adapters;
      const outputs = [{ name: 'scores', shape: [4, 9] }];
      const wrong = { ...mix!, manifest: { ...mix!.manifest, clip: { segments: 4, outputs } } };
      const shape = engine.load({ ...models, adapters: [wrong], device: 'cpu' });
      await expect(shape).rejects.toMatchObject({ code: 'incompatible', message: expect.stringContaining('[4,9]') });

      const broken = tinyModels();
      broken.backbone.files['visual.wasm.onnx'] = new Uint8Array([1, 2, 3]);
      const noGraph = engine.load({ ...broken, device: 'cpu' });
      await expect(noGraph).rejects.toMatchObject({ code: 'invalid-file', message: expect.stringContaining('tiny') });
      await engine.load(request('cpu'));
      await expectShortClip(engine);
    });
  });

  it('asks for the files of its variant', async () => {
    await withEngine(async (engine) => {
      const gpuOnly = engine.load({ ...tinyModels(['webgpu']), device: 'cpu' });
      await expect(gpuOnly).rejects.toMatchObject({ code: 'device', hint: expect.stringContaining('wasm variant') });
    });
  });

  it('forgets cancelled and finished runs', async () => {
    await withEngine(async (engine) => {
      await engine.load(request('cpu'));
      const run = await engine.begin(['mix']);
      await engine.push(run, tinySegment(0));
      await engine.cancel(run);
      await engine.cancel(run);
      await expect(engine.push(run, tinySegment(1))).rejects.toMatchObject({ code: 'invalid-argument' });
      const empty = await engine.begin(['mix']);
      expect((await engine.finish(empty)).mix!.scores).toEqual({ shape: [0, 8], data: new Float32Array(0) });
      await expect(engine.finish(empty)).rejects.toMatchObject({ code: 'invalid-argument' });
    });
  });

  it('rejects what waits and all that follows once disposed', async () => {
    const engine = new LocalEngine(runtimes);
    await engine.load(request('cpu'));
    const run = await engine.begin(['mix']);
    const running = engine.push(run, tinySegment(0));
    await new Promise((resolve) => setTimeout(resolve, 0));
    const waiting = engine.push(run, tinySegment(1));
    const ended = Promise.all([engine.dispose(), engine.dispose()]);
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' });
    await running;
    await ended;
    await expect(engine.begin([])).rejects.toMatchObject({ code: 'disposed' });
  });
});

describe('fallback', () => {
  /** The CPU under the name of a GPU, whose sessions fail. */
  function failingGpu(models: ReturnType<typeof tinyModels>) {
    const disposed: string[] = [];
    const engine = engineOn(async (_request, exclude = []) => {
      if (exclude.includes('webgpu')) return await runtimes.loadRuntime({ device: 'cpu' });
      const cpu = await runtimes.loadRuntime({ device: 'cpu' });
      const InferenceSession = { create: () => Promise.reject(new Error('out of GPU memory')) };
      const ort = { ...cpu.ort, InferenceSession } as unknown as typeof cpu.ort;
      return { ...cpu, ort, device: 'webgpu', why: ['A test GPU.'], dispose: () => void disposed.push('gpu') };
    });
    return { engine, load: (device: DeviceRequest) => engine.load({ ...models, device }), disposed };
  }

  it('goes from a GPU that fails to WASM and says so', async () => {
    const { engine, load, disposed } = failingGpu(tinyModels());
    const info = await load('auto');
    expect(info.variant).toBe('wasm');
    expect(info.why[0]).toBe('A test GPU.');
    expect(info.why[1]).toContain('out of GPU memory');
    expect(info.warnings[0]).toMatchObject({ code: 'device-fallback' });
    expect(disposed).toEqual(['gpu']);
    await expectShortClip(engine);
    await engine.dispose();
  });

  it('asks for the WASM variant where it has none to go to', async () => {
    const { engine, load, disposed } = failingGpu(tinyModels(['webgpu']));
    const error = await load('auto').catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'device', cause: { code: 'device' } });
    expect((error as MettleError).message).toContain('out of GPU memory');
    expect((error as MettleError).hint).toContain('wasm variant');
    expect(disposed).toEqual(['gpu']);
    await engine.dispose();
  });

  it('does not fall back when the GPU was asked for', async () => {
    const { engine, load } = failingGpu(tinyModels());
    await expect(load('webgpu')).rejects.toMatchObject({ code: 'device' });
    await engine.dispose();
  });

  it('passes over the GPU for models that come in WASM form only', async () => {
    const { engine, load } = failingGpu(tinyModels(['wasm']));
    const info = await load('auto');
    expect(info.why[1]).toContain('of its webgpu form');
    expect(info.warnings.map((warning) => warning.code)).not.toContain('device-fallback');
    await engine.dispose();
  });

  it('rejects with the loss when the device goes away during a run, and can still be disposed', async () => {
    const loss = new AbortController();
    const engine = engineOn(async () => ({
      ...(await runtimes.loadRuntime({ device: 'cpu' })),
      lost: loss.signal,
    }));
    await engine.load(request('cpu'));
    const run = await engine.begin(['mix']);
    const push = engine.push(run, tinySegment(0));
    loss.abort(new MettleError('device', 'The GPU device was lost.'));
    await expect(push).rejects.toMatchObject({ code: 'device' });
    await expect(engine.begin(['mix'])).rejects.toMatchObject({ code: 'device' });
    await engine.dispose();
  });
});

describe('bridge', () => {
  it('rejects open calls when the port closes at the other end', async () => {
    const { port1, port2 } = new MessageChannel();
    const engine = new LocalEngine(runtimes);
    exposeEngine(engine, port2);
    const remote = connectEngine(portWorker(port1));
    const open = remote.load(request('cpu'));
    port2.close();
    await expect(open).rejects.toMatchObject({ code: 'worker-died' });
    await remote.dispose();
    port1.close();
    await engine.dispose();
  });
});
