/** From names of models to a loaded engine: manifests first, then the device, then only the files that it needs. */
import { bytesFor } from '#bytes';
import { runtimeFolder } from '#runtimes';
import type { DeviceRequest } from './contract/device.ts';
import type { EngineInfo } from './contract/engine-info.ts';
import { checkFits } from './contract/fits.ts';
import type { AdapterManifest, BackboneManifest, Manifest } from './contract/manifest.ts';
import type { ModelPackage, VariantName } from './contract/model.ts';
import {
  callback,
  oneOf,
  positive,
  type Rule,
  type Rules,
  signal as signalRule,
  text,
  texts,
  whole,
} from './contract/options.ts';
import { type WholeBackbone, wholeBackbone } from './contract/pair.ts';
import { DEFAULT_BACKBONE } from './contract/registry.ts';
import { heldBack } from './door.ts';
import type { Engine, EngineLoad, EngineProgress } from './engine/types.ts';
import { chooseVariant } from './engine/variant.ts';
import { addWarning, MettleError, type Warning } from './errors.ts';
import { type HubOptions, hubRules } from './hub/access.ts';
import { given, openGiven } from './hub/given.ts';
import { type DownloadProgress, listShipped, type OpenedModel, type OpenOptions, openModel } from './hub/hub.ts';
import { pairModels } from './hub/pair-models.ts';
import { type AdapterLocation, fitting, type OpenedAdapter, Residents } from './residents.ts';
import { type Workshop, type WorkshopOptions, workshopRules } from './work/workshop.ts';

/** How far `createMettle` is. A GPU that fails after all is given up for WASM, and the phases begin again. */
export type CreateProgress =
  | {
      /** Files are fetched. */
      phase: 'download';
      /** Id of the model that the newest bytes belong to, or `runtime`. */
      model: string;
      /** Its file that they belong to. */
      file: string;
      /** Bytes of all models and, in a page, of the runtime. */
      done: number;
      /** Bytes. */
      total: number;
    }
  | {
      /** Graphs made ready, and graphs run once so that no later call waits for a compiler. */
      phase: 'load' | 'warmup';
      /** Graphs, of `total`. */
      done: number;
      /** Graphs. */
      total: number;
    };

/** What `createMettle` takes; all of it may be left out. */
export type CreateOptions = WorkshopOptions &
  HubOptions & {
    /**
     * Shipped id, or path or URL of a folder with a manifest.json; two of them make a pair, one for pictures and one for sounds, in either order.
     * Default: the one that the named adapters were made for, and `nano-2` where none is named. After each may stand the digest of its manifest, which pins every byte of it, or
     * the key of its publisher: `https://host/model/#sha256-...`, `#ed25519-...`.
     */
    backbone?: string | readonly [string, string];
    /** The same for adapters, or the adapters themselves: a zip file, or `{ files }` as training and teaching give them. Default: every shipped adapter that was made for the backbone. */
    adapters?: readonly AdapterLocation[];
    /**
     * Most bytes of model files that are in memory at once, backbone included. What is too much waits, beginning with the last adapters; a call that asks for one loads it
     * again, from the cache where it is kept, and those that were used least lately make room. Default: no limit.
     */
    budget?: number;
    /** Default `auto`: WebGPU, else WASM; in Node onnxruntime-node's CPU, else WASM. */
    device?: DeviceRequest;
    /** Threads of the CPU kernels. Default: chosen by the machine. */
    threads?: number;
    /** Page: URL of the folder with the runtime's `.mjs` and `.wasm` files, if they do not lie with the other assets. */
    runtimePath?: string;
    /**
     * Ends the loading: `createMettle` rejects with the signal's reason. Loading has no limit of time by itself, since how long a device takes to compile a network cannot be
     * known; `AbortSignal.timeout(120_000)` sets one.
     */
    signal?: AbortSignal;
    /** Called as often as there is something new. */
    onProgress?: (progress: CreateProgress) => void;
  };

export const adapterLocation: Rule = {
  expected: `an id, a path or a URL, or ${given.expected}`,
  fits: (value) => text.fits(value) || given.fits(value),
};

