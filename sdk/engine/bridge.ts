/**
 * The engine across a worker: comlink, and the three things that it lacks. Errors cross whole, open calls end when the worker dies, and progress callbacks are
 * released after the call. Comlink's own table of handlers, which other code of the page may share, is left as it is.
 */
import * as Comlink from 'comlink';
import { MettleError } from '../errors.ts';
import type { AdapterOutputs, Engine, EngineInfo, EngineLoad, EngineProgress, EngineSegment } from './types.ts';
import { fromWireError, toWireError, type WireError } from './wire-error.ts';

type Outcome<T> = { value: T } | { error: WireError };
type OnProgress = (progress: EngineProgress) => void;
type RemoteProgress = ((progress: EngineProgress) => Promise<void>) & Partial<Comlink.ProxyMethods>;
type Results = Record<string, AdapterOutputs>;

/** The engine as it looks through the wire: answers that never throw. */
type Host = {
  load(request: EngineLoad, onProgress: RemoteProgress | null): Promise<Outcome<EngineInfo>>;
  begin(adapterIds: string[]): Promise<Outcome<number>>;
  push(run: number, segment: EngineSegment): Promise<Outcome<Results>>;
  finish(run: number): Promise<Outcome<Results>>;
  cancel(run: number): Promise<Outcome<void>>;
  dispose(): Promise<Outcome<void>>;
};

export type ConnectOptions = {
  /** True if the worker was made for this engine: `dispose` then ends it. */
  owned?: boolean;
  /** Makes `runtimePath` absolute on this side, because the worker has another base. */
  resolveRuntimePath?: (path: string) => string;
};

/**
 * The engine that {@link exposeEngine} put at the other end. `load` gives the bytes of the model files away: their buffers are detached afterwards.
 * Calls reject with `worker-died` once the worker failed, was terminated or closed its port, and with `disposed` after `dispose`.
 */
export function connectEngine(endpoint: Worker | MessagePort, options: ConnectOptions = {}): Engine {
  return new RemoteEngine(endpoint, options);
}

/** Answers the calls of {@link connectEngine} at the other end of `endpoint` with `engine`. Outputs are transferred, not copied. */
export function exposeEngine(engine: Engine, endpoint: Comlink.Endpoint): void {
  const host: Host = {
    async load(request, onProgress) {
      const reports: Promise<void>[] = [];
      const report = (progress: EngineProgress) => {
        if (onProgress) reports.push(onProgress(progress));
      };
      const outcome = await settle(engine.load(request, report));
      await Promise.all(reports);
      onProgress?.[Comlink.releaseProxy]?.();
      return outcome;
    },
    begin: (adapterIds) => settle(engine.begin(adapterIds)),
    push: async (run, segment) => transferred(await settle(engine.push(run, segment))),
    finish: async (run) => transferred(await settle(engine.finish(run))),
    cancel: (run) => settle(engine.cancel(run)),
    dispose: () => settle(engine.dispose()),
  };
  Comlink.expose(host, endpoint);
}

class RemoteEngine implements Engine {
  readonly #endpoint: Worker | MessagePort;
  readonly #host: Comlink.Remote<Host>;
  readonly #options: ConnectOptions;
  readonly #open = new Set<(reason: MettleError) => void>();
  #ended: MettleError | null = null;

  constructor(endpoint: Worker | MessagePort, options: ConnectOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#host = Comlink.wrap<Host>(endpoint);
    this.#watch();
  }

  load(request: EngineLoad, onProgress?: OnProgress): Promise<EngineInfo> {
    const { runtimePath } = request;
    const files = fileViews(request);
    if (files.some((file) => file.byteLength === 0)) {
      const message = 'A model file holds no bytes: it is empty, or was given to a load before, which keeps the bytes.';
      return Promise.reject(new MettleError('invalid-argument', message, { hint: 'Read the model files again.' }));
    }
    const resolved = runtimePath === undefined ? runtimePath : this.#options.resolveRuntimePath?.(runtimePath);
    const sent = Comlink.transfer({ ...request, runtimePath: resolved ?? runtimePath }, ownedBuffers(files));
    return this.#call(() => this.#host.load(sent, onProgress ? proxyOf(onProgress) : null));
  }

