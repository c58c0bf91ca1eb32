/** The engine behind a message channel, with a made-up engine at the other end. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EngineInfo } from '../../sdk/contract/engine-info.ts';
import type { Engine, EngineProgress } from '../../sdk/engine/types.ts';
import { MettleError, type Warning } from '../../sdk/errors.ts';
import { connectEngine, exposeEngine } from '../../sdk/work/engine-bridge.ts';
import { portWorker } from '../helpers/port-worker.ts';
import { tinyModels } from '../helpers/tiny-models.ts';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

const info = { device: 'wasm' } as EngineInfo;

function fakeEngine(parts: Partial<Engine> = {}): Engine {
  return {
    chooseDevice: async () => ({ device: 'wasm', runtimeBytes: 0 }),
    load: async () => info,
    add: async () => [],
    remove: async () => {},
    begin: async () => 1,
    push: async () => ({}),
    beginLive: async () => 1,
    look: async () => ({}),
    finish: async () => ({}),
    embed: async () => ({}),
    cancel: async () => {},
    dispose: async () => {},
    ...parts,
  };
}

function bridge(parts: Partial<Engine> = {}) {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const engine = fakeEngine(parts);
  exposeEngine(engine, port2);
  const worker = portWorker(port1);
  return { remote: connectEngine(worker, { stallSeconds: 0.05 }), near: port1, worker };
}

/** Rejects with the error that `call` is expected to reject with. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => expect.fail('the call should reject'),
    (error: unknown) => error,
  );
}

describe('calls', () => {
  it('carry arguments and results', async () => {
    const push = vi.fn(async () => ({ mix: { scores: { shape: [2], data: Float32Array.of(1, 2) } } }));
    const { remote } = bridge({ push });
    const segment = () => ({ frame: { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) }, pcm: Float32Array.of(0.5) });
    const given = segment();
    const { mix } = await remote.push(7, given);
    expect(push).toHaveBeenCalledWith(7, segment());
    expect(mix!.scores).toEqual({ shape: [2], data: Float32Array.of(1, 2) });
    expect([given.pcm.length, given.frame.data.length]).toEqual([0, 0]);
  });

  it('move results out of the worker without a copy', async () => {
    const data = Float32Array.of(1, 2);
    const { remote } = bridge({ finish: async () => ({ mix: { scores: { shape: [2], data } } }) });
    await remote.finish(1);
    expect(data.byteLength).toBe(0);
  });

  it('take model bytes over on load and refuse them a second time', async () => {
    let received = 0;
    const { remote } = bridge({
      load: async ({ backbone }) => {
        received = Object.values(backbone.files).reduce((sum, file) => sum + file.byteLength, 0);
        return info;
      },
    });
    const models = tinyModels(['wasm']);
    expect(await remote.load({ ...models, device: 'wasm' })).toEqual(info);
    expect(received).toBeGreaterThan(0);
    expect(Object.values(models.backbone.files).every((file) => file.byteLength === 0)).toBe(true);
    const again = await failureOf(remote.load({ ...models, device: 'wasm' }));
    expect(again).toMatchObject({ code: 'invalid-argument' });
  });

  it('take the bytes of one more adapter over, and tell its key and progress', async () => {
    const told: Warning = { code: 'other-weights', message: 'Made for others.' };
    const added: [string, number][] = [];
    const removed: string[] = [];
    const { remote } = bridge({
      add: async (key, { files }, onProgress) => {
        added.push([key, Object.keys(files).length]);
        onProgress?.({ phase: 'load', done: 1, total: 1 });
        return [told];
      },
      remove: async (key) => void removed.push(key),
    });
    const [adapter] = tinyModels(['wasm']).adapters;
    const count = Object.keys(adapter!.files).length;
    const seen: EngineProgress[] = [];
    expect(await remote.add('mix#1', adapter!, (progress) => seen.push(progress))).toEqual([told]);
    await remote.remove('mix#1');
    expect([added, removed]).toEqual([[['mix#1', count]], ['mix#1']]);
    expect(seen).toEqual([{ phase: 'load', done: 1, total: 1 }]);
    expect(Object.values(adapter!.files).every((file) => file.byteLength === 0)).toBe(true);
    expect(await failureOf(remote.add('mix#2', adapter!))).toMatchObject({ code: 'invalid-argument' });
  });

  it('report all progress before load answers', async () => {
    const sent: EngineProgress[] = [0, 1, 2, 3].map((done) => ({ phase: 'load', done, total: 3 }));
    const { remote } = bridge({
      load: async (_request, onProgress) => {
        for (const progress of sent) onProgress?.(progress);
        return info;
      },
    });
    const seen: EngineProgress[] = [];
    await remote.load({ ...tinyModels(['wasm']), device: 'wasm' }, (progress) => seen.push(progress));
    expect(seen).toEqual(sent);
    expect(await remote.load({ ...tinyModels(['wasm']), device: 'wasm' })).toEqual(info);
  });
});

describe('errors', () => {
  it('cross whole: class, code, hint, stack and causes', async () => {
    const cause = new TypeError('deep', { cause: new MettleError('network', 'deeper', { hint: 'plug it in' }) });
    const original = new MettleError('device', 'gone', { hint: 'get another', cause });
    const { remote } = bridge({ begin: () => Promise.reject(original) });
    const error = await failureOf(remote.begin([]));
    expect(error).toBeInstanceOf(MettleError);
    expect(error).toMatchObject({ name: 'MettleError', code: 'device', message: 'gone', hint: 'get another' });
    expect((error as Error).stack).toBe(original.stack);
    const carried = (error as Error).cause as Error;
    expect(carried).toMatchObject({ name: 'TypeError', message: 'deep' });
    expect(carried.cause).toBeInstanceOf(MettleError);
    expect(carried.cause).toMatchObject({ code: 'network', hint: 'plug it in' });
  });

  it('cross when they are plain errors, exceptions of the platform, or no errors at all', async () => {
    const failures: unknown[] = [new RangeError('far'), new DOMException('stop', 'AbortError'), 'a string', undefined];
    const { remote } = bridge({ begin: () => Promise.reject(failures.shift()) });
    expect(await failureOf(remote.begin([]))).toMatchObject({ name: 'RangeError', message: 'far' });
    const aborted = await failureOf(remote.begin([]));
    expect(aborted).toBeInstanceOf(DOMException);
    expect(aborted).toMatchObject({ name: 'AbortError', message: 'stop' });
    expect(await failureOf(remote.begin([]))).toBe('a string');
    expect(await failureOf(remote.begin([]))).toBeUndefined();
  });

  it('survive causes that form a circle', async () => {
    const circle = new Error('round');
    circle.cause = circle;
    const { remote } = bridge({ begin: () => Promise.reject(circle) });
    expect(await failureOf(remote.begin([]))).toMatchObject({ message: 'round', cause: { message: 'round' } });
  });
});

describe('the end of a worker', () => {
  const never = () => new Promise<never>(() => {});

  it.each(['messageerror', 'close'])('rejects all open calls and all later ones on %s', async (type) => {
    const { remote, near } = bridge({ begin: never, push: never });
    const open = [remote.begin([]), remote.push(1, { frame: null, pcm: null })];
    near.dispatchEvent(new Event(type));
    for (const call of open) expect(await failureOf(call)).toMatchObject({ code: 'worker-died' });
    expect(await failureOf(remote.finish(1))).toMatchObject({ code: 'worker-died' });
    expect(remote.ended).toMatchObject({ code: 'worker-died' });
    await remote.cancel(1);
    await remote.dispose();
  });

  it('keeps what the worker said about its end, and ends it', async () => {
    const { remote, worker } = bridge({ begin: never });
    const open = remote.begin([]);
    worker.fail('failed: out of memory', new RangeError('heap'));
    const error = await failureOf(open);
    expect((error as Error).message).toContain('out of memory');
    expect((error as Error).cause).toBeInstanceOf(RangeError);
    expect(worker.terminated).toBe(1);
  });
});

describe('cancel', () => {
  const never = () => new Promise<never>(() => {});

  it('does not wait, and ends a worker whose runtime does not come back', async () => {
    const { remote, worker } = bridge({ push: never, cancel: never });
    const open = remote.push(1, { frame: null, pcm: null });
    await remote.cancel(1);
    expect(worker.terminated).toBe(0);
    expect(await failureOf(open)).toMatchObject({ code: 'worker-died', message: expect.stringContaining('0.05 s') });
    expect(worker.terminated).toBe(1);
  });

  it('leaves a worker alone that answers', async () => {
    const { remote, worker } = bridge();
    await remote.cancel(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(worker.terminated).toBe(0);
    expect(await remote.begin([])).toBe(1);
  });
});

describe('dispose', () => {
  it('ends the worker at once, and rejects with disposed', async () => {
    const { remote, worker } = bridge({ begin: () => new Promise<never>(() => {}) });
    const open = remote.begin([]);
    await remote.dispose();
    expect(await failureOf(open)).toMatchObject({ code: 'disposed' });
    await remote.dispose();
    expect(worker.terminated).toBe(1);
    expect(await failureOf(remote.begin([]))).toMatchObject({ code: 'disposed' });
  });
});
