/** What callers see of workers that loop, hang, are killed or are not wanted: an error that names what it was, and a next call that works. */
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { RawClip } from '../../sdk/contract/clip.ts';
import type { WorkerFactory } from '../../sdk/contract/worker.ts';
import { createMettle, type Mettle, openClip } from '../../sdk/index.ts';
import type { CreateOptions } from '../../sdk/load.ts';

const opened: Mettle[] = [];
afterEach(async () => {
  for (const mettle of opened.splice(0)) await mettle.dispose();
});

/** Sound and one picture a second. */
function clip(seconds: number): RawClip {
  const rate = 48_000;
  const samples = new Float32Array(rate * seconds).map((_, i) => 0.3 * Math.sin(i / 20));
  const frame = (second: number) => ({ width: 64, height: 48, data: new Uint8Array(64 * 48 * 3).fill(40 + second) });
  const frames = Array.from({ length: seconds }, (_, second) => frame(second));
  return { frames, frameRate: 1, audio: { channels: [samples], sampleRate: rate } };
}

const start = (script: URL, name: string): Worker => new Worker(script, { name, execArgv: [] });

/** Workers whose n-th of a name is made by `make` of that name; all others are real. */
function workers(made: Partial<Record<string, (script: URL) => Worker>>): { worker: WorkerFactory; all: Worker[] } {
  const all: Worker[] = [];
  const count: Record<string, number> = {};
  const worker: WorkerFactory = (script, name) => {
    count[name] = (count[name] ?? 0) + 1;
    const own = made[`${name} ${count[name]}`]?.(script) ?? start(script, name);
    all.push(own);
    return own;
  };
  return { worker, all };
}

/** The real worker, whose thread goes round for ever once it is told. */
function looping(): { make: (script: URL) => Worker; loop: () => void } {
  const told = new Int32Array(new SharedArrayBuffer(4));
  const source = (script: URL): string =>
    `import { workerData } from 'node:worker_threads';setInterval(() => { while (workerData[0]); }, 5);await import(${JSON.stringify(script.href)});`;
  return {
    make: (script) => new Worker(new URL(`data:text/javascript,${source(script)}`), { workerData: told }),
    loop: () => void Atomics.store(told, 0, 1),
  };
}
const dead = () => new Worker('for (;;);', { eval: true });

async function open(options: CreateOptions = {}): Promise<Mettle> {
  const mettle = await createMettle({ adapters: ['toybox-ave'], ...options });
  opened.push(mettle);
  return mettle;
}

/** Long enough for a worker to start on a machine that is busy with other things. */
const stallSeconds = 8;

describe('a decoder that loops', () => {
  it('while it opens is ended, the call names the source, and the next one works', async () => {
    const { worker } = workers({ 'decode 1': dead });
    const mettle = await open({ worker, stallSeconds });
    await expect(mettle.localize(clip(2))).rejects.toMatchObject({
      code: 'stalled',
      message: expect.stringContaining('the raw clip made no progress for 8 s'),
    });
    expect((await mettle.localize(clip(2))).seconds).toHaveLength(2);
  });

  it('while it decodes is ended, and the next one works', async () => {
    const { make, loop } = looping();
    const { worker } = workers({ 'decode 1': make });
    const mettle = await open({ worker, stallSeconds });
    const call = mettle.localize(clip(300), { onProgress: ({ done }) => done === 2 && loop() });
    await expect(call).rejects.toMatchObject({ code: 'stalled' });
    expect((await mettle.localize(clip(2))).seconds).toHaveLength(2);
  });

  it('does not keep abort or dispose waiting', async () => {
    const { worker, all } = workers({ 'decode 1': dead, 'decode 2': dead });
    const mettle = await open({ worker });
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = mettle.localize(clip(2), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(aborted).rejects.toBe(reason);
    const disposed = mettle.localize(clip(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await mettle.dispose();
    await expect(disposed).rejects.toMatchObject({ code: 'disposed', message: 'The Mettle was disposed.' });
    await Promise.all(all.map((ended) => ended.terminate()));
  });
});

describe('a worker that is killed', () => {
  it('while models load rejects createMettle', async () => {
    const { worker } = workers({
      'engine 1': (script) => {
        const killed = start(script, 'engine');
        setTimeout(() => killed.terminate(), 5);
        return killed;
      },
    });
    await expect(createMettle({ adapters: ['toybox-ave'], worker })).rejects.toMatchObject({ code: 'worker-died' });
    expect((await (await open({ worker })).localize(clip(1))).seconds).toHaveLength(1);
  });

  it.each(['decode', 'engine'])(
    'while a clip runs (%s) rejects the call, and the next finds a fresh one',
    async (name) => {
      const { worker, all } = workers({});
      const mettle = await open({ worker });
      const call = mettle.localize(clip(100), {
        onProgress: ({ done }) => {
          if (done === 2) void all.at(name === 'engine' ? 0 : -1)!.terminate();
        },
      });
      await expect(call).rejects.toMatchObject({ code: 'worker-died' });
      expect((await mettle.localize(clip(2))).seconds).toHaveLength(2);
      expect(all.length).toBe(name === 'engine' ? 3 : 3);
    },
  );

  it('between calls is replaced without a word', async () => {
    const { worker, all } = workers({});
    const mettle = await open({ worker });
    const before = await mettle.localize(clip(2));
    for (const one of all) await one.terminate();
    expect(await mettle.localize(clip(2))).toEqual(before);
    expect(all.length).toBe(4);
  });
});

describe('a runtime that hangs', () => {
  it('is ended after an abort, and models are loaded again', async () => {
    const { make, loop } = looping();
    const { worker, all } = workers({ 'engine 1': make });
    const mettle = await open({ worker, stallSeconds });
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ done }: { done: number }): void => {
      if (done !== 2) return;
      loop();
      setTimeout(() => controller.abort(reason), 200);
    };
    const call = mettle.localize(clip(300), { signal: controller.signal, onProgress });
    await expect(call).rejects.toBe(reason);
    const exited = new Promise((resolve) => all[0]!.once('exit', resolve));
    await exited;
    expect((await mettle.localize(clip(2))).seconds).toHaveLength(2);
  });
});

describe('decoders', () => {
  it('are shared by calls that follow each other, and calls that overlap have their own', async () => {
    const { worker, all } = workers({});
    const mettle = await open({ worker });
    for (let i = 0; i < 3; i++) await mettle.localize(clip(1));
    expect(all.length).toBe(2);
    const results = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9].map((length) => mettle.localize(clip(length))));
    expect(results.map(({ seconds }) => seconds.length)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(all.length).toBeLessThanOrEqual(9);
  });

  it('end with a clip that was opened by itself', async () => {
    const { worker, all } = workers({});
    const one = await openClip(clip(3), { worker });
    const format = { frame: { width: 8, height: 8 }, sampleRate: 16_000 };
    const pcm: number[] = [];
    for await (const segment of one.segments(format)) pcm.push(segment.pcm!.length);
    expect(pcm).toEqual([16_000, 16_000, 16_000]);
    const exited = new Promise((resolve) => all[0]!.once('exit', resolve));
    await one.dispose();
    await exited;
    await expect(async () => {
      for await (const _ of one.segments(format)) break;
    }).rejects.toMatchObject({ code: 'disposed' });
  });

  it('give the same as this thread', async () => {
    const inWorkers = await (await open()).localize(clip(3));
    const here = await (await open({ worker: false })).localize(clip(3));
    expect(here).toEqual(inWorkers);
  });
});