  begin(adapterIds: string[]): Promise<number> {
    return this.#call(() => this.#host.begin(adapterIds));
  }

  push(run: number, segment: EngineSegment): Promise<Results> {
    return this.#call(() => this.#host.push(run, segment));
  }

  finish(run: number): Promise<Results> {
    return this.#call(() => this.#host.finish(run));
  }

  async cancel(run: number): Promise<void> {
    if (!this.#ended) await this.#call(() => this.#host.cancel(run));
  }

  async dispose(): Promise<void> {
    if (this.#ended) return;
    this.#end(new MettleError('disposed', 'The engine was disposed.', { hint: 'Create a new engine.' }));
    if (this.#options.owned) (this.#endpoint as Worker).terminate();
    else await this.#send(() => this.#host.dispose()).catch(() => {});
  }

  #call<T>(send: () => Promise<unknown>): Promise<T> {
    return this.#ended ? Promise.reject(this.#ended) : this.#send<T>(send);
  }

  /** Promises of comlink hang when the worker dies: each call also waits for the end. */
  #send<T>(send: () => Promise<unknown>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#open.add(reject);
      send()
        .then((outcome) => openOutcome(outcome as Outcome<T>))
        .then(resolve, reject)
        .finally(() => this.#open.delete(reject));
    });
  }

  #end(reason: MettleError): void {
    this.#ended ??= reason;
    for (const reject of this.#open) reject(reason);
    this.#open.clear();
  }

  #watch(): void {
    const die = (what: string, cause?: unknown) => {
      this.#end(
        new MettleError('worker-died', `The worker of the engine ${what}.`, {
          hint: 'Create a new engine; if it never starts, check that worker.js is served beside the bundle and that the CSP allows worker-src.',
          cause,
        }),
      );
    };
    this.#endpoint.addEventListener('error', (event) => {
      const { message = '', error } = event as ErrorEvent;
      event.preventDefault();
      die(message ? `failed: ${message}` : 'failed or could not be started', error);
      if (this.#options.owned) (this.#endpoint as Worker).terminate();
    });
    this.#endpoint.addEventListener('messageerror', () => die('sent a message that cannot be read'));
    this.#endpoint.addEventListener('close', () => die('closed its port'));
    if ('terminate' in this.#endpoint) onTerminate(this.#endpoint, () => die('was terminated'));
  }
}

/** A worker tells nobody that it was terminated, so its own `terminate` is wrapped. */
function onTerminate(worker: Worker, ended: () => void): void {
  const terminate = worker.terminate.bind(worker);
  worker.terminate = () => {
    terminate();
    ended();
  };
}

/** A function of its own for each call: comlink marks what it proxies. */
function proxyOf(onProgress: OnProgress): RemoteProgress & Comlink.ProxyMarked {
  return Comlink.proxy(async (progress: EngineProgress) => onProgress(progress));
}

function fileViews({ backbone, adapters }: EngineLoad): Uint8Array<ArrayBuffer>[] {
  return [backbone, ...adapters].flatMap((model) => Object.values(model.files));
}

function transferred(outcome: Outcome<Results>): Outcome<Results> {
  if ('error' in outcome) return outcome;
  const arrays = Object.values(outcome.value).flatMap((outputs) => Object.values(outputs).map(({ data }) => data));
  return Comlink.transfer(outcome, ownedBuffers(arrays));
}

/** The buffers that hold one of `views` and nothing else. */
function ownedBuffers(views: (Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>)[]): ArrayBuffer[] {
  return [...new Set(views.filter((view) => view.byteLength === view.buffer.byteLength).map((view) => view.buffer))];
}

async function settle<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call };
  } catch (error) {
    return { error: toWireError(error) };
  }
}

function openOutcome<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw fromWireError(outcome.error);
  return outcome.value;
}
