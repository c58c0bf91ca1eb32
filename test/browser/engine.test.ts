/** The engine in a page: on WASM and WebGPU, in a worker and without one, and when the GPU goes away. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runtimes, startWorker } from '#runtimes';
import type { DeviceRequest } from '../../sdk/contract/device.ts';
import type { WorkerFactory } from '../../sdk/contract/worker.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import type { Engine, EngineLoad } from '../../sdk/engine/types.ts';
import { connectEngine } from '../../sdk/work/engine-bridge.ts';
import { expectReferenceNumbers, expectShortClip } from '../helpers/engine-cases.ts';
import { tinyModels, tinySegment } from '../helpers/tiny-models.ts';

/** Without the slash at its end: the folder is meant all the same. */
const runtimePath = '/node_modules/onnxruntime-web/dist';
const engines: Engine[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const engine of engines.splice(0)) await engine.dispose();
});

async function openEngine(worker?: false | WorkerFactory): Promise<Engine> {
  const engine = worker === false ? new LocalEngine(runtimes) : connectEngine(startWorker('engine', { worker }));
  engines.push(engine);
  return engine;
}

function request(device: DeviceRequest, parts: Partial<EngineLoad> = {}): EngineLoad {
  return { ...tinyModels(), device, runtimePath, ...parts };
}

describe.each(['wasm', 'webgpu'] as const)('engine on %s', (device) => {
  it.each(['a worker', 'this thread'])('gives the reference numbers in %s', async (where) => {
    const engine = await openEngine(where === 'a worker' ? undefined : false);
    const info = await engine.load(request(device));
    expect(info).toMatchObject({ device, variant: device });
    expect(info.runtime).toMatch(/^onnxruntime-web 1\./);
    await expectReferenceNumbers(engine);
    await expectShortClip(engine);
  });
});

describe('engine', () => {
  it('takes the GPU on auto, names it, and says if it is software', async () => {
    const engine = await openEngine();
    const info = await engine.load(request('auto'));
    expect(await runtimes.chooseDevice('auto')).toBe('webgpu');
    expect(info.device).toBe('webgpu');
    expect(info.threads).toBe(1);
    expect(info.why[0]).toContain('gave a GPU adapter');
    const { info: adapter } = (await navigator.gpu.requestAdapter())!;
    expect(info.gpu).toMatchObject({ vendor: adapter.vendor, architecture: adapter.architecture });
    const software = /swiftshader/i.test(`${adapter.architecture} ${adapter.description} ${adapter.device}`);
    expect(info.why.some((reason) => reason.includes('software'))).toBe(software);
  });

  it('takes WASM on auto where there is no adapter, and refuses webgpu', async () => {
    vi.spyOn(navigator.gpu, 'requestAdapter').mockResolvedValue(null);
    const engine = await openEngine(false);
    const info = await engine.load(request('auto'));
    expect(info.device).toBe('wasm');
    expect(info.why[0]).toContain('no GPU adapter');
    await expectShortClip(engine);
    await expect(engine.load(request('webgpu'))).rejects.toMatchObject({ code: 'device' });
    await expect(runtimes.chooseDevice('webgpu')).rejects.toMatchObject({ code: 'device' });
  });

  it('refuses cpu with a hint', async () => {
    const engine = await openEngine();
    const error = engine.load(request('cpu'));
    await expect(error).rejects.toMatchObject({ code: 'invalid-argument', hint: expect.stringContaining('wasm') });
  });

  it('uses threads where the page is isolated', async () => {
    const engine = await openEngine();
    const info = await engine.load(request('wasm', { threads: 2 }));
    expect(globalThis.crossOriginIsolated).toBe(true);
    expect(info.threads).toBe(2);
  });

  it('keeps taps on the GPU between backbone and adapters', async () => {
    const made: GPUBufferUsageFlags[] = [];
    const read: Promise<unknown>[] = [];
    const createBuffer = GPUDevice.prototype.createBuffer;
    vi.spyOn(GPUDevice.prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
      made.push(descriptor.usage);
      return createBuffer.call(this, descriptor);
    });
    const mapAsync = GPUBuffer.prototype.mapAsync;
    vi.spyOn(GPUBuffer.prototype, 'mapAsync').mockImplementation(function (this: GPUBuffer, ...args) {
      const mapped = mapAsync.apply(this, args);
      read.push(mapped);
      return mapped;
    });
    const engine = await openEngine(false);
    await engine.load(request('webgpu'));
    expect(made.length).toBeGreaterThan(0);
    const run = await engine.begin(['mix']);
    read.length = 0;
    await engine.push(run, tinySegment(0));
    // Two outputs of one adapter come back; the two taps that it reads do not.
    expect(read.length).toBe(2);
  });

  it('goes to WASM when the GPU gives no device', async () => {
    vi.spyOn(GPUAdapter.prototype, 'requestDevice').mockRejectedValue(new DOMException('no memory', 'OperationError'));
    const engine = await openEngine(false);
    const info = await engine.load(request('auto'));
    expect(info.device).toBe('wasm');
    expect(info.warnings.map((warning) => warning.code)).toContain('device-fallback');
    await expectShortClip(engine);
  });

  it('rejects with device when the GPU is lost, and loads again on a new one', async () => {
    const devices: GPUDevice[] = [];
    const requestDevice = GPUAdapter.prototype.requestDevice;
    vi.spyOn(GPUAdapter.prototype, 'requestDevice').mockImplementation(async function (this: GPUAdapter, ...args) {
      const device = await requestDevice.apply(this, args);
      devices.push(device);
      return device;
    });
    const engine = await openEngine(false);
    await engine.load(request('webgpu'));
    const run = await engine.begin(['mix']);
    await engine.push(run, tinySegment(0));
    const open = engine.push(run, tinySegment(1));
    devices.at(-1)!.destroy();
    await expect(open).rejects.toMatchObject({ code: 'device' });
    await expect(engine.push(run, tinySegment(2))).rejects.toMatchObject({ code: 'device' });
    await engine.load(request('webgpu'));
    await expectShortClip(engine);
  });

  it('says where the runtime files are missing', async () => {
    const engine = await openEngine();
    const error = await engine.load(request('wasm', { runtimePath: '/no/such/folder/' })).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'device', hint: expect.stringContaining('runtimePath') });
  });

  it('runs in a worker that the caller makes, and says so when it ends', async () => {
    let made: Worker | undefined;
    const engine = await openEngine((script, name) => {
      made = new Worker(script, { type: 'module', name });
      return made;
    });
    await engine.load(request('wasm'));
    await expectShortClip(engine);
    made!.terminate();
    await expect(engine.begin(['mix'])).rejects.toMatchObject({ code: 'worker-died' });
  });

  it('rejects when the worker cannot start, and says why', async () => {
    const engine = await openEngine(() => new Worker('/no/such/worker.js', { type: 'module' }));
    await expect(engine.load(request('wasm'))).rejects.toMatchObject({ code: 'worker-died' });
  });
});
