/** The public API: `createMettle`, and what it gives. */

import { untilAborted } from './abort.ts';
import { type Analysis, type AnalyzeOptions, analyzeClip, type CallOptions } from './analyze.ts';
import type { ClipSource } from './contract/clip.ts';
import type { EngineInfo } from './contract/engine-info.ts';
import type { AdapterManifest } from './contract/manifest.ts';
import type { Task } from './contract/task.ts';
import { MettleError } from './errors.ts';
import { type CreateOptions, type LoadedEngine, loadEngine } from './load.ts';
import type { LocalizationResult, ParsingResult, SegmentationResult, TaskResult } from './tasks/types.ts';
import { openWorkshop, type Workshop } from './work/workshop.ts';

/** What `localize`, `parse` and `segment` take. */
export type TaskOptions = CallOptions & {
  /** Which adapter answers, where several are loaded for one task. Default: the first. */
  adapter?: string;
};

/** A backbone and adapters, loaded and warm. Own it with `await using`, or call `dispose()`. Calls may overlap; the engine takes them one second at a time. */
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
  /** Frees models, GPU buffers and the worker; open calls reject with `disposed`. */
  dispose(): Promise<void>;
}

/**
 * Loads a backbone and adapters on the best device there is.
 *
 * Throws `not-found`, `network`, `integrity`, `invalid-file`, `incompatible`, `device`, `invalid-argument`, or `signal.reason`.
 *
 * @example
 * await using mettle = await createMettle({ adapters: ['toybox-ave'] });
 * const { events } = await mettle.localize(file);
 * for (const { label, start, end } of events) console.log(label, start, end);
 */
export async function createMettle(options: CreateOptions = {}): Promise<Mettle> {
  const workshop = openWorkshop(options);
  const loaded = await loadEngine(workshop, options);
  return new LoadedMettle(workshop, options, loaded);
}

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

  localize(source: ClipSource, options: TaskOptions = {}): Promise<LocalizationResult> {
    return this.#one('localize', source, options);
  }

  parse(source: ClipSource, options: TaskOptions = {}): Promise<ParsingResult> {
    return this.#one('parse', source, options);
  }

  segment(source: ClipSource, options: TaskOptions = {}): Promise<SegmentationResult> {
    return this.#one('segment', source, options);
  }

  async analyze(source: ClipSource, options: AnalyzeOptions = {}): Promise<Analysis> {
    const { tasks } = options;
    const chosen = tasks ? tasks.flatMap((task) => this.#adaptersFor(task)) : this.#loaded.adapters;
    return await this.#analyze(source, chosen, options);
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

  async #one<T extends Task>(
    task: T,
    source: ClipSource,
    { adapter, ...options }: TaskOptions,
  ): Promise<Extract<TaskResult, { task: T }>> {
    const candidates = this.#adaptersFor(task);
    const chosen = adapter === undefined ? candidates[0] : candidates.find(({ id }) => id === adapter);
    if (!chosen) {
      const ids = candidates.map(({ id }) => `"${id}"`).join(', ');
      throw new MettleError('not-found', `No adapter "${adapter}" for ${task} is loaded; there is ${ids}.`);
    }
    const { results } = await this.#analyze(source, [chosen], options);
    return results[0] as Extract<TaskResult, { task: T }>;
  }

  async #analyze(source: ClipSource, adapters: readonly AdapterManifest[], options: AnalyzeOptions): Promise<Analysis> {
    if (this.#disposed) throw this.#disposed;
    try {
      const loaded = await untilAborted(this.#living(), options.signal);
      await using clip = await this.#workshop.openClip(source, options);
      return await analyzeClip(loaded, clip, adapters, options);
    } catch (error) {
      throw this.#disposed ?? error;
    }
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
