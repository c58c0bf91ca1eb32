/** A batch on this machine: processes that take film after film, what is there already passed over, what fails kept apart. */
import { MettleError } from '../../errors.ts';
import { type Film, filmMark } from './film.ts';
import type { Outputs } from './folder-outputs.ts';
import type { FilmDone, FilmPlan } from './worker-messages.ts';
import { WorkerProcess } from './worker-process.ts';

export type Outcome =
  | { film: Film; state: 'made'; done: FilmDone }
  | { film: Film; state: 'there' }
  | { film: Film; state: 'failed'; error: MettleError };

export type BatchRun = {
  films: readonly Film[];
  workers: number;
  plan: FilmPlan;
  outputs: Outputs;
  signal?: AbortSignal;
  /** Once per film, in the order in which they end. */
  onOutcome: (outcome: Outcome) => void;
  /** A second of some film more is analyzed. */
  onSecond?: () => void;
};

/** How often a film is tried whose process ends. */
const mostTries = 2;

/**
 * Returns when every film has its outcome. A film that cannot be read does not keep the others; models that cannot be loaded, and outputs that cannot be
 * written, end the batch.
 * @throws MettleError of those, or the signal's reason; no process is left then
 */
export async function runBatch(run: BatchRun): Promise<void> {
  const stop = new AbortController();
  const abort = (): void => stop.abort(run.signal!.reason);
  if (run.signal?.aborted) abort();
  run.signal?.addEventListener('abort', abort, { once: true });
  const rest = run.films.values();
  const first = new FirstLoad();
  const lanes = Array.from({ length: Math.max(1, run.workers) }, async () => {
    const lane = new Lane({ ...run, signal: stop.signal }, first);
    try {
      for (const film of rest) run.onOutcome(await lane.outcomeOf(film));
    } catch (error) {
      stop.abort(error);
      throw error;
    } finally {
      await lane.close();
    }
  });
  const ends = await Promise.allSettled(lanes);
  run.signal?.removeEventListener('abort', abort);
  if (stop.signal.aborted) throw stop.signal.reason;
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** The first process loads alone, so that what has to be downloaded is downloaded once. */
class FirstLoad {
  #first: Promise<unknown> | null = null;

  async after<T>(load: () => Promise<T>): Promise<T> {
    await this.#first?.catch(() => {});
    const loading = load();
    this.#first ??= loading;
    return await loading;
  }
}

/** One film after the other. The process is started for the first film that has to be made. */
class Lane {
  readonly #run: BatchRun & { signal: AbortSignal };
  readonly #first: FirstLoad;
  #worker: WorkerProcess | null = null;

  constructor(run: BatchRun & { signal: AbortSignal }, first: FirstLoad) {
    this.#run = run;
    this.#first = first;
  }

  async outcomeOf(film: Film): Promise<Outcome> {
    const { plan, outputs, signal } = this.#run;
    signal.throwIfAborted();
    try {
      const mark = await filmMark(film, signal);
      if (await outputs.has(film, { film: film.address, mark, recipe: plan.recipe }, signal)) {
        return { film, state: 'there' };
      }
      return { film, state: 'made', done: await this.#make(film, mark) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MettleError) || error instanceof LoadError || error.code === 'write') throw error;
      return { film, state: 'failed', error };
    }
  }

  async close(): Promise<void> {
    await this.#worker?.close();
  }

  async #make(film: Film, mark: string): Promise<FilmDone> {
    const { signal, onSecond } = this.#run;
    const onProgress = (done: number): void => void (done > 0 && onSecond?.());
    for (let tries = 1; ; tries++) {
      const worker = await this.#alive();
      try {
        return await worker.analyze(film, mark, { signal, onProgress });
      } catch (error) {
        if (worker.alive || tries >= mostTries || signal.aborted) throw error;
      }
    }
  }

  async #alive(): Promise<WorkerProcess> {
    if (this.#worker?.alive) return this.#worker;
    const { plan, signal } = this.#run;
    this.#worker = await this.#first
      .after(() => WorkerProcess.start(plan, signal))
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw error instanceof MettleError ? new LoadError(error) : error;
      });
    return this.#worker;
  }
}

/** No film's fault: the next one would meet the same. */
class LoadError extends MettleError {
  constructor({ code, message, hint, cause }: MettleError) {
    super(code, message, { hint, cause });
  }
}
