/** What teaching promises, in a page as in Node: a head that answers, a package like any other, nothing left of an abort, and lessons that go on. */
import { expect } from 'vitest';
import { createMettle, type Mettle, type ParsingResult } from '../../sdk/index.ts';
import {
  openLessons,
  type ProgressStore,
  type TaughtAdapter,
  type TeachExample,
  type TeachOptions,
  teach,
} from '../../sdk/train/index.ts';
import { takeSource, taughtEvents } from './taught-examples.ts';

type Place = Pick<TeachOptions, 'device' | 'runtimePath' | 'worker' | 'threads'>;

/** Takes that are taught. */
const taken = 3;
/** One between them in pitch, in other noise. */
const fresh = 1.5;

export const lesson = (): TeachExample[] =>
  [...taughtEvents, 'nothing'].flatMap((event) =>
    Array.from({ length: taken }, (_, take) => ({
      label: event === 'nothing' ? null : event,
      source: takeSource(event, take),
    })),
  );

function memory(): ProgressStore & { files: Map<string, Uint8Array<ArrayBuffer>> } {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    files,
    get: async (name) => files.get(name) ?? null,
    put: async (name, bytes) => void files.set(name, bytes),
    delete: async (name) => void files.delete(name),
  };
}

/** What is heard of fresh takes, by event. */
async function answers(mettle: Mettle, adapter: string): Promise<Record<string, ParsingResult>> {
  const found: Record<string, ParsingResult> = {};
  for (const event of [...taughtEvents, 'nothing']) {
    const result = await mettle.parse(takeSource(event, fresh), { adapter });
    found[event] = { ...result, warnings: [] };
  }
  return found;
}

/** One head, loaded as it was given, as a zip, and hot beside others: fresh takes are named, noise is not, and all three say the same. */
export async function expectTaught(place: Place): Promise<TaughtAdapter> {
  const phases = new Set<string>();
  const taught = await teach({
    ...place,
    examples: lesson(),
    id: 'bells',
    onProgress: ({ phase }) => phases.add(phase),
  });
  expect([...phases]).toEqual(expect.arrayContaining(['examples', 'learning']));
  expect(taught.skipped).toEqual([]);
  expect(taught.leftOut).toEqual({
    audio: { right: 6, silent: 0, examples: 6, quiet: 3, nothing: 3 },
    visual: null,
  });
  expect(taught.manifest).toMatchObject({
    kind: 'adapter',
    id: 'bells',
    task: 'parse',
    classes: taughtEvents,
    untrained: false,
    scope: { senses: ['audio'] },
    familiarity: { least: 0.05 },
    canary: { rtol: 0.02 },
  });

  await using given = await createMettle({ ...place, adapters: [taught] });
  const said = await answers(given, 'bells');
  for (const event of taughtEvents) {
    expect(new Set(said[event]!.events.map(({ label, modality }) => `${modality} ${label}`))).toEqual(
      new Set([`audio ${event}`]),
    );
  }
  expect(said.nothing!.events).toEqual([]);

  await using zipped = await createMettle({ ...place, adapters: [taught.zip()] });
  expect(await answers(zipped, 'bells')).toEqual(said);

  await using hot = await createMettle({ ...place, adapters: ['everyday-llp'] });
  expect(await hot.load(taught)).toMatchObject({ id: 'bells', task: 'parse' });
  expect(await answers(hot, 'bells')).toEqual(said);
  await hot.unload('bells');
  expect(hot.info().adapters.map(({ id }) => id)).toEqual(['everyday-llp']);
  return taught;
}

/** An abort in the midst of the examples rejects with its reason, and what had been kept by then is gone. */
export async function expectAbortToLeaveNothing(place: Place): Promise<void> {
  const progress = memory();
  const controller = new AbortController();
  const reason = new Error('Enough.');
  let most = 0;
  const lost = teach({
    ...place,
    examples: lesson(),
    progress,
    signal: controller.signal,
    onProgress(step) {
      most = Math.max(most, progress.files.size);
      if (step.phase === 'examples' && progress.files.size >= 2) controller.abort(reason);
    },
  });
  await expect(lost).rejects.toBe(reason);
  expect(most).toBeGreaterThanOrEqual(2);
  expect([...progress.files.keys()]).toEqual([]);
}

/** A lesson that ends without being asked to, as that of a tab that is closed, goes on where it was, and ends up the same to the byte. */
export async function expectResumption(place: Place, undisturbed: TaughtAdapter): Promise<void> {
  const progress = memory();
  const crash = new Error('The tab was closed.');
  const broken = teach({
    ...place,
    examples: lesson(),
    id: 'bells',
    progress,
    onProgress(step) {
      if (step.phase === 'examples' && progress.files.size === 4) throw crash;
    },
  });
  await expect(broken).rejects.toBe(crash);
  expect(progress.files.size).toBe(4);

  const kept = new Map(progress.files);
  const resumed = await teach({ ...place, examples: lesson(), id: 'bells', progress });
  for (const [name, bytes] of kept) expect(progress.files.get(name)).toBe(bytes);
  expect(progress.files.size).toBe(lesson().length + 1);
  expect(resumed.files).toEqual(undisturbed.files);
}

/** Examples in the browser's storage or a folder outlive whoever opened them, until they are forgotten. */
export async function expectLessonsToLast(place: string): Promise<void> {
  const lessons = await openLessons({ place });
  await lessons.forget();
  const wave = new Blob([new Uint8Array([1, 2, 3])], { type: 'audio/wav' });
  const bell = await lessons.add({ label: 'bell', source: wave, name: 'first' });
  const nothing = await lessons.add({ label: null, source: wave });
  await lessons.progress.put('progress-1', new Uint8Array([7]));

  const again = await openLessons({ place });
  const listed = await again.list();
  expect(new Set(listed.map(({ id }) => id))).toEqual(new Set([bell.id, nothing.id]));
  expect(listed.find(({ id }) => id === bell.id)).toMatchObject({ label: 'bell', name: 'first', type: 'audio/wav' });
  const file = await again.open(bell.id);
  expect([file.type, ...new Uint8Array(await file.arrayBuffer())]).toEqual(['audio/wav', 1, 2, 3]);
  expect((await again.examples()).map(({ label }) => label).sort()).toEqual(['bell', null].sort());

  await again.remove(bell.id);
  await expect(again.open(bell.id)).rejects.toMatchObject({ code: 'not-found' });
  expect((await again.list()).map(({ id }) => id)).toEqual([nothing.id]);
  await again.forget();
  expect(await lessons.list()).toEqual([]);
  expect(await lessons.progress.get('progress-1')).toBe(null);
}
