/** Who stays in memory and who makes room, with a made-up engine and models whose bytes are their numbers. */
import { expect, test } from 'vitest';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import { MettleError, type Warning } from '../../sdk/errors.ts';
import type { OpenedModel } from '../../sdk/hub/hub.ts';
import { fitting, Residents } from '../../sdk/residents.ts';

/** What the engine was asked, in order. */
type World = { residents: Residents; calls: string[]; gate: { open: Promise<void> } };

const modelOf = (id: string, bytes: number): OpenedModel<AdapterManifest> => {
  const manifest = { id, version: '1.0.0', kind: 'adapter' } as AdapterManifest;
  return {
    manifest,
    url: new URL(`memory://${id}/`),
    bytes: () => bytes,
    download: async () => ({ manifest, files: {} }),
  };
};

const odd: Warning = { code: 'other-weights', message: 'Made for other weights.' };

/** A backbone of 10 bytes, and adapters of which some are loaded. */
function world(budget: number | undefined, adapters: [id: string, bytes: number, loaded: boolean][]): World {
  const calls: string[] = [];
  const gate = { open: Promise.resolve() };
  const engine = {
    async add(key: string) {
      calls.push(`add ${key}`);
      await gate.open;
      if (key.startsWith('broken')) throw new MettleError('device', 'It computes wrongly.');
      return key === 'odd' ? [odd] : [];
    },
    async remove(key: string) {
      calls.push(`remove ${key}`);
    },
  };
  const opened = adapters.map(([id, bytes, loaded]) => ({ location: `./${id}`, model: modelOf(id, bytes), loaded }));
  const backbone = { id: 'base', version: '1.0.0', bytes: 10 };
  return { residents: new Residents({ engine, variant: 'wasm', backbone, budget }, opened), calls, gate };
}

const named = ({ residents }: World, ...ids: string[]) =>
  ids.map((id) => residents.all.find(({ manifest }) => manifest.id === id)!);
const use = (at: World, ...ids: string[]) => at.residents.acquire(named(at, ...ids), undefined);
const statesOf = ({ residents }: World) =>
  residents
    .memory()
    .models.slice(1)
    .map(({ id, state }) => `${id} ${state}`);
const settled = () => new Promise((resolve) => setTimeout(resolve));

test('what the engine has to say of one more adapter is told once, by whoever adds it', async () => {
  const at = world(undefined, []);
  const told: Warning[] = [];
  await at.residents.add('./a', modelOf('a', 5), { onWarning: (warning) => told.push(warning) });
  expect(told).toEqual([]);
  await at.residents.add('./odd', modelOf('odd', 5), { onWarning: (warning) => told.push(warning) });
  expect(told).toEqual([odd]);
});

test('without a budget nothing is ever asked of the engine', async () => {
  const at = world(undefined, [
    ['a', 5, true],
    ['b', 5, true],
  ]);
  (await use(at, 'a', 'b'))();
  expect(at.calls).toEqual([]);
  expect(at.residents.memory()).toMatchObject({ bytes: 20, budget: null });
});

test('the one that was used least lately makes room, and comes back', async () => {
  const at = world(20, [
    ['a', 5, true],
    ['b', 5, true],
    ['c', 5, false],
  ]);
  (await use(at, 'a'))();
  (await use(at, 'c'))();
  expect(at.calls).toEqual(['remove b', 'add c']);
  expect(statesOf(at)).toEqual(['a loaded', 'b waiting', 'c loaded']);
  (await use(at, 'b'))();
  expect(at.calls.slice(2)).toEqual(['remove a', 'add b']);
  expect(at.residents.memory().bytes).toBe(20);
});

test('as many make room as it takes, and none that the call itself needs', async () => {
  const at = world(25, [
    ['a', 5, true],
    ['b', 5, true],
    ['c', 5, true],
    ['d', 10, false],
  ]);
  (await use(at, 'a', 'd'))();
  expect(at.calls).toEqual(['remove b', 'remove c', 'add d']);
});

test('what runs is never taken away: who needs room waits for it, in line', async () => {
  const at = world(15, [
    ['a', 5, true],
    ['b', 5, false],
  ]);
  const first = await use(at, 'a');
  const order: string[] = [];
  const second = use(at, 'b').then((release) => {
    order.push('b');
    release();
  });
  const third = use(at, 'a').then((release) => {
    order.push('a');
    release();
  });
  await settled();
  expect([at.calls, order]).toEqual([[], []]);
  first();
  await Promise.all([second, third]);
  expect(order).toEqual(['b', 'a']);
  expect(at.calls).toEqual(['remove a', 'add b', 'remove b', 'add a']);
});

