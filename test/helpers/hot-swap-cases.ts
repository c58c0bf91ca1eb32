/** Adapters that come and go on a running Mettle: one list of checks for Node and the browser, in a worker and without. */
import { expect } from 'vitest';
import { createMettle, type Mettle, type MettleError, type RawClip, type WorkerFactory } from '../../sdk/index.ts';
import type { CreateOptions, CreateProgress } from '../../sdk/load.ts';

export const clip = (seconds: number): RawClip => ({
  frames: Array.from({ length: seconds }, (_, i) => ({
    width: 4,
    height: 4,
    data: Uint8Array.from({ length: 48 }, (_, at) => (37 * i + 11 * at) % 256),
  })),
  frameRate: 1,
  audio: { channels: [Float32Array.from({ length: 16000 * seconds }, (_, i) => Math.sin(i / 9))], sampleRate: 16000 },
});

const idsOf = (mettle: Mettle): string[] => mettle.info().adapters.map(({ id }) => id);
const statesOf = (mettle: Mettle) => Object.fromEntries(mettle.memory().models.map(({ id, state }) => [id, state]));

async function results(mettle: Mettle, source: RawClip) {
  return (await mettle.analyze(source)).results;
}

export async function expectLoadAndUnload(options: CreateOptions): Promise<void> {
  await using both = await createMettle({ ...options, adapters: ['toybox-ave', 'toybox-llp'] });
  const expected = await results(both, clip(2));
  await using mettle = await createMettle({ ...options, adapters: ['toybox-ave'] });
  const alone = mettle.memory();
  await expect(mettle.parse(clip(2))).rejects.toMatchObject({ code: 'not-found' });

  const steps: CreateProgress[] = [];
  const told = await mettle.load('toybox-llp', { onProgress: (step) => steps.push(step) });
  expect(told).toEqual(both.info().adapters[1]);
  expect(mettle.info().adapters).toEqual(both.info().adapters);
  expect(mettle.memory()).toEqual(both.memory());
  expect(await results(mettle, clip(2))).toEqual(expected);
  // Of the backbone not a byte came again.
  const [llp] = mettle.memory().models.filter(({ id }) => id === 'toybox-llp');
  const downloads = steps.filter((step) => step.phase === 'download');
  expect([...new Set(downloads.map(({ model }) => model))]).toEqual(['toybox-llp']);
  expect(downloads.at(-1)).toMatchObject({ done: llp!.bytes, total: llp!.bytes });
  expect([...new Set(steps.map(({ phase }) => phase))]).toEqual(['download', 'load', 'warmup']);
  const last = steps.at(-1)!;
  expect(last.done).toBe(last.total);

  await mettle.unload('toybox-llp');
  expect(idsOf(mettle)).toEqual(['toybox-ave']);
  expect(mettle.memory()).toEqual(alone);
  expect(await results(mettle, clip(2))).toEqual(expected.slice(0, 1));
  await expect(mettle.parse(clip(2))).rejects.toMatchObject({ code: 'not-found' });
  await mettle.unload('toybox-ave');
  expect(idsOf(mettle)).toEqual([]);
  expect(await results(mettle, clip(2))).toEqual([]);
  await mettle.load('toybox-llp');
  await mettle.load('toybox-ave');
  expect(await results(mettle, clip(2))).toEqual([expected[1], expected[0]]);
}

export async function expectCallsToFinish(options: CreateOptions): Promise<void> {
  await using mettle = await createMettle({ ...options, adapters: ['toybox-ave', 'toybox-llp'] });
  const expected = await mettle.localize(clip(6));
  let seconds = 0;
  const onProgress = ({ done }: { done: number }): void => {
    seconds = done;
  };
  const running = mettle.localize(clip(6), { onProgress });
  const waiting = mettle.localize(clip(6));
  await mettle.unload('toybox-ave');
  expect(seconds).toBeLessThan(6);
  expect(statesOf(mettle)).toEqual({ nano: 'loaded', 'toybox-ave': 'leaving', 'toybox-llp': 'loaded' });
  await expect(mettle.localize(clip(1))).rejects.toMatchObject({ code: 'not-found' });
  await expect(mettle.unload('toybox-ave')).rejects.toMatchObject({ code: 'not-found' });
  // Another of the same id, beside the one that calls still run on.
  await mettle.load('toybox-ave');
  expect(await mettle.localize(clip(6))).toEqual(expected);
  expect(await Promise.all([running, waiting])).toEqual([expected, expected]);
  expect(statesOf(mettle)).toEqual({ nano: 'loaded', 'toybox-llp': 'loaded', 'toybox-ave': 'loaded' });
}

