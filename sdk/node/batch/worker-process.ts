/** A process that analyzes films, one at a time, and the end of it: a network or a decoder that takes the process with it costs one film, not the batch. */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { oneLine } from '../../contract/plain-text.ts';
import { type ErrorCode, MettleError } from '../../errors.ts';
import type { Film } from './film.ts';
import type { FilmDone, FilmPlan, FromProcess, Told, ToProcess } from './worker-messages.ts';

/** Milliseconds that a process is given to end by itself. */
const patience = 6000;
/** Characters of what it last wrote to stderr that are kept, to say why it ended. */
const lastWords = 2000;

type Progress = (done: number, total: number) => void;
type Waiting = { resolve(answer: FilmDone | null): void; reject(reason: unknown): void; onProgress?: Progress };

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #waiting: Waiting | null = null;
  #stderr = '';
  #gone: MettleError | null = null;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-lastWords);
    });
    child.on('message', (message: FromProcess) => this.#receive(message));
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#gone = this.#death(how);
        this.#settle(({ reject }) => reject(this.#gone));
        resolve();
      };
      child.on('error', (error) => end(error.message));
      child.on('close', (code, signal) => end(signal ?? `code ${code}`));
    });
  }

  /** Resolves when its models are loaded. Rejects with what loading threw, or the signal's reason; nothing is left running then. */
  static async start(plan: FilmPlan, signal?: AbortSignal): Promise<WorkerProcess> {
    signal?.throwIfAborted();
    const worker = new WorkerProcess(startScript());
    try {
      await worker.#ask({ type: 'plan', plan }, signal);
      return worker;
    } catch (error) {
      await worker.close();
      throw error;
    }
  }

  /** Whether it can take another film. */
  get alive(): boolean {
    return this.#gone === null;
  }

  /** Analyzes a film and writes its outputs. Rejects with a MettleError, `worker-died` where the process ended, or with the signal's reason; close it then. */
  async analyze(film: Film, mark: string, options: { signal?: AbortSignal; onProgress?: Progress }): Promise<FilmDone> {
    const done = await this.#ask({ type: 'film', film, mark }, options.signal, options.onProgress);
    return done!;
  }

  /** Waits until it has ended; what it was about to write is not written. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.send({ type: 'stop' } satisfies ToProcess, () => {});
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patience);
    await this.#ended;
    clearTimeout(timer);
  }

  async #ask(message: ToProcess, signal?: AbortSignal, onProgress?: Progress): Promise<FilmDone | null> {
    signal?.throwIfAborted();
    if (this.#gone) throw this.#gone;
    const { promise, resolve, reject } = withResolvers<FilmDone | null>();
    this.#waiting = { resolve, reject, onProgress };
    const onAbort = (): void => this.#settle((waiting) => waiting.reject(signal!.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    // A process that has ended meanwhile says so by its end.
    this.#child.send(message, () => {});
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #receive(message: FromProcess): void {
    if (message.type === 'progress') this.#waiting?.onProgress?.(message.done, message.total);
    else if (message.type === 'failed') this.#settle(({ reject }) => reject(errorOf(message.error)));
    else this.#settle(({ resolve }) => resolve(message.type === 'done' ? message.done : null));
  }

  #settle(how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) how(waiting);
  }

  #death(how: string): MettleError {
    const words = oneLine(this.#stderr.trim().split('\n').at(-1) ?? '');
    return new MettleError('worker-died', `The process that analyzed it ended (${how})${words && `: ${words}`}.`, {
      hint: 'SIGKILL is mostly the system running out of memory: try fewer --workers.',
    });
  }
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function errorOf({ code, message, hint }: Told): MettleError {
  return new MettleError(code as ErrorCode, message, { hint });
}

/** The bundle's own file; from the sources, by way of tsx, which reads TypeScript. */
function startScript(): ChildProcess {
  const inSources = import.meta.url.endsWith('.ts');
  const script = new URL(inSources ? './film-worker.ts' : './film-worker.js', import.meta.url);
  return fork(script, [], {
    execArgv: inSources ? ['--import', tsx()] : [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

const tsx = (): string =>
  new URL('dist/esm/index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))).href;
