/**
 * Where the work of one `Mettle` is done: one engine, and as many decoders as clips are open at a time. Both live in workers of their own, which are started when they
 * are first needed and again after one has ended; or, if the caller wants that, in the caller's thread.
 */
import { logicalCores, scriptOf, startWorker } from '#runtimes';
import { assetsHint } from '../contract/assets-hint.ts';
import { type Clip, type ClipSource, disposedClip, type SegmentFormat } from '../contract/clip.ts';
import type { LiveInput } from '../contract/live.ts';
import {
  callback,
  checkArgument,
  checkOptions,
  either,
  positive,
  type Rules,
  record,
  signal as signalRule,
  text,
} from '../contract/options.ts';
import { checkFormat, segmentsRules } from '../contract/segment-time.ts';
import { defaultStallSeconds, type WorkerFactory, type WorkerLike } from '../contract/worker.ts';
import { callersOwn, eachThroughDoor, throughDoor } from '../door.ts';
import type { Engine } from '../engine/types.ts';
import { MettleError, type Warning } from '../errors.ts';
import { handOver } from '../media/handed-source.ts';
import { DecodeWorker } from './decode-client.ts';
import { connectEngine, type WorkerEngine } from './engine-bridge.ts';
import type * as InThread from './in-thread.ts';

/** Where the work is done: which workers, started from where. */
export type WorkshopOptions = {
  /**
   * Page: URL of the folder that `mettle assets` wrote, with worker scripts, runtime and models. Default: what the plugin for bundlers says, else beside this
   * package's script.
   */
  assets?: string;
  /** `false` does all work in this thread. A function makes the module workers itself. Default: workers of this package. */
  worker?: false | WorkerFactory;
  /** Seconds without progress after which a decoder, or a cancelled call of the runtime, is ended. Default 20. */
  stallSeconds?: number;
};

export const workshopRules: Rules<WorkshopOptions> = {
  assets: text,
  worker: either(false, callback),
  stallSeconds: positive('a number of seconds'),
};

export interface Workshop {
  /** A fresh engine, with nothing loaded. */
  createEngine(): Promise<Engine & Partial<Pick<WorkerEngine, 'ended'>>>;
  /** As `openClip`; waits where as many clips are open as there are decoders. */
  openClip(source: ClipSource, options?: { signal?: AbortSignal }): Promise<Clip>;
  /** What prepares a running source; `warn` may get the same warning often. */
  openLive(format: SegmentFormat, warn: (warning: Warning) => void, signal?: AbortSignal): Promise<LiveInput>;
  /** Ends all decoders; engines are disposed of by themselves. Open clips and calls reject with `reason`. */
  dispose(reason: MettleError): void;
}

export function openWorkshop(options: WorkshopOptions): Workshop {
  return options.worker === false ? new OwnThread(options.assets) : new Workers(options);
}

/** Decoders that work at once: more than there are cores would only share them. */
const mostDecoders = (): number => Math.max(2, Math.min(8, logicalCores()));

class Workers implements Workshop {
  readonly #options: WorkshopOptions & { worker?: WorkerFactory };
  readonly #idle: DecodeWorker[] = [];
  readonly #busy = new Set<DecodeWorker>();
  readonly #waiting: (() => void)[] = [];
  #disposed: MettleError | null = null;

  constructor(options: WorkshopOptions) {
    this.#options = { ...options, worker: options.worker ? checked(options.worker) : undefined };
  }

