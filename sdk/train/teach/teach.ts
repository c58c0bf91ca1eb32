/**
 * `teach`: from a few short examples of one's own events to an adapter, in a minute, in a page as in Node. The backbone runs in its worker, once over every example in some views;
 * what is learned is a small head on top, solved in closed form, and no gradient is ever sent through a backbone. Keeps nothing but what `progress` is given.
 */

import { senses } from '../../contract/familiar.ts';
import { contractOf } from '../../contract/fits.ts';
import type { AdapterManifest, Sense } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import { formatOf } from '../../contract/pair.ts';
import { callersOwn, throughDoor } from '../../door.ts';
import { MettleError } from '../../errors.ts';
import { zipFiles } from '../../hub/zip.ts';
import { type LoadedEngine, loadEngine } from '../../load.ts';
import { writeOnnx } from '../../onnx/writer.ts';
import type { Evaluate } from '../../ops/index.ts';
import { openWorkshop, type Workshop } from '../../work/workshop.ts';
import { cardOf } from './card.ts';
import { FeatureReader, type Opened, openExamples, type Seen, viewsFor } from './features.ts';
import { type Head, type Lesson, solveHead } from './head.ts';
import { madeSeconds } from './made.ts';
import {
  checkLesson,
  fewestExamples,
  scopeOf,
  type TaughtAdapter,
  type TeachExample,
  type TeachOptions,
  type TeachProgress,
  tooFew,
} from './options.ts';
import { lessonConfig, packLesson } from './pack.ts';
import { lessonReader, readerId } from './reader.ts';

/**
 * Teaches a head for the events of `examples` and gives the adapter. Throws `invalid-argument` for examples that are too few or share no sense, what `createMettle` throws for
 * the backbone and the device, and the signal's reason; then nothing of it is left.
 *
 * @example
 * const taught = await teach({ examples: [{ label: 'kettle', source: file }, { label: null, source: quiet }], onProgress });
 * await mettle.load(taught);
 */
export async function teach(options: TeachOptions): Promise<TaughtAdapter> {
  const events = checkLesson(options);
  const own = callersOwn(options);
  const progress = own.progress && callersOwn(own.progress);
  return await throughDoor(own.signal, async () => {
    const { worker, assets, stallSeconds } = own;
    const workshop = openWorkshop({ worker, assets, stallSeconds });
    try {
      return await taught({ ...own, progress }, events, workshop);
    } finally {
      workshop.dispose(new MettleError('disposed', 'The lesson is over.'));
    }
  });
}

