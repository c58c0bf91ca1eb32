/** The engine across a worker. */
import * as Comlink from 'comlink';
import type { DeviceRequest } from '../contract/device.ts';
import type { EngineInfo } from '../contract/engine-info.ts';
import type { AdapterManifest } from '../contract/manifest.ts';
import type { AdapterOutputs, ModelPackage } from '../contract/model.ts';
import { defaultStallSeconds, type StartedWorker } from '../contract/worker.ts';
import type { DeviceChoice, Engine, EngineLoad, EngineProgress, EngineSegment } from '../engine/types.ts';
import { MettleError, type Warning } from '../errors.ts';
import { type Outcome, ownedBuffers, Remote, settle } from './remote.ts';

type OnProgress = (progress: EngineProgress) => void;
type RemoteProgress = ((progress: EngineProgress) => Promise<void>) & Partial<Comlink.ProxyMethods>;
type Results = Record<string, AdapterOutputs>;

/** The engine as it looks through the wire: answers that never throw. */
type Host = {
  chooseDevice(request: DeviceRequest): Promise<Outcome<DeviceChoice>>;
  load(request: EngineLoad, onProgress: RemoteProgress | null): Promise<Outcome<EngineInfo>>;
  add(
    key: string,
    adapter: ModelPackage<AdapterManifest>,
    onProgress: RemoteProgress | null,
  ): Promise<Outcome<Warning[]>>;
  remove(key: string): Promise<Outcome<void>>;
  begin(keys: string[]): Promise<Outcome<number>>;
  push(run: number, segment: EngineSegment): Promise<Outcome<Results>>;
  beginLive(keys: string[], seconds: number): Promise<Outcome<number>>;
  look(run: number, segment: EngineSegment, end: number): Promise<Outcome<Results>>;
  finish(run: number): Promise<Outcome<Results>>;
  embed(key: string, segment: EngineSegment): Promise<Outcome<AdapterOutputs>>;
  cancel(run: number): Promise<Outcome<void>>;
};

/** An engine in a worker, which may end before it is disposed. */
export interface WorkerEngine extends Engine {
  /** Why it can be called no more; null while it can. */
  readonly ended: MettleError | null;
}

export type ConnectOptions = {
  /** A cancelled run that the worker has not answered for after so many seconds hangs in the runtime: the worker is ended. Default 20. */
  stallSeconds?: number;
};

/**
 * The engine that {@link exposeEngine} put at the other end, whose worker ends with it. `load` and `add` give the bytes of the model files away: their buffers are detached
 * afterwards. Calls reject with `worker-died` once the worker failed or was terminated, and with `disposed` after `dispose`.
 */
export function connectEngine(worker: StartedWorker, options: ConnectOptions = {}): WorkerEngine {
  return new RemoteEngine(worker, options.stallSeconds ?? defaultStallSeconds);
}

/** Answers the calls of {@link connectEngine} at the other end of `endpoint` with `engine`. Outputs are transferred, not copied. */
export function exposeEngine(engine: Engine, endpoint: Comlink.Endpoint): void {
  const host: Host = {
    chooseDevice: (request) => settle(engine.chooseDevice(request)),
    load: (request, onProgress) => reporting(onProgress, (report) => engine.load(request, report)),
    add: (key, adapter, onProgress) => reporting(onProgress, (report) => engine.add(key, adapter, report)),
    remove: (key) => settle(engine.remove(key)),
    begin: (keys) => settle(engine.begin(keys)),
    push: async (run, segment) => transferred(await settle(engine.push(run, segment))),
    beginLive: (keys, seconds) => settle(engine.beginLive(keys, seconds)),
    look: async (run, segment, end) => transferred(await settle(engine.look(run, segment, end))),
    finish: async (run) => transferred(await settle(engine.finish(run))),
    embed: (key, segment) => settle(engine.embed(key, segment)),
    cancel: (run) => settle(engine.cancel(run)),
  };
  Comlink.expose(host, endpoint);
}

/** The outcome of a call once all its reports have arrived. */
async function reporting<T>(
  onProgress: RemoteProgress | null,
  call: (report: OnProgress) => Promise<T>,
): Promise<Outcome<T>> {
  const reports: Promise<void>[] = [];
  const outcome = await settle(
    call((progress) => {
      if (onProgress) reports.push(onProgress(progress));
    }),
  );
  await Promise.all(reports);
  onProgress?.[Comlink.releaseProxy]?.();
  return outcome;
}

