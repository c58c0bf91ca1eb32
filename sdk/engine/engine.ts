/**
 * The engine of this thread: loads models on the best device, runs clips second by second, and answers with named arrays. It knows no classes, no tasks and
 * no workers; `bridge.ts` puts it behind one.
 */
import type { Device, DeviceRequest } from '../contract/device.ts';
import type { EngineInfo } from '../contract/engine-info.ts';
import type { AdapterManifest } from '../contract/manifest.ts';
import type { AdapterOutputs, ModelPackage, VariantName } from '../contract/model.ts';
import type { Runtime, Runtimes } from '../contract/runtime.ts';
import { MettleError, type Warning } from '../errors.ts';
import { checkLoad, checkSegment } from './check.ts';
import { checkKept, clipOutputs, emptyTokens, keepTokens, newestOutputs } from './kept.ts';
import { LoadedModels } from './models.ts';
import { RuntimeQueue } from './queue.ts';
import { RecentLooks } from './recent.ts';
import type { DeviceChoice, Engine, EngineLoad, EngineProgress, EngineSegment } from './types.ts';
import { untrainedWarnings } from './untrained.ts';
import { type AnyManifest, chooseVariant, graphsOf, missingFiles, variantOf } from './variant.ts';

type Loaded = { request: EngineLoad; runtime: Runtime; variant: VariantName; models: LoadedModels };
/** What a run keeps, by the adapter's key and output name: one row per second. Tokens only, never frames or taps: 12 tokens of 768 floats make 36 KiB per second. */
type Run = { segments: number; kept: Map<string, Map<string, Float32Array[]>> };
/** What a live run keeps, by adapter. */
type LiveRun = { recent: Map<string, RecentLooks> };
type OnProgress = (progress: EngineProgress) => void;

/** Runs in the thread that creates it, on one of the platform's runtimes. */
export class LocalEngine implements Engine {
  readonly #runtimes: Runtimes;
  readonly #queue = new RuntimeQueue();
  readonly #runs = new Map<number, Run>();
  readonly #live = new Map<number, LiveRun>();
  #loaded: Loaded | null = null;
  #lastRun = 0;

  constructor(runtimes: Runtimes) {
    this.#runtimes = runtimes;
  }