test('a wait ends when the caller wants it to, and holds up nobody', async () => {
  const at = world(15, [
    ['a', 5, true],
    ['b', 5, false],
  ]);
  const release = await use(at, 'a');
  const controller = new AbortController();
  const reason = new Error('enough');
  const waiting = at.residents.acquire(named(at, 'b'), controller.signal);
  const behind = at.residents.acquire(named(at, 'b'), controller.signal);
  await settled();
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(behind).rejects.toBe(reason);
  (await use(at, 'a'))();
  release();
  (await use(at, 'b'))();
  expect(at.calls).toEqual(['remove a', 'add b']);
});

test('an abort while the engine loads leaves what it loaded to the next one', async () => {
  const at = world(undefined, [['a', 5, false]]);
  let go = () => {};
  at.gate.open = new Promise((resolve) => {
    go = resolve;
  });
  const controller = new AbortController();
  const reason = new Error('enough');
  const call = at.residents.acquire(named(at, 'a'), controller.signal);
  await settled();
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
  go();
  (await use(at, 'a'))();
  expect(at.calls).toEqual(['add a']);
  expect(at.residents.remove('a')).toBe(true);
  expect(at.calls).toEqual(['add a', 'remove a']);
});

test('what is unloaded stays for the calls that were made before, also those that wait', async () => {
  const at = world(15, [
    ['a', 5, true],
    ['b', 5, false],
  ]);
  const first = await use(at, 'a');
  const second = use(at, 'b');
  expect(at.residents.remove('a')).toBe(true);
  expect(at.residents.remove('b')).toBe(true);
  expect(at.residents.remove('a')).toBe(false);
  expect(at.residents.all).toEqual([]);
  expect(statesOf(at)).toEqual(['a leaving']);
  first();
  const release = await second;
  expect(at.calls).toEqual(['remove a', 'add b']);
  expect(statesOf(at)).toEqual(['b leaving']);
  release();
  expect(at.calls.at(-1)).toBe('remove b');
  expect(at.residents.memory()).toMatchObject({ bytes: 10, models: [{ id: 'base' }] });
});

test('another of the same id has a key of its own while calls run on the former', async () => {
  const at = world(undefined, [['a', 5, true]]);
  const release = await use(at, 'a');
  at.residents.remove('a');
  await at.residents.add('./a', modelOf('a', 7), {});
  expect(at.calls).toEqual(['add a#1']);
  expect(at.residents.memory().bytes).toBe(22);
  release();
  expect(at.calls).toEqual(['add a#1', 'remove a']);
  expect(at.residents.memory().bytes).toBe(17);
});

test('one that cannot be added leaves nothing, and makes no room in vain where it never fits', async () => {
  const at = world(20, [['a', 5, true]]);
  await expect(at.residents.add('./a', modelOf('a', 5), {})).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(at.residents.add('./big', modelOf('big', 11), {})).rejects.toMatchObject({
    code: 'incompatible',
    message: 'Backbone "base" with "big" has 21 bytes, more than the budget of 20.',
  });
  expect(at.calls).toEqual([]);
  await expect(at.residents.add('./broken', modelOf('broken', 5), {})).rejects.toMatchObject({ code: 'device' });
  expect(at.residents.all.map(({ manifest }) => manifest.id)).toEqual(['a']);
  expect(at.residents.memory().bytes).toBe(15);
  await at.residents.add('./b', modelOf('b', 5), {});
  expect(statesOf(at)).toEqual(['a loaded', 'b loaded']);
});

test('a call that needs more than the budget says so at once', async () => {
  const at = world(20, [
    ['a', 5, true],
    ['b', 5, true],
    ['c', 5, false],
  ]);
  await expect(use(at, 'a', 'b', 'c')).rejects.toMatchObject({ code: 'incompatible' });
  (await use(at, 'a', 'a', 'b'))();
  expect(at.calls).toEqual([]);
});

test('one that does not load is told, and the next one is served', async () => {
  const at = world(15, [
    ['broken', 5, false],
    ['a', 5, true],
  ]);
  await expect(use(at, 'broken')).rejects.toMatchObject({ code: 'device' });
  (await use(at, 'a'))();
  expect(at.calls).toEqual(['remove a', 'add broken', 'add a']);
});

test('at first as many are loaded, in their order, as fit beside the backbone', () => {
  const backbone = { id: 'base', bytes: 10 };
  expect(fitting(backbone, [5, 5, 5])).toBe(3);
  expect(fitting(backbone, [5, 5, 5], 24)).toBe(2);
  expect(fitting(backbone, [20, 1], 24)).toBe(0);
  expect(() => fitting(backbone, [], 9)).toThrow('Backbone "base" has 10 bytes, more than the budget of 9.');
});
