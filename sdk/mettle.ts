/** The public API: `createMettle`, and what it gives. */

import { untilAborted } from './abort.ts';
import {
  type Analysis,
  type AnalyzeOptions,
  analyzeClip,
  analyzeRules,
  type CallOptions,
  callRules,
} from './analyze.ts';
import type { ClipSource } from './contract/clip.ts';
import type { EngineInfo } from './contract/engine-info.ts';
import type { LiveSource } from './contract/live.ts';
import type { AdapterManifest } from './contract/manifest.ts';
import { checkArgument, checkOptions, type Rules, text } from './contract/options.ts';
import { formatOf } from './contract/pair.ts';
import type { Task } from './contract/task.ts';
import { didYouMean } from './did-you-mean.ts';
import { callersOwn, eachThroughDoor, throughDoor } from './door.ts';
import { type EmbedOptions, embedClip, embedRules } from './embed.ts';
import { untrainedWarnings } from './engine/untrained.ts';
import { addWarning, MettleError, type Warning } from './errors.ts';
import { openFeeds, type WatchOptions, watchRules } from './live/options.ts';
import { type Moment, moments, type Taken, type WatchPlan } from './live/watch.ts';
import {
  type CreateOptions,
  type CreateProgress,
  createRules,
  type LoadedEngine,
  loadAdapter,
  loadEngine,
} from './load.ts';
import type { MemoryUse, Resident } from './residents.ts';
import type { Embedding } from './tasks/similar.ts';
import type { LocalizationResult, ParsingResult, SegmentationResult, TaskResult } from './tasks/types.ts';
import { openWorkshop, type Workshop } from './work/workshop.ts';

/** What `localize`, `parse` and `segment` take. */
export type TaskOptions = CallOptions & {
  /** Which adapter answers, where several are loaded for one task. Default: the first. */
  adapter?: string;
};

/** What `load` takes. */
export type LoadOptions = {
  /** Ends the call: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** As that of `createMettle`, for this adapter alone. */
  onProgress?: (progress: CreateProgress) => void;
};

/** An adapter that can be asked. */
export type LoadedAdapter = EngineInfo['adapters'][number];

/**
 * A backbone and adapters, loaded and warm. Own it with `await using`, or call `dispose()`. Calls may overlap; the engine takes them one second at a time. They reject
 * with a `MettleError`, with `signal.reason`, or with what a function of yours threw.
 */
export interface Mettle extends AsyncDisposable {
  /** Device, threads, variant, and why; models and versions. */
  info(): EngineInfo;
  /**
   * Loads one more adapter for the same backbone, named as in `createMettle`. Calls go on meanwhile; later ones may ask for it. Rejects with `invalid-argument` where one of
   * its id is loaded, `incompatible` where it was made for another backbone or is more than the budget, or as `createMettle`; then nothing is other than before.
   *
   * @example
   * await mettle.load('./rain');
   */
  load(adapter: string, options?: LoadOptions): Promise<LoadedAdapter>;
  /** Frees the adapter with this id. Calls that were made before finish on it, and it goes with the last; later ones do not know it. Rejects with `not-found`. */
  unload(id: string): Promise<void>;
  /** Bytes of the files of each model, and which of them are in memory. */
  memory(): MemoryUse;
  /** Which event is both seen and heard, second by second. */
  localize(source: ClipSource, options?: TaskOptions): Promise<LocalizationResult>;
  /** Which events are heard, which are seen, which both, with start and end. */
  parse(source: ClipSource, options?: TaskOptions): Promise<ParsingResult>;
  /** Which pixels make the sound, one mask per second. */
  segment(source: ClipSource, options?: TaskOptions): Promise<SegmentationResult>;
  /** All loaded adapters, or those of some tasks, on one backbone pass. */
  analyze(source: ClipSource, options?: AnalyzeOptions): Promise<Analysis>;
  /** Where each second lies among those that an adapter learned from: vectors for `findSimilar`. No answer comes with them. */
  embed(source: ClipSource, options?: EmbedOptions): Promise<Embedding>;
  /**
   * A camera, a microphone, an element that plays, or streams, moment by moment, as they run. Adapters see only what was before. Moments that come faster than they are
   * taken are left out whole, and counted; leaving the loop closes the source's streams.
   *
   * @example
   * const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
   * for await (const { events } of mettle.watch(stream)) for (const { label } of events.began) console.log(label);
   */
  watch(source: LiveSource, options?: WatchOptions): AsyncGenerator<Moment, void, undefined>;
  /** Frees models, GPU buffers and the worker; open calls reject with `disposed`. */
  dispose(): Promise<void>;
}

/**
 * Loads a backbone and adapters on the best device there is.
 *
 * Throws `not-found`, `network`, `integrity`, `invalid-file`, `incompatible`, `device`, `worker-died`, `invalid-argument` (unknown options too), `signal.reason`, or what
 * a function of yours threw.
 *
 * @example
 * await using mettle = await createMettle({ adapters: ['toybox-ave'] });
 * const { events } = await mettle.localize(file);
 * for (const { label, start, end } of events) console.log(label, start, end);
 */