async function taught(options: TeachOptions, events: string[], workshop: Workshop): Promise<TaughtAdapter> {
  const { examples, id = 'taught', license = 'own examples', signal, onProgress } = options;
  let loaded = await open(options, workshop);
  try {
    const { opened, skipped } = await openExamples(workshop, examples, formatOf(loaded.backbone), signal);
    const decides = sensesFor(options, opened, events);
    loaded = await withReader(loaded, options, workshop, decides);
    const { lessons, made } = await lessonsOf(loaded, options, opened, decides);
    onProgress?.({ phase: 'learning' });
    const heads: Partial<Record<Sense, Head>> = {};
    for (const sense of decides) {
      heads[sense] = solveHead(events.length, lessonsIn(sense, lessons, events), made[sense]);
      // Between two of them the page may draw.
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
    const counts = events.map((event) => opened.filter(({ label }) => label === event).length);
    const scope = scopeOf(events, counts, decides);
    const leftOut = { audio: heads.audio?.leftOut ?? null, visual: heads.visual?.leftOut ?? null };
    const card = cardOf({ id, events, counts, nothing: opened.filter(({ label }) => label === null).length, leftOut });
    const packed = await packLesson({
      ...{ id, license, scope, heads, card, classes: events },
      base: loaded.backbone,
      evaluate: evaluateIn(loaded),
    });
    signal?.throwIfAborted();
    return { ...packed, leftOut, skipped, zip: () => zipFiles(packed.files) };
  } finally {
    await loaded.engine.dispose();
  }
}

function open(options: TeachOptions, workshop: Workshop): Promise<LoadedEngine> {
  const { examples: _, id: __, license: ___, senses: ____, seed: _____, progress: ______, ...backbone } = options;
  return loadEngine(workshop, { ...backbone, adapters: [] });
}

/** The engine with the lesson reader in it; a GPU that fails at its first pass is given up for WASM, as `createMettle` does. */
async function withReader(
  loaded: LoadedEngine,
  options: TeachOptions,
  workshop: Workshop,
  decides: readonly Sense[],
): Promise<LoadedEngine> {
  const reader = (): Promise<ModelPackage<AdapterManifest>> =>
    lessonReader(loaded.backbone, lessonConfig([], decides, 1), decides);
  try {
    await loaded.engine.add(readerId, await reader());
    return loaded;
  } catch (error) {
    const isGpu = error instanceof MettleError && error.code === 'device' && loaded.info.variant.startsWith('webgpu');
    if (!isGpu || (options.device ?? 'auto') !== 'auto') throw error;
    await loaded.engine.dispose();
    const again = await open({ ...options, device: 'wasm' }, workshop);
    await again.engine.add(readerId, await reader());
    return again;
  }
}

/** Throws `invalid-argument` where examples of events have no sense in common, or too few of them could be read. */
function sensesFor({ senses: wanted }: TeachOptions, opened: readonly Opened[], events: readonly string[]): Sense[] {
  const ofEvents = opened.filter(({ label }) => label !== null);
  for (const event of events) {
    const count = ofEvents.filter(({ label }) => label === event).length;
    if (count < fewestExamples) throw tooFew(event, count, ' that can be read');
  }
  const has = (sense: Sense, { seconds }: Opened): boolean =>
    seconds.every(({ frame, pcm }) => (sense === 'audio' ? pcm : frame) !== null);
  const asked = senses.filter((sense) => wanted === undefined || wanted === 'both' || wanted === sense);
  const found = asked.filter((sense) => ofEvents.every((example) => has(sense, example)));
  const missing = wanted === undefined ? [] : asked.filter((sense) => !found.includes(sense));
  if (found.length > 0 && missing.length === 0) return found;
  const lacking = ofEvents.find((example) => !has(missing[0] ?? 'audio', example))!;
  const what = (missing[0] ?? 'audio') === 'audio' ? 'sound' : 'picture';
  throw new MettleError('invalid-argument', `Example "${lacking.name}" has no ${what}, which shall decide.`, {
    hint: 'Give all examples of events the same senses: sounds alone, pictures alone, or films with both.',
  });
}

type Examples = { opened: Opened; seen: Seen }[];

async function lessonsOf(
  { engine, backbone }: LoadedEngine,
  { progress: store, seed = 1, signal, onProgress }: TeachOptions,
  opened: readonly Opened[],
  decides: readonly Sense[],
): Promise<{ lessons: Examples; made: Seen }> {
  const seconds = opened.reduce((sum, example) => sum + example.seconds.length, 0);
  const views = viewsFor(seconds);
  const total = madeSeconds + views * seconds;
  let done = 0;
  const tell = (more: number): void => {
    done += more;
    onProgress?.({ phase: 'examples', done, total } satisfies TeachProgress);
  };
  tell(0);
  const reader = new FeatureReader({ engine, senses: decides, store, signal, onSecond: tell });
  const base = `${await contractOf(backbone)} ${decides} ${seed}`;
  try {
    const lessons: Examples = [];
    for (const example of opened) lessons.push({ opened: example, seen: await reader.example(example, views, base) });
    return { lessons, made: await reader.made(formatOf(backbone), base) };
  } catch (error) {
    if (signal?.aborted) await reader.forget();
    throw error;
  }
}

/** A second of an event this much softer than its loudest is a pause: what it teaches is not the event. */
const pause = 0.05;

/** Of nothing every second counts; examples of it that lack the sense are left out. */
function lessonsIn(sense: Sense, lessons: Examples, events: readonly string[]): Lesson[] {
  return lessons.flatMap(({ opened: { label, seconds }, seen }) => {
    const rows = seen[sense];
    if (rows.length < seen.levels.length) return [];
    const loudest = Math.max(...seen.levels);
    const counts = (i: number): boolean => label === null || sense === 'visual' || seen.levels[i]! >= pause * loudest;
    const chosen = rows.filter((_, i) => counts(i));
    const plain = rows.filter((_, i) => i < seconds.length && counts(i));
    return [
      { event: label === null ? null : events.indexOf(label), rows: chosen, plain: plain.length > 0 ? plain : chosen },
    ];
  });
}

const evaluateIn =
  ({ engine }: LoadedEngine): Evaluate =>
  async (outputs) => {
    const given = await engine.evaluate(writeOnnx(outputs));
    return Object.fromEntries(Object.entries(given).map(([name, { data }]) => [name, data]));
  };

export type { TaughtAdapter, TeachExample, TeachOptions, TeachProgress };
