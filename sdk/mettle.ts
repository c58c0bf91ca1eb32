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
import { checkOptions, type Rules, text } from './contract/options.ts';
import type { Task } from './contract/task.ts';
import { didYouMean } from './did-you-mean.ts';
import { callersOwn, eachThroughDoor, throughDoor } from './door.ts';
import { MettleError, type Warning } from './errors.ts';
import { openFeeds, type WatchOptions, watchRules } from './live/options.ts';
import { type Moment, moments, type WatchPlan } from './live/watch.ts';
import { type CreateOptions, createRules, type LoadedEngine, loadEngine } from './load.ts';
import type { LocalizationResult, ParsingResult, SegmentationResult, TaskResult } from './tasks/types.ts';
import { openWorkshop, type Workshop } from './work/workshop.ts';

/** What `localize`, `parse` and `segment` take. */
export type TaskOptions = CallOptions & {
  /** Which adapter answers, where several are loaded for one task. Default: the first. */
  adapter?: string;
};

/**
 * A backbone and adapters, loaded and warm. Own it with `await using`, or call `dispose()`. Calls may overlap; the engine takes them one second at a time. They reject
 * with a `MettleError`, with `signal.reason`, or with what a function of yours threw.
 */
export interface Mettle extends AsyncDisposable {
  /** Device, threads, variant, and why; models and versions. */
  info(): EngineInfo;
  /** Which event is both seen and heard, second by second. */
  localize(source: ClipSource, options?: TaskOptions): Promise<LocalizationResult>;
  /** Which events are heard, which are seen, which both, with start and end. */
  parse(source: ClipSource, options?: TaskOptions): Promise<ParsingResult>;
  /** Which pixels make the sound, one mask per second. */
  segment(source: ClipSource, options?: TaskOptions): Promise<SegmentationResult>;
  /** All loaded adapters, or those of some tasks, on one backbone pass. */
  analyze(source: ClipSource, options?: AnalyzeOptions): Promise<Analysis>;
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

class LoadedMettle implements Mettle {
  readonly #workshop: Workshop;
  readonly #options: CreateOptions;
  #loaded: LoadedEngine;
  #reloading: Promise<LoadedEngine> | null = null;
  #disposed: MettleError | null = null;

  constructor(workshop: Workshop, options: CreateOptions, loaded: LoadedEngine) {
    this.#workshop = workshop;
    // Signal and progress belonged to the first load.
    this.#options = { ...options, signal: undefined, onProgress: undefined };
    this.#loaded = loaded;
  }

  info(): EngineInfo {
    return this.#loaded.info;
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
      const chosen = own.tasks ? own.tasks.flatMap((task) => this.#adaptersFor(task)) : this.#loaded.adapters;
      return this.#analyze(source, chosen, own);
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
      const { results } = await this.#analyze(source, [this.#adapterFor(task, adapter)], own);
      return results[0] as Extract<TaskResult, { task: T }>;
    });
  }

  /** What every call has in common: its options are checked, and whatever fails because of `dispose` says so. */
  async #call<O extends CallOptions, T>(
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

  async #analyze(source: ClipSource, adapters: readonly AdapterManifest[], options: AnalyzeOptions): Promise<Analysis> {
    const loaded = await untilAborted(this.#living(), options.signal);
    await using clip = await this.#workshop.openClip(source, options);
    return await analyzeClip(loaded, clip, adapters, options);
  }

  async *#moments(
    source: LiveSource,
    { signal, tasks, unfamiliar, ...plan }: WatchOptions & Pick<WatchPlan, 'hop' | 'context' | 'begin' | 'end'>,
  ): AsyncGenerator<Moment, void, undefined> {
    const feeds = openFeeds(source);
    const { adapters, backbone } = await untilAborted(this.#living(), signal);
    const chosen = tasks ? tasks.flatMap((task) => this.#adaptersFor(task)) : adapters;
    const { visual, audio } = backbone.inputs;
    const format = { frame: { width: visual.width, height: visual.height }, sampleRate: audio.sampleRate };
    const warnings: Warning[] = [];
    const warn = (warning: Warning): void => {
      if (!warnings.some(({ code }) => code === warning.code)) warnings.push(warning);
    };
    const input = await this.#workshop.openLive(format, warn, signal);
    const living = (): Promise<LoadedEngine> => this.#living();
    yield* moments({ ...plan, adapters: chosen, feeds, input, unfamiliar, warnings, living, signal });
  }

  /** The engine; loaded again if its worker ended since. */
  async #living(): Promise<LoadedEngine> {
    if (!this.#loaded.engine.ended) return this.#loaded;
    this.#reloading ??= loadEngine(this.#workshop, this.#options).finally(() => {
      this.#reloading = null;
    });
    const loaded = await this.#reloading;
    if (this.#disposed) await loaded.engine.dispose();
    this.#loaded = loaded;
    return loaded;
  }

  #adapterFor(task: Task, id: string | undefined): AdapterManifest {
    const candidates = this.#adaptersFor(task);
    const chosen = id === undefined ? candidates[0] : candidates.find((adapter) => adapter.id === id);
    if (chosen) return chosen;
    const ids = candidates.map((adapter) => adapter.id);
    const meant = didYouMean(id!, ids);
    throw new MettleError('not-found', `No adapter "${id}" for ${task} is loaded.${meant}`, {
      hint: `There is ${ids.join(', ')}; others are named in createMettle({ adapters: [...] }).`,
    });
  }

  #adaptersFor(task: Task): AdapterManifest[] {
    const { adapters } = this.#loaded;
    const found = adapters.filter((adapter) => adapter.task === task);
    if (found.length > 0) return found;
    const loaded = adapters.map(({ id, task: other }) => `"${id}" (${other})`).join(', ') || 'none';
    throw new MettleError('not-found', `No adapter for ${task} is loaded; loaded: ${loaded}.`, {
      hint: `Name one in createMettle({ adapters: [...] }).`,
    });
  }
}