  async chooseDevice(request: DeviceRequest): Promise<DeviceChoice> {
    const device = await this.#runtimes.chooseDevice(request);
    const half = await this.#runtimes.hasHalf(device);
    return { device, half, runtimeBytes: this.#runtimes.bytesToLoad(device) };
  }

  /**
   * Replaces what was loaded before and ends its runs. With device `auto` a GPU that fails is given up for WASM if the packages hold that variant too;
   * if they do not, rejects with `device`: download the `wasm` variant and load again. Rejects with `device` also where the device asked for cannot be had.
   */
  load(request: EngineLoad, onProgress: OnProgress = () => {}): Promise<EngineInfo> {
    return this.#queue.run(async () => {
      checkLoad(request);
      await this.#unload();
      return await this.#loadOnBestDevice(request, onProgress);
    });
  }

  add(key: string, adapter: ModelPackage<AdapterManifest>, onProgress: OnProgress = () => {}): Promise<Warning[]> {
    return this.#queue.run(async () => {
      const { models, request, variant } = this.#requireLoaded();
      checkLoad({ ...request, adapters: [adapter] });
      const absent = absentFiles([adapter], variant);
      if (absent) throw absent;
      const own = graphsOf(adapter.manifest, variant).length;
      const done = { load: 0, warmup: 0 };
      // The backbone's two passes are run again, for taps that nobody read before.
      const total = { load: own, warmup: own + 2 };
      const alike = await models.add(key, adapter, (phase) =>
        onProgress({ phase, done: ++done[phase], total: total[phase] }),
      );
      return otherWeights(request, alike);
    });
  }

  remove(key: string): Promise<void> {
    return this.#queue.run(async () => {
      await this.#loaded?.models.remove(key);
    });
  }

  begin(keys: string[]): Promise<number> {
    return this.#queue.run(() => {
      const { models } = this.#requireLoaded();
      const kept = new Map(keys.map((key) => [key, emptyTokens(models.manifestOf(key))]));
      this.#lastRun++;
      this.#runs.set(this.#lastRun, { segments: 0, kept });
      return this.#lastRun;
    });
  }

  push(run: number, segment: EngineSegment): Promise<Record<string, AdapterOutputs>> {
    return this.#queue.run(async () => {
      const { models, request } = this.#requireLoaded();
      const state = requireRun(this.#runs, run);
      checkSegment(segment, request.backbone.manifest);
      for (const id of state.kept.keys()) checkKept(models.manifestOf(id), state.segments + 1);
      const outputs = await models.segment(segment, [...state.kept.keys()]);
      state.segments++;
      return Object.fromEntries(
        [...state.kept].map(([id, tokens]) => [id, keepTokens(models.manifestOf(id), outputs[id]!, tokens)]),
      );
    });
  }

  beginLive(keys: string[], seconds: number): Promise<number> {
    return this.#queue.run(() => {
      const { models } = this.#requireLoaded();
      for (const key of keys) models.manifestOf(key);
      this.#lastRun++;
      this.#live.set(this.#lastRun, { recent: new Map(keys.map((key) => [key, new RecentLooks(seconds)])) });
      return this.#lastRun;
    });
  }

  look(run: number, segment: EngineSegment, end: number): Promise<Record<string, AdapterOutputs>> {
    return this.#queue.run(async () => {
      const { models, request } = this.#requireLoaded();
      const { recent } = requireRun(this.#live, run);
      checkSegment(segment, request.backbone.manifest);
      const outputs = await models.segment(segment, [...recent.keys()]);
      const results: Record<string, AdapterOutputs> = {};
      for (const [id, looks] of recent) {
        const manifest = models.manifestOf(id);
        const tokens = emptyTokens(manifest);
        const delivered = keepTokens(manifest, outputs[id]!, tokens);
        looks.add(end, new Map([...tokens].map(([name, [row]]) => [name, row!])));
        results[id] = { ...delivered, ...(await newestOutputs(models, id, looks)) };
      }
      return results;
    });
  }

  finish(run: number): Promise<Record<string, AdapterOutputs>> {
    return this.#queue.run(async () => {
      const { models } = this.#requireLoaded();
      const state = requireRun(this.#runs, run);
      this.#runs.delete(run);
      const results: Record<string, AdapterOutputs> = {};
      for (const [id, tokens] of state.kept) results[id] = await clipOutputs(models, id, state.segments, tokens);
      return results;
    });
  }

  embed(key: string, segment: EngineSegment): Promise<AdapterOutputs> {
    return this.#queue.run(async () => {
      const { models, request } = this.#requireLoaded();
      checkSegment(segment, request.backbone.manifest);
      const outputs = await models.segment(segment, [key]);
      return models.embedding(key, outputs[key]!, segment);
    });
  }

  /** Takes effect at once: pushes of this run that still wait reject with `invalid-argument`. */
  async cancel(run: number): Promise<void> {
    this.#runs.delete(run);
    this.#live.delete(run);
  }

  async dispose(): Promise<void> {
    this.#endRuns();
    await this.#queue.dispose(() => this.#unload());
  }

  async #loadOnBestDevice(request: EngineLoad, onProgress: OnProgress): Promise<EngineInfo> {
    const exclude: Device[] = [];
    const why: string[] = [];
    const warnings: Warning[] = [];
    for (;;) {
      let runtime: Runtime | undefined;
      try {
        runtime = await this.#runtimes.loadRuntime(request, exclude, (file, done, total) =>
          onProgress({ phase: 'download', file, done, total }),
        );
        const info = await this.#loadOn(runtime, request, onProgress);
        return { ...info, why: [...why, ...info.why], warnings: [...warnings, ...info.warnings] };
      } catch (error) {
        runtime?.dispose();
        const gpuFailed = exclude.length === 0 && (runtime ? runtime.device === 'webgpu' : isDeviceError(error));
        if (request.device !== 'auto' || !gpuFailed) throw error;
        const noWayBack = absentFiles(modelsOf(request), 'wasm', error);
        if (noWayBack) throw noWayBack;
        exclude.push('webgpu');
        const half = runtime && variantFor(runtime, request).variant === 'webgpu-f16' ? ' in half precision' : '';
        why.push(...(runtime?.why ?? []), `WebGPU${half} was given up for WASM: ${(error as Error).message}`);
        const wasTried = !absentFiles(modelsOf(request), 'webgpu') || !absentFiles(modelsOf(request), 'webgpu-f16');
        if (wasTried) warnings.push({ code: 'device-fallback', message: why.at(-1)! });
      }
    }
  }

  async #loadOn(runtime: Runtime, request: EngineLoad, onProgress: OnProgress): Promise<EngineInfo> {
    const { variant, why } = variantFor(runtime, request);
    const absent = absentFiles(modelsOf(request), variant);
    if (absent) throw absent;
    const total = LoadedModels.graphCount(request, variant);
    const stepOf = (phase: 'load' | 'warmup') => {
      let done = 0;
      onProgress({ phase, done, total });
      return () => onProgress({ phase, done: ++done, total });
    };
    const start = performance.now();
    const models = await LoadedModels.open(runtime, request, variant, stepOf('load'));
    const loaded = performance.now();
    let alike: ReadonlyMap<string, number>;
    try {
      await models.warmUp(stepOf('warmup'));
      alike = await models.checkLikeness(request.adapters);
    } catch (error) {
      await models.release();
      throw error;
    }
    this.#loaded = { request: withoutFiles(request), runtime, variant, models };
    const { id, version } = request.backbone.manifest;
    return {
      device: runtime.device,
      variant,
      runtime: runtime.name,
      threads: runtime.threads,
      gpu: runtime.gpu,
      why: [...runtime.why, ...why],
      backbone: { id, version },
      adapters: request.adapters.map(({ manifest }) => ({
        id: manifest.id,
        version: manifest.version,
        task: manifest.task,
      })),
      loadMs: loaded - start,
      warmupMs: performance.now() - loaded,
      warnings: [
        ...untrainedWarnings(modelsOf(request).map(({ manifest }) => manifest)),
        ...otherWeights(request, alike),
      ],
    };
  }

  #endRuns(): void {
    this.#runs.clear();
    this.#live.clear();
  }

  async #unload(): Promise<void> {
    this.#endRuns();
    const loaded = this.#loaded;
    this.#loaded = null;
    await loaded?.models.release();
    loaded?.runtime.dispose();
  }

  #requireLoaded(): Loaded {
    if (!this.#loaded)
      throw new MettleError('invalid-argument', 'The engine has no models yet.', { hint: 'Call load first.' });
    const { lost } = this.#loaded.runtime;
    if (lost?.aborted) throw lost.reason;
    return this.#loaded;
  }
}

