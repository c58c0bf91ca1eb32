/**
 * What the backbone sees and hears of every example, in every view: each example is decoded once and run once, and what it gave is kept by what it is, so that a lesson that
 * was broken off, or one example more, costs only what is new.
 */
import { untilAborted } from '../../abort.ts';
import { concatenate } from '../../arrays.ts';
import type { SegmentFormat } from '../../contract/clip.ts';
import { senses } from '../../contract/familiar.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import type { Sense } from '../../contract/manifest.ts';
import type { Engine, EngineSegment } from '../../engine/types.ts';
import { MettleError } from '../../errors.ts';
import { readSafetensors, type TensorData, tensorOf, toFloat32, writeSafetensors } from '../../onnx/safetensors.ts';
import type { Workshop } from '../../work/workshop.ts';
import { isClipFault } from '../features/clip-features.ts';
import { madeSeconds, madeUp } from './made.ts';
import type { ProgressStore, TeachExample } from './options.ts';
import { featureOutput, readerId } from './reader.ts';
import { viewOf } from './views.ts';

/** Rows [width] by sense, second after second and view after view; of a sense that is not there, none. */
export type Seen = Record<Sense, Float32Array[]> & {
  /** Root mean square of the sound of each of these seconds, 0 to 1; 0 without sound. */
  levels: Float32Array;
};

/** Decoded seconds of an example. */
export type Opened = { name: string; label: string | null; seconds: EngineSegment[] };

/** Seconds of one example that are looked at. */
export const mostSeconds = 10;

/** Backbone passes that a lesson takes at most where its examples are few: they decide how many views there are. */
const passes = 360;
const mostViews = 6;
/** What a measure of familiarity needs, and some more. */
const fewestRows = 90;

/** Views of each example, so that all together take about as long whether there are few examples or many. */
export function viewsFor(seconds: number): number {
  const affordable = Math.min(mostViews, Math.floor((passes - madeSeconds) / seconds));
  return Math.max(1, affordable, Math.ceil(fewestRows / seconds));
}

/** Decodes the examples one after another; what cannot be decoded is told in `skipped`. */
export async function openExamples(
  workshop: Pick<Workshop, 'openClip'>,
  examples: readonly TeachExample[],
  format: SegmentFormat,
  signal: AbortSignal | undefined,
): Promise<{ opened: Opened[]; skipped: { name: string; reason: string }[] }> {
  const opened: Opened[] = [];
  const skipped: { name: string; reason: string }[] = [];
  const counts = new Map<string | null, number>();
  for (const { label, source, name } of examples) {
    const number = (counts.get(label) ?? 0) + 1;
    counts.set(label, number);
    const called = name ?? `${label ?? 'nothing'} ${number}`;
    try {
      opened.push({ name: called, label, seconds: await secondsOf(workshop, source, format, signal) });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MettleError) || !isClipFault(error)) throw error;
      skipped.push({ name: called, reason: error.message });
    }
  }
  return { opened, skipped };
}

async function secondsOf(
  workshop: Pick<Workshop, 'openClip'>,
  source: TeachExample['source'],
  format: SegmentFormat,
  signal: AbortSignal | undefined,
): Promise<EngineSegment[]> {
  await using clip = await workshop.openClip(source, { signal });
  const seconds: EngineSegment[] = [];
  for await (const { frame, pcm } of clip.segments(format, { signal })) {
    seconds.push({ frame, pcm: pcm as Float32Array<ArrayBuffer> | null });
    if (seconds.length === mostSeconds) break;
  }
  return seconds;
}

/** Reads features through an engine that has the lesson reader loaded, and counts seconds. */
export class FeatureReader {
  readonly #engine: Engine;
  readonly #senses: readonly Sense[];
  readonly #store: ProgressStore | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onSecond: (seconds: number) => void;
  readonly #written: string[] = [];
  #isFull = false;

  constructor(options: {
    engine: Engine;
    senses: readonly Sense[];
    store: ProgressStore | undefined;
    signal: AbortSignal | undefined;
    /** Told how many seconds were dealt with. */
    onSecond: (seconds: number) => void;
  }) {
    this.#engine = options.engine;
    this.#senses = options.senses;
    this.#store = options.store;
    this.#signal = options.signal;
    this.#onSecond = options.onSecond;
  }