  async createEngine(): Promise<WorkerEngine> {
    return connectEngine(startWorker('engine', this.#options), this.#options);
  }

  async openClip(source: ClipSource, { signal }: { signal?: AbortSignal } = {}): Promise<Clip> {
    const handed = await handOver(source, signal);
    const worker = await this.#take(signal);
    return await worker.open(handed, signal, () => this.#giveBack(worker));
  }

  async openLive(format: SegmentFormat, warn: (warning: Warning) => void, signal?: AbortSignal): Promise<LiveInput> {
    const worker = await this.#take(signal);
    return await worker.openLive(format, warn, signal, () => this.#giveBack(worker));
  }

  dispose(reason: MettleError): void {
    this.#disposed = reason;
    for (const worker of [...this.#idle.splice(0), ...this.#busy]) worker.end(reason);
    for (const go of this.#waiting.splice(0)) go();
  }

  /** A free decoder, or a new one; waits in line where all are at work. */
  async #take(signal: AbortSignal | undefined): Promise<DecodeWorker> {
    while (this.#busy.size >= mostDecoders() && !this.#disposed) await this.#turn(signal);
    if (this.#disposed) throw this.#disposed;
    let worker = this.#idle.pop();
    while (worker?.ended) worker = this.#idle.pop();
    worker ??= new DecodeWorker(
      startWorker('decode', this.#options),
      this.#options.stallSeconds ?? defaultStallSeconds,
    );
    this.#busy.add(worker);
    return worker;
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        const place = this.#waiting.indexOf(go);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal!.reason);
      };
      const go = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(go);
    });
  }

  #giveBack(worker: DecodeWorker): void {
    this.#busy.delete(worker);
    if (!worker.ended && !this.#disposed) this.#idle.push(worker);
    this.#waiting.shift()?.();
  }
}

/** A factory that gives something else than a worker is found here, not where it is first used. */
const checked =
  (make: WorkerFactory): WorkerFactory =>
  (script, name) => {
    const worker: WorkerLike = make(script, name);
    checkArgument(worker, workerLike, 'What options.worker returns');
    return worker;
  };

const workerLike = {
  expected: 'a worker',
  fits: (value: unknown) => record.fits(value) && typeof (value as WorkerLike).postMessage === 'function',
};

class OwnThread implements Workshop {
  readonly #assets: string | undefined;

  constructor(assets: string | undefined) {
    this.#assets = assets;
  }

  async createEngine(): Promise<Engine> {
    return (await this.#load()).createEngine();
  }

  async openClip(source: ClipSource, { signal }: { signal?: AbortSignal } = {}): Promise<Clip> {
    const { openHanded } = await this.#load();
    return await openHanded((await handOver(source, signal)).source, { signal });
  }

  async openLive(format: SegmentFormat, warn: (warning: Warning) => void): Promise<LiveInput> {
    return (await this.#load()).openLiveInput(format, warn);
  }

  dispose(): void {}

  /** By its address, so that no bundler draws demuxer and runtime into the page's own script. */
  async #load(): Promise<typeof InThread> {
    const script = scriptOf('in-thread', this.#assets);
    try {
      return await import(/* @vite-ignore */ /* webpackIgnore: true */ script.href);
    } catch (cause) {
      throw new MettleError('not-found', `${script} could not be loaded: ${(cause as Error).message}`, {
        hint: assetsHint,
        cause,
      });
    }
  }
}

const openRules: Rules<WorkshopOptions & { signal?: AbortSignal }> = { ...workshopRules, signal: signalRule };

/**
 * Opens a source in a decoder of its own, which ends with the clip.
 *
 * Throws `not-media`, `empty-media`, `unsupported-codec`, `invalid-argument`, `not-found`, `network`, `missing-package` (Node), `stalled`, `worker-died`, or
 * `signal.reason`.
 */
export async function openClip(
  source: ClipSource,
  options: WorkshopOptions & { signal?: AbortSignal } = {},
): Promise<Clip> {
  checkOptions(options, openRules);
  const { signal, ...rest } = callersOwn(options);
  return await throughDoor(signal, async () => {
    const workshop = openWorkshop(rest);
    const end = () => workshop.dispose(disposedClip());
    try {
      const clip = await workshop.openClip(source, { signal });
      const dispose = clip.dispose.bind(clip);
      const segments = clip.segments.bind(clip);
      return Object.assign(clip, {
        dispose: () => dispose().finally(end),
        segments(format: SegmentFormat, own: { signal?: AbortSignal } = {}) {
          checkFormat(format);
          checkOptions(own, segmentsRules);
          return eachThroughDoor(own.signal, segments(format, own));
        },
      });
    } catch (error) {
      end();
      throw error;
    }
  });
}