export async function expectErrors(options: CreateOptions): Promise<void> {
  await using mettle = await createMettle({ ...options, adapters: ['toybox-ave'] });
  const before = [mettle.info(), mettle.memory()];
  const refused = async (call: Promise<unknown>, code: string, message: string) => {
    await expect(call).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  };
  await refused(mettle.load('toybox-ave'), 'invalid-argument', 'An adapter "toybox-ave" is loaded already.');
  await refused(mettle.load('nano'), 'invalid-argument', '"nano" is a backbone, expected an adapter.');
  await refused(mettle.load('toybox-avs'), 'not-found', 'No shipped adapter has the id "toybox-avs".');
  await refused(mettle.load(''), 'invalid-argument', 'adapter must be an id, a path');
  await refused(mettle.load('toybox-llp', { fast: true } as never), 'invalid-argument', 'options.fast is unknown');
  await refused(
    mettle.unload('toybox-av'),
    'not-found',
    'No adapter "toybox-av" is loaded. Did you mean "toybox-ave"?',
  );
  const mistake = new Error('of the caller');
  const throwing = {
    onProgress: () => {
      throw mistake;
    },
  };
  await expect(mettle.load('toybox-llp', throwing)).rejects.toBe(mistake);
  const reason = new Error('enough');
  await expect(mettle.load('toybox-llp', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const onProgress = () => controller.abort(reason);
  await expect(mettle.load('toybox-llp', { signal: controller.signal, onProgress })).rejects.toBe(reason);
  // Two at once: one of them is first.
  const twice = await Promise.allSettled([mettle.load('toybox-llp'), mettle.load('toybox-llp')]);
  expect(twice.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await mettle.unload('toybox-llp');
  expect([mettle.info(), mettle.memory()]).toEqual(before);
  await mettle.dispose();
  for (const call of [mettle.load('toybox-llp'), mettle.unload('toybox-ave')]) {
    await expect(call).rejects.toMatchObject({ code: 'disposed' });
  }
}

export async function expectBudget(options: CreateOptions): Promise<void> {
  const adapters = ['toybox-ave', 'toybox-llp', 'toybox-s4'];
  await using free = await createMettle({ ...options, adapters });
  const [nano, ave, llp, s4] = free.memory().models.map(({ bytes }) => bytes) as [number, number, number, number];
  expect(free.memory()).toMatchObject({ budget: null, bytes: nano + ave + llp + s4 });
  const { results: expected } = await free.analyze(clip(2));

  const budget = nano + s4;
  await using mettle = await createMettle({ ...options, adapters, budget });
  expect(idsOf(mettle)).toEqual(adapters);
  expect(statesOf(mettle)).toMatchObject({ 'toybox-ave': 'loaded', 'toybox-llp': 'waiting', 'toybox-s4': 'waiting' });
  const at = (index: number) => ({ results: [expected[index]] });
  expect(await mettle.analyze(clip(2), { tasks: ['segment'] })).toMatchObject(at(2));
  expect(statesOf(mettle)).toMatchObject({ 'toybox-ave': 'waiting', 'toybox-llp': 'waiting', 'toybox-s4': 'loaded' });
  expect(mettle.memory()).toMatchObject({ budget, bytes: nano + s4 });
  const each = [mettle.localize(clip(2)), mettle.parse(clip(2)), mettle.segment(clip(2)), mettle.localize(clip(2))];
  expect(await Promise.all(each)).toEqual([expected[0], expected[1], expected[2], expected[0]]);
  expect(mettle.memory().bytes).toBeLessThanOrEqual(budget);
  await expect(mettle.analyze(clip(2))).rejects.toMatchObject({
    code: 'incompatible',
    message: `Backbone "nano" with "toybox-ave", "toybox-llp", "toybox-s4" has ${nano + ave + llp + s4} bytes, more than the budget of ${budget}.`,
  });
  await expect(createMettle({ ...options, adapters, budget: nano - 1 })).rejects.toMatchObject({
    code: 'incompatible',
    message: `Backbone "nano" has ${nano} bytes, more than the budget of ${nano - 1}.`,
  });
  await using small = await createMettle({ ...options, adapters: ['toybox-llp'], budget: nano + llp });
  await expect(small.load('toybox-s4')).rejects.toMatchObject({ code: 'incompatible' });
  expect(statesOf(small)).toEqual({ nano: 'loaded', 'toybox-llp': 'loaded' });
}

/** A page learns late that a worker is gone: a call may be the one that finds out. */
const unlessDead = <T>(call: () => Promise<T>): Promise<T> =>
  call().catch((error: MettleError) => {
    if (error.code !== 'worker-died') throw error;
    return call();
  });

/** `kill` ends all workers that were made so far. */
export async function expectSwapsToOutliveWorkers(
  options: CreateOptions,
  worker: WorkerFactory,
  kill: () => Promise<unknown>,
): Promise<void> {
  await using mettle = await createMettle({ ...options, worker, adapters: ['toybox-ave'] });
  await mettle.load('toybox-llp');
  await mettle.unload('toybox-ave');
  const expected = await mettle.parse(clip(2));
  await kill();
  expect(await unlessDead(() => mettle.parse(clip(2)))).toEqual(expected);
  expect(idsOf(mettle)).toEqual(['toybox-llp']);
  await kill();
  await unlessDead(() => mettle.load('toybox-ave'));
  expect(idsOf(mettle)).toEqual(['toybox-llp', 'toybox-ave']);
}