  /** Of an example in so many views; `base` names everything else that the features depend on. */
  async example({ seconds }: Opened, views: number, base: string): Promise<Seen> {
    const all = async function* (): AsyncGenerator<EngineSegment> {
      for (let view = 0; view < views; view++) yield* viewOf(seconds, view, base);
    };
    return await this.#kept(`${base} ${views} ${await digestOf(seconds)}`, views * seconds.length, all);
  }

  /** Of what is made up. */
  async made(format: SegmentFormat, base: string): Promise<Seen> {
    return await this.#kept(`${base} made up`, madeSeconds, () => madeUp(format));
  }

  /** Removes what this reader kept. */
  async forget(): Promise<void> {
    for (const name of this.#written) await this.#store?.delete(name);
  }

  async #kept(key: string, count: number, make: () => AsyncIterable<EngineSegment>): Promise<Seen> {
    const name = `progress-${hex(await sha256Integrity(new TextEncoder().encode(key)))}`;
    const known = decoded(await this.#store?.get(name), name);
    if (known) {
      this.#onSecond(count);
      return known;
    }
    const rows = await this.#run(make());
    await this.#keep(name, rows);
    return rows;
  }

  /** A store that is full, or otherwise fails, ends no lesson: what comes after is not kept. */
  async #keep(name: string, seen: Seen): Promise<void> {
    if (!this.#store || this.#isFull) return;
    try {
      this.#written.push(name);
      await this.#store.put(name, encoded(seen));
    } catch {
      this.#isFull = true;
    }
  }

  async #run(segments: AsyncIterable<EngineSegment>): Promise<Seen> {
    const rows: Record<Sense, Float32Array[]> = { audio: [], visual: [] };
    const levels: number[] = [];
    const run = await untilAborted(this.#engine.begin([readerId]), this.#signal);
    try {
      for await (const { frame, pcm } of segments) {
        this.#signal?.throwIfAborted();
        levels.push(pcm ? rootMeanSquare(pcm) : 0);
        const present = { audio: pcm !== null, visual: frame !== null };
        const pushed = await untilAborted(this.#engine.push(run, { frame: frame && copied(frame), pcm }), this.#signal);
        for (const sense of this.#senses) {
          if (present[sense]) rows[sense].push(pushed[readerId]![featureOutput[sense]]!.data);
        }
        this.#onSecond(1);
      }
    } finally {
      await this.#engine.cancel(run);
    }
    return { ...rows, levels: Float32Array.from(levels) };
  }
}

/** The engine may give a frame's buffer away, and other views are still to be made of it. */
const copied = <F extends NonNullable<EngineSegment['frame']>>(frame: F): F => ({ ...frame, data: frame.data.slice() });

const rootMeanSquare = (pcm: Float32Array): number => Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / pcm.length);

async function digestOf(seconds: readonly EngineSegment[]): Promise<string> {
  const parts: string[] = [];
  for (const { frame, pcm } of seconds) {
    const [seen, heard] = [frame && Uint8Array.from(frame.data), pcm && new Uint8Array(pcm.slice().buffer)];
    parts.push(`${seen && (await sha256Integrity(seen))} ${heard && (await sha256Integrity(heard))}`);
  }
  return parts.join(' ');
}

const hex = (integrity: string): string =>
  Array.from(atob(integrity.slice('sha256-'.length)), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(
    '',
  );

function encoded(seen: Seen): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, TensorData> = {
    levels: { dtype: 'F32', shape: [seen.levels.length], data: seen.levels },
  };
  for (const sense of senses) {
    const width = seen[sense][0]?.length;
    if (width === undefined) continue;
    tensors[sense] = { dtype: 'F32', shape: [seen[sense].length, width], data: concatenate(seen[sense]) };
  }
  return writeSafetensors(tensors);
}

/** Null for what is not there, or was damaged: it is seen again. */
function decoded(bytes: Uint8Array | null | undefined, where: string): Seen | null {
  if (!bytes) return null;
  try {
    const file = readSafetensors(bytes, where);
    const list = (sense: Sense): Float32Array[] => {
      if (!file.tensors.has(sense)) return [];
      const tensor = tensorOf(file, sense);
      const [count, width] = tensor.shape as [number, number];
      const data = toFloat32(tensor);
      return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width));
    };
    return { audio: list('audio'), visual: list('visual'), levels: toFloat32(tensorOf(file, 'levels')) };
  } catch (error) {
    if (error instanceof MettleError && error.code === 'invalid-file') return null;
    throw error;
  }
}