export const createRules: Rules<CreateOptions> = {
  ...workshopRules,
  ...hubRules,
  backbone: {
    expected: 'an id, a path or a URL, or a list of two, one for pictures and one for sounds',
    fits: (value) => text.fits(value) || (texts.fits(value) && [1, 2].includes((value as string[]).length)),
  },
  adapters: {
    expected: 'an array of ids, paths, URLs, zip files or { files }',
    fits: (value) => Array.isArray(value) && value.every(adapterLocation.fits),
  },
  budget: positive('a number of bytes'),
  device: oneOf('auto', 'webgpu', 'wasm', 'cpu', 'cuda'),
  threads: whole(1),
  runtimePath: text,
  signal: signalRule,
  onProgress: callback,
};

export type LoadedEngine = {
  engine: Awaited<ReturnType<Workshop['createEngine']>>;
  /** As the engine was loaded; `residents` knows which adapters there are by now. */
  info: EngineInfo;
  backbone: WholeBackbone;
  residents: Residents;
};

/** Opens, checks, downloads and loads what the options name, in a fresh engine. Nothing stays behind if any of it fails or is aborted. */
export async function loadEngine(
  workshop: Pick<Workshop, 'createEngine'>,
  options: CreateOptions,
): Promise<LoadedEngine> {
  const { signal } = options;
  signal?.throwIfAborted();
  const warnings: Warning[] = [];
  const { backbone, adapters } = await openModels(options, (warning) => addWarning(warnings, warning));
  const engine = await workshop.createEngine();
  const onAbort = (): void => void engine.dispose();
  signal?.addEventListener('abort', onAbort);
  try {
    const models = adapters.map(({ model }) => model);
    const loaded = await loadOnDevice(engine, backbone, models, options);
    signal?.throwIfAborted();
    const info = { ...loaded.info, warnings: [...warnings, ...loaded.info.warnings] };
    const { id, version } = backbone.manifest;
    const residents = new Residents(
      {
        engine,
        variant: info.variant,
        backbone: { id, version, bytes: backbone.bytes(info.variant) },
        budget: options.budget,
      },
      adapters.map((adapter, index) => ({ ...adapter, loaded: index < loaded.count })),
    );
    return { engine, info, backbone: backbone.manifest, residents };
  } catch (error) {
    await engine.dispose();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** The models that the options name, of which only the manifests were read. Throws what `openModel` throws, and `incompatible` where they do not fit together. */
export async function openModels(
  options: CreateOptions,
  onWarning: (warning: Warning) => void,
): Promise<{ backbone: OpenedModel<WholeBackbone>; adapters: NamedAdapter[] }> {
  const access = accessOf(options, onWarning);
  const named =
    options.adapters && (await Promise.all(options.adapters.map((location) => openAdapter(location, access))));
  const manifests = named?.map(({ model }) => model.manifest) ?? [];
  const backbone = await openBackbone(options.backbone ?? (await backboneFor(manifests, access)), access);
  const adapters = named ?? (await shippedAdapters(backbone.manifest, access));
  for (const { model } of adapters) await checkFits(model.manifest, backbone.manifest);
  return { backbone, adapters };
}

/** The backbone that one name or two stand for. Throws `incompatible` where a sense is missing, or two backbones make no pair, and what `openModel` throws. */
export async function openBackbone(
  named: string | readonly string[],
  options: OpenOptions,
): Promise<OpenedModel<WholeBackbone>> {
  const locations = typeof named === 'string' ? [named] : named;
  if (!Array.isArray(locations) || locations.length < 1 || locations.length > 2) {
    throw new MettleError('invalid-argument', 'backbone must name one backbone, or a list of two.', {
      hint: 'Two are one for pictures and one for sounds: backbone: ["./pictures", "./sounds"].',
    });
  }
  const [one, other] = await Promise.all(locations.map((location) => openModel(location, 'backbone', options)));
  if (other) return pairModels(one!, other);
  const manifest = wholeBackbone(one!.manifest);
  return {
    ...one!,
    manifest,
    download: async (variant, more) => ({ ...(await one!.download(variant, more)), manifest }),
  };
}

/** One cache for all that a call opens, so that what fails there is told once. */
function accessOf(options: CreateOptions, onWarning: (warning: Warning) => void): OpenOptions {
  const { assets, cache, offline, refresh, hosts, publishers, stallSeconds, signal } = options;
  return { platform: bytesFor(assets), cache, offline, refresh, hosts, publishers, stallSeconds, signal, onWarning };
}

type NamedAdapter = Omit<OpenedAdapter, 'loaded'>;

async function openAdapter(location: AdapterLocation, access: OpenOptions): Promise<NamedAdapter> {
  const isNamed = typeof location === 'string';
  return { location, model: await (isNamed ? openModel(location, 'adapter', access) : openGiven(location, access)) };
}

/**
 * The id of the backbone that adapters were made for; of none, the default, or where a folder of assets holds others alone, the first of those. Throws `incompatible` where they were made for several, which no Mettle has, and `not-found` where
 * theirs does not ship.
 */
export async function backboneFor(adapters: readonly AdapterManifest[], access: OpenOptions): Promise<string> {
  const [first, ...others] = adapters;
  if (!first) return await usualBackbone(access);
  const { id, base } = first;
  const other = others.find((adapter) => adapter.base.id !== base.id);
  if (other) {
    throw new MettleError(
      'incompatible',
      `Adapter "${id}" was made for backbone "${base.id}", and "${other.id}" for "${other.base.id}".`,
      { hint: 'One Mettle has one backbone: make two, each with the adapters of one.' },
    );
  }
  if ((await listShipped(access)).some((model) => model.kind === 'backbone' && model.id === base.id)) return base.id;
  throw new MettleError('not-found', `Adapter "${id}" was made for backbone "${base.id}", which does not ship.`, {
    hint: 'Name where it lies as backbone (--backbone); "mettle backbone add" makes those of others.',
  });
}

async function usualBackbone(access: OpenOptions): Promise<string> {
  const ids = (await listShipped(access)).filter(({ kind }) => kind === 'backbone').map(({ id }) => id);
  return ids.includes(DEFAULT_BACKBONE) ? DEFAULT_BACKBONE : (ids[0] ?? DEFAULT_BACKBONE);
}

/** Of those that ship all that were made for the backbone. */
async function shippedAdapters(backbone: BackboneManifest, access: OpenOptions): Promise<NamedAdapter[]> {
  const shipped = (await listShipped(access)).filter(({ kind }) => kind === 'adapter');
  const opened = await Promise.all(shipped.map(({ id }) => openAdapter(id, access)));
  const fits = await Promise.all(
    opened.map(({ model }) =>
      checkFits(model.manifest, backbone).then(
        () => true,
        () => false,
      ),
    ),
  );
  return opened.filter((_, i) => fits[i]);
}

/** Loads one more adapter beside those that an engine has, whoever uses it meanwhile. Throws as `createMettle`, and `invalid-argument` where one of its id is there. */
export async function loadAdapter(
  { residents, backbone }: LoadedEngine,
  location: AdapterLocation,
  options: CreateOptions,
  onWarning: (warning: Warning) => void,
): Promise<AdapterManifest> {
  const { signal } = options;
  const { model } = await openAdapter(location, accessOf(options, onWarning));
  await checkFits(model.manifest, backbone);
  const progress = heldBack(options.onProgress);
  const count = new DownloadCount([model], residents.variant, 0, progress.call);
  await residents.add(location, model, {
    signal,
    onDownload: (step) => count.modelStep(step),
    onStep: (step) => count.engineStep(step),
    onWarning,
    check: progress.rethrow,
  });
  return model.manifest;
}

/** Loads the variant of the device that will be taken; a GPU that fails later means a second download, of the WASM variant. `count` tells how many adapters fitted in. */
async function loadOnDevice(
  engine: Engine,
  backbone: OpenedModel<WholeBackbone>,
  all: OpenedModel<AdapterManifest>[],
  options: CreateOptions,
): Promise<{ info: EngineInfo; count: number }> {
  const device = options.device ?? 'auto';
  const manifests = [backbone, ...all].map(({ manifest }) => manifest);
  const { threads } = options;
  const runtimePath = runtimeFolder(options.assets, options.runtimePath);
  // An error of the caller's function must not count as one of the device.
  const progress = heldBack(options.onProgress);
  const load = async (wanted: VariantName, on: DeviceRequest, runtimeBytes: number) => {
    const base = { id: backbone.manifest.id, bytes: backbone.bytes(wanted) };
    const sizes = all.map((adapter) => adapter.bytes(wanted));
    const adapters = all.slice(0, fitting(base, sizes, options.budget));
    const models = [backbone, ...adapters];
    const count = new DownloadCount(models, wanted, runtimeBytes, progress.call);
    const files = await download(backbone, adapters, wanted, count, options.signal);
    progress.rethrow();
    const request = { ...files, device: on, threads, runtimePath };
    const info = await engine.load(request, (step) => count.engineStep(step));
    progress.rethrow();
    return { info, count: adapters.length };
  };
  const choice = await engine.chooseDevice(device);
  const { variant } = chooseVariant(choice, manifests);
  try {
    return await load(variant, device, choice.runtimeBytes);
  } catch (error) {
    progress.rethrow();
    const gpuFailed = error instanceof MettleError && error.code === 'device' && variant.startsWith('webgpu');
    if (device !== 'auto' || !gpuFailed) throw error;
    const { info, count } = await load('wasm', 'wasm', (await engine.chooseDevice('wasm')).runtimeBytes);
    const message = variant === 'webgpu-f16' ? `Half precision failed. ${error.message}` : error.message;
    const warning = { code: 'device-fallback' as const, message };
    return { info: { ...info, why: [message, ...info.why], warnings: [warning, ...info.warnings] }, count };
  }
}

/** Adds up the bytes of models and runtime, and passes on what else the engine tells. */
class DownloadCount {
  readonly #received = new Map<string, number>();
  readonly #modelBytes: number;
  readonly #onProgress: (progress: CreateProgress) => void;
  #runtimeBytes: number;

  constructor(
    models: readonly OpenedModel<Manifest>[],
    variant: VariantName,
    runtimeBytes: number,
    onProgress: (progress: CreateProgress) => void,
  ) {
    this.#modelBytes = models.reduce((sum, model) => sum + model.bytes(variant), 0);
    this.#runtimeBytes = runtimeBytes;
    this.#onProgress = onProgress;
    this.#tell(models[0]!.manifest.id, 'manifest.json');
  }

  file(model: string, file: string, received: number): void {
    this.#received.set(`${model}/${file}`, received);
    this.#tell(model, file);
  }

  modelStep(step: DownloadProgress): void {
    if (step.type === 'file') this.file(step.model, step.path, step.received);
  }

  engineStep(step: EngineProgress): void {
    if (step.phase !== 'download') {
      this.#onProgress(step);
      return;
    }
    // A runtime of the caller's own may have another size.
    this.#runtimeBytes = step.total;
    this.file('runtime', step.file, step.done);
  }

  #tell(model: string, file: string): void {
    const done = [...this.#received.values()].reduce((sum, count) => sum + count, 0);
    const total = Math.max(done, this.#modelBytes + this.#runtimeBytes);
    this.#onProgress({ phase: 'download', model, file, done, total });
  }
}

async function download(
  backbone: OpenedModel<WholeBackbone>,
  adapters: OpenedModel<AdapterManifest>[],
  variant: VariantName,
  count: DownloadCount,
  signal: AbortSignal | undefined,
): Promise<Pick<EngineLoad, 'backbone' | 'adapters'>> {
  const fetchModel = <M extends Manifest>(model: OpenedModel<M>): Promise<ModelPackage<M>> =>
    model.download(variant, { signal, onProgress: (step) => count.modelStep(step) });
  const [first, ...rest] = await Promise.all([fetchModel(backbone), ...adapters.map(fetchModel)]);
  return { backbone: first as ModelPackage<WholeBackbone>, adapters: rest as ModelPackage<AdapterManifest>[] };
}