class RemoteEngine implements WorkerEngine {
  readonly #remote: Remote<Host>;
  readonly #stallSeconds: number;

  constructor(worker: StartedWorker, stallSeconds: number) {
    this.#remote = new Remote<Host>(worker, 'The worker of the engine');
    this.#stallSeconds = stallSeconds;
  }

  get ended(): MettleError | null {
    return this.#remote.ended;
  }

  chooseDevice(request: DeviceRequest): Promise<DeviceChoice> {
    return this.#remote.call((host) => host.chooseDevice(request));
  }

  load(request: EngineLoad, onProgress?: OnProgress): Promise<EngineInfo> {
    return this.#sendModels(request, [request.backbone, ...request.adapters], (host, sent) =>
      host.load(sent, onProgress ? proxyOf(onProgress) : null),
    );
  }

  add(key: string, adapter: ModelPackage<AdapterManifest>, onProgress?: OnProgress): Promise<Warning[]> {
    return this.#sendModels(adapter, [adapter], (host, sent) =>
      host.add(key, sent, onProgress ? proxyOf(onProgress) : null),
    );
  }

  remove(key: string): Promise<void> {
    return this.#remote.call((host) => host.remove(key));
  }

  begin(keys: string[]): Promise<number> {
    return this.#remote.call((host) => host.begin(keys));
  }

  /** Frame and sound are given away where they are alone in their buffers. */
  push(run: number, segment: EngineSegment): Promise<Results> {
    return this.#remote.call((host) => host.push(run, given(segment)));
  }

  beginLive(keys: string[], seconds: number): Promise<number> {
    return this.#remote.call((host) => host.beginLive(keys, seconds));
  }

  /** As `push`. */
  look(run: number, segment: EngineSegment, end: number): Promise<Results> {
    return this.#remote.call((host) => host.look(run, given(segment), end));
  }

  finish(run: number): Promise<Results> {
    return this.#remote.call((host) => host.finish(run));
  }

  /** As `push`. */
  embed(key: string, segment: EngineSegment): Promise<AdapterOutputs> {
    return this.#remote.call((host) => host.embed(key, given(segment)));
  }

  /** Does not wait for a runtime that hangs: the worker is ended for it. */
  async cancel(run: number): Promise<void> {
    if (this.ended) return;
    const message = `The runtime did not come back within ${this.#stallSeconds} s after its call was cancelled.`;
    const hint = 'The next call starts a fresh worker.';
    const timer = setTimeout(
      () => this.#remote.end(new MettleError('worker-died', message, { hint })),
      this.#stallSeconds * 1000,
    );
    this.#remote
      .call((host) => host.cancel(run))
      .catch(() => {})
      .finally(() => clearTimeout(timer));
  }

  /** Gives the bytes of files away where they are alone in their buffers. */
  #sendModels<M extends object, T>(
    message: M,
    models: readonly Pick<ModelPackage<AdapterManifest>, 'files'>[],
    send: (host: Comlink.Remote<Host>, sent: M) => Promise<unknown>,
  ): Promise<T> {
    const files = models.flatMap((model) => Object.values(model.files));
    if (files.some((file) => file.byteLength === 0)) {
      const message = 'A model file holds no bytes: it is empty, or was given to a load before, which keeps the bytes.';
      return Promise.reject(new MettleError('invalid-argument', message, { hint: 'Read the model files again.' }));
    }
    const sent = Comlink.transfer(message, ownedBuffers(files));
    return this.#remote.call((host) => send(host, sent));
  }

  async dispose(): Promise<void> {
    this.#remote.end(new MettleError('disposed', 'The engine was disposed.', { hint: 'Create a new engine.' }));
  }
}

/** Given away where it is alone in its buffers. */
function given({ frame, pcm }: EngineSegment): EngineSegment {
  return Comlink.transfer({ frame, pcm }, ownedBuffers([frame?.data, pcm].filter((view) => view != null)));
}

/** A function of its own for each call: comlink marks what it proxies. */
function proxyOf(onProgress: OnProgress): RemoteProgress & Comlink.ProxyMarked {
  return Comlink.proxy(async (progress: EngineProgress) => onProgress(progress));
}

function transferred(outcome: Outcome<Results>): Outcome<Results> {
  if ('error' in outcome) return outcome;
  const arrays = Object.values(outcome.value).flatMap((outputs) => Object.values(outputs).map(({ data }) => data));
  return Comlink.transfer(outcome, ownedBuffers(arrays));
}