function requireRun<T>(runs: ReadonlyMap<number, T>, run: number): T {
  const state = runs.get(run);
  if (state) return state;
  throw new MettleError('invalid-argument', `There is no run ${run}: it was finished, cancelled, or never begun.`, {
    hint: 'Begin a new run.',
  });
}

/** The bytes live in the sessions from now on; the manifests are all that is needed later. */
function withoutFiles(request: EngineLoad): EngineLoad {
  return {
    ...request,
    backbone: { manifest: request.backbone.manifest, files: {} },
    adapters: request.adapters.map(({ manifest }) => ({ manifest, files: {} })),
  };
}

/** The variant that the packages hold, of those that the device runs: a caller may have downloaded no files for half precision. */
function variantFor(runtime: Runtime, request: EngineLoad): ReturnType<typeof chooseVariant> {
  const manifests: AnyManifest[] = [request.backbone, ...request.adapters].map(({ manifest }) => manifest);
  const choice = chooseVariant(runtime, manifests);
  if (choice.variant !== 'webgpu-f16' || !absentFiles(modelsOf(request), choice.variant)) return choice;
  return { variant: variantOf(runtime.device), why: ['No half precision, because its files were not given.'] };
}

const modelsOf = ({ backbone, adapters }: EngineLoad): ModelPackage<AnyManifest>[] => [backbone, ...adapters];

function absentFiles(
  models: readonly ModelPackage<AnyManifest>[],
  variant: VariantName,
  cause?: unknown,
): MettleError | null {
  for (const model of models) {
    const [path] = missingFiles(model, variant);
    if (path === undefined) continue;
    const failure = cause instanceof Error ? `WebGPU failed (${cause.message}), and ` : '';
    return new MettleError(
      'device',
      `${failure}"${model.manifest.id}" was given without "${path}" of its ${variant} form.`,
      {
        hint: `Download the files of the ${variant} variant and load again${cause ? ' with device "wasm"' : ''}.`,
        cause,
      },
    );
  }
  return null;
}

function isDeviceError(error: unknown): boolean {
  return error instanceof MettleError && error.code === 'device';
}

/** Below this share a tap differs as it does between devices. */
const sameWeights = 1e-3;

/** Adapters that run on other numbers than those they were trained on, and how far these are off. */
function otherWeights({ backbone }: EngineLoad, alike: ReadonlyMap<string, number>): Warning[] {
  const others = [...alike].filter(([, error]) => error > sameWeights);
  return others.map(([id, error]) => ({
    code: 'other-weights',
    message: `Adapter "${id}" was made for other weights of backbone "${backbone.manifest.id}"; what it reads differs by at most ${Number((100 * error).toPrecision(2))} %.`,
  }));
}