export async function createMettle(options: CreateOptions = {}): Promise<Mettle> {
  checkOptions(options, createRules);
  const own = callersOwn(options);
  return await throughDoor(own.signal, async () => {
    const workshop = openWorkshop(own);
    return new LoadedMettle(workshop, own, await loadEngine(workshop, own));
  });
}

const taskRules: Rules<TaskOptions> = { ...callRules, adapter: text };
const loadRules: Rules<LoadOptions> = { signal: createRules.signal, onProgress: createRules.onProgress };

class LoadedMettle implements Mettle {
  readonly #workshop: Workshop;
  readonly #options: CreateOptions;
  #loaded: LoadedEngine;
  #reloading: Promise<LoadedEngine> | null = null;
  #disposed: MettleError | null = null;
  readonly #warnings: Warning[] = [];

  constructor(workshop: Workshop, options: CreateOptions, loaded: LoadedEngine) {
    this.#workshop = workshop;
    // Signal and progress belonged to the first load.
    this.#options = { ...options, signal: undefined, onProgress: undefined };
    this.#loaded = loaded;
  }

  info(): EngineInfo {
    const { info, backbone, residents } = this.#loaded;
    const manifests = residents.all.map(({ manifest }) => manifest);
    const others = [...info.warnings.filter(({ code }) => code !== 'untrained'), ...this.#warnings];
    return {
      ...info,
      adapters: manifests.map(told),
      warnings: [...others, ...untrainedWarnings([backbone, ...manifests])],
    };
  }

  load(adapter: string, options?: LoadOptions): Promise<LoadedAdapter> {
    return this.#call(options, loadRules, async (own) => {
      checkArgument(adapter, text, 'adapter');
      const loaded = await untilAborted(this.#living(), own.signal);
      const manifest = await loadAdapter(loaded, adapter, { ...this.#options, ...own }, (warning) => {
        if (!this.info().warnings.some(({ message }) => message === warning.message)) this.#warnings.push(warning);
      });
      return told(manifest);
    });
  }

  unload(id: string): Promise<void> {
    return this.#call(undefined, { signal: createRules.signal }, async () => {
      checkArgument(id, text, 'id');
      const { residents } = this.#loaded;
      const ids = residents.all.map(({ manifest }) => manifest.id);
      if (residents.remove(id)) return;
      throw new MettleError('not-found', `No adapter "${id}" is loaded.${didYouMean(id, ids)}`, {
        hint: `There is ${ids.join(', ') || 'none'}.`,
      });
    });
  }

  memory(): MemoryUse {
    return this.#loaded.residents.memory();
  }

  localize(source: ClipSource, options?: TaskOptions): Promise<LocalizationResult> {
    return this.#one('localize', source, options);
  }

  parse(source: ClipSource, options?: TaskOptions): Promise<ParsingResult> {
    return this.#one('parse', source, options);
  }

  segment(source: ClipSource, options?: TaskOptions): Promise<SegmentationResult> {
    return this.#one('segment', source, options);
  }

  analyze(source: ClipSource, options?: AnalyzeOptions): Promise<Analysis> {
    return this.#call(options, analyzeRules, (own) => {
      const { tasks } = own;
      const choose = (all: readonly Resident[]) => (tasks ? tasks.flatMap((task) => adaptersFor(task, all)) : all);
      return this.#analyze(source, choose, own);
    });
  }

  embed(source: ClipSource, options?: EmbedOptions): Promise<Embedding> {
    return this.#call(options, embedRules, async (own) => {
      const choose = (all: readonly Resident[]) => [adapterFor(own.adapter, all)];
      const { loaded, residents, release } = await this.#take(choose, own.signal);
      try {
        await using clip = await this.#workshop.openClip(source, own);
        return await embedClip(loaded, clip, residents[0]!, own);
      } finally {
        release();
      }
    });
  }

  async *watch(source: LiveSource, options: WatchOptions = {}): AsyncGenerator<Moment, void, undefined> {
    if (this.#disposed) throw this.#disposed;
    checkOptions(options, watchRules);
    const { signal, hop = 0.5, context = 10, begin = 0.5, end = 1, tasks, unfamiliar } = options;
    try {
      yield* eachThroughDoor(signal, this.#moments(source, { signal, hop, context, begin, end, tasks, unfamiliar }));
    } catch (error) {
      throw this.#disposed ?? error;
    }
  }

  async dispose(): Promise<void> {
    this.#disposed ??= new MettleError('disposed', 'The Mettle was disposed.', {
      hint: 'Create a new one with createMettle().',
    });
    this.#workshop.dispose(this.#disposed);
    await this.#loaded.engine.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #one<T extends Task>(
    task: T,
    source: ClipSource,
    options: TaskOptions | undefined,
  ): Promise<Extract<TaskResult, { task: T }>> {
    return this.#call(options, taskRules, async ({ adapter, ...own }) => {
      const { results } = await this.#analyze(
        source,
        (all) => [adapterFor(adapter, adaptersFor(task, all), task)],
        own,
      );
      return results[0] as Extract<TaskResult, { task: T }>;
    });
  }

  /** What every call has in common: its options are checked, and whatever fails because of `dispose` says so. */
  async #call<O extends { signal?: AbortSignal }, T>(
    options: O | undefined,
    rules: Rules<O>,
    work: (own: O) => Promise<T>,
  ): Promise<T> {
    if (this.#disposed) throw this.#disposed;
    checkOptions(options, rules);
    const own = callersOwn(options ?? ({} as O));
    try {
      return await throughDoor(own.signal, async () => await work(own));
    } catch (error) {
      throw this.#disposed ?? error;
    }
  }

  async #analyze(
    source: ClipSource,
    choose: (all: readonly Resident[]) => readonly Resident[],
    options: AnalyzeOptions,
  ): Promise<Analysis> {
    const { loaded, residents, release } = await this.#take(choose, options.signal);
    try {
      await using clip = await this.#workshop.openClip(source, options);
      return await analyzeClip(loaded, clip, residents, options);
    } finally {
      release();
    }
  }

  /** An engine with what a call needs of it. Without a wait where there is nothing to wait for: what is unloaded after the call was made is still this call's. */
  async #take(
    choose: (all: readonly Resident[]) => readonly Resident[],
    signal: AbortSignal | undefined,
  ): Promise<Taken> {
    const loaded = this.#loaded.engine.ended ? await untilAborted(this.#living(), signal) : this.#loaded;
    const residents = choose(loaded.residents.all);
    return { loaded, residents, release: await loaded.residents.acquire(residents, signal) };
  }

  async *#moments(
    source: LiveSource,
    { signal, tasks, unfamiliar, ...plan }: WatchOptions & Pick<WatchPlan, 'hop' | 'context' | 'begin' | 'end'>,
  ): AsyncGenerator<Moment, void, undefined> {
    const feeds = openFeeds(source);
    const choose = (all: readonly Resident[]) => (tasks ? tasks.flatMap((task) => adaptersFor(task, all)) : all);
    const taken = await this.#take(choose, signal);
    const adapters = taken.residents.map(({ manifest }) => manifest);
    const again = () =>
      this.#take((all) => adapters.map(({ task, id }) => adapterFor(id, adaptersFor(task, all), task)), signal);
    const format = formatOf(taken.loaded.backbone);
    const warnings: Warning[] = [];
    const warn = (warning: Warning): void => addWarning(warnings, warning);
    const input = await this.#workshop.openLive(format, warn, signal).catch((error: unknown) => {
      taken.release();
      throw error;
    });
    yield* moments({ ...plan, adapters, feeds, input, unfamiliar, warnings, taken, again, signal });
  }

  /** The engine; loaded again if its worker ended since. */
  async #living(): Promise<LoadedEngine> {
    if (!this.#loaded.engine.ended) return this.#loaded;
    const adapters = this.#loaded.residents.all.map(({ location }) => location);
    this.#reloading ??= loadEngine(this.#workshop, { ...this.#options, adapters }).finally(() => {
      this.#reloading = null;
    });
    const loaded = await this.#reloading;
    if (this.#disposed) await loaded.engine.dispose();
    this.#loaded = loaded;
    return loaded;
  }
}

const told = ({ id, version, task }: AdapterManifest): LoadedAdapter => ({ id, version, task });

/** Of those that fit a call, the one that it names, or the first; `task` says in messages what they are for. */
function adapterFor(id: string | undefined, candidates: readonly Resident[], task?: Task): Resident {
  const chosen = id === undefined ? candidates[0] : candidates.find(({ manifest }) => manifest.id === id);
  if (chosen) return chosen;
  const ids = candidates.map(({ manifest }) => manifest.id);
  const named = id === undefined ? '' : ` "${id}"`;
  const meant = id === undefined ? '' : didYouMean(id, ids);
  throw new MettleError('not-found', `No adapter${named}${task ? ` for ${task}` : ''} is loaded.${meant}`, {
    hint: `There is ${ids.join(', ') || 'none'}; others are named in createMettle({ adapters: [...] }) or mettle.load().`,
  });
}

function adaptersFor(task: Task, all: readonly Resident[]): Resident[] {
  const found = all.filter(({ manifest }) => manifest.task === task);
  if (found.length > 0) return found;
  const loaded = all.map(({ manifest }) => `"${manifest.id}" (${manifest.task})`).join(', ') || 'none';
  throw new MettleError('not-found', `No adapter for ${task} is loaded; loaded: ${loaded}.`, {
    hint: `Name one in createMettle({ adapters: [...] }) or mettle.load().`,
  });
}
