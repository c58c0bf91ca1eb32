/** From names of models to a loaded engine: manifests first, then the device, then only the files that it needs. */
import { bytesFor } from '#bytes';
import { runtimeFolder } from '#runtimes';
import type { Bytes } from './contract/bytes.ts';
import type { DeviceRequest } from './contract/device.ts';
import type { EngineInfo } from './contract/engine-info.ts';
import { checkFits } from './contract/fits.ts';
import type { AdapterManifest, BackboneManifest, Manifest } from './contract/manifest.ts';
import type { ModelPackage, VariantName } from './contract/model.ts';
import { type WholeBackbone, wholeBackbone } from './contract/pair.ts';
import type { Engine, EngineLoad } from './engine/types.ts';
import { chooseVariant } from './engine/variant.ts';
import { MettleError } from './errors.ts';
import { listShipped, type OpenedModel, type OpenOptions, openModel } from './hub/hub.ts';
import { pairModels } from './hub/pair-models.ts';
import type { Workshop, WorkshopOptions } from './work/workshop.ts';

/** How far the loading of models is. */
export type CreateProgress = {
  /** Bytes of model files, graphs made ready, and graphs run once so that no later call waits for a compiler. */
  phase: 'download' | 'load' | 'warmup';
  /** Bytes in phase `download`, else graphs; of `total`. */
  done: number;
  /** Bytes or graphs of the phase. */
  total: number;
};

/** What `createMettle` takes; all of it may be left out. */
export type CreateOptions = WorkshopOptions & {
  /**
   * Shipped id, or path or URL of a folder with a manifest.json; two of them make a pair, one for pictures and one for sounds, in either order.
   * Default `nano`.
   */
  backbone?: string | readonly [string, string];
  /** The same for adapters. Default: every shipped adapter that was made for the backbone. */
  adapters?: readonly string[];
  /** Default `auto`: WebGPU, else WASM; in Node onnxruntime-node's CPU, else WASM. */
  device?: DeviceRequest;
  /** Threads of the CPU kernels. Default: chosen by the machine. */
  threads?: number;
  /** Page: URL of the folder with the runtime's `.mjs` and `.wasm` files, if they do not lie with the other assets. */
  runtimePath?: string;
  /** Ends the loading: `createMettle` rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called as often as there is something new. */
  onProgress?: (progress: CreateProgress) => void;
};

export type LoadedEngine = {
  engine: Awaited<ReturnType<Workshop['createEngine']>>;
  info: EngineInfo;
  backbone: WholeBackbone;
  adapters: AdapterManifest[];
};

/** Opens, checks, downloads and loads what the options name, in a fresh engine. Nothing stays behind if any of it fails or is aborted. */
export async function loadEngine(
  workshop: Pick<Workshop, 'createEngine'>,
  options: CreateOptions,
): Promise<LoadedEngine> {
  const { signal } = options;
  signal?.throwIfAborted();
  checkOptions(options);
  const platform = bytesFor(options.assets);
  const backbone = await openBackbone(options.backbone ?? 'nano', { signal, platform });
  const adapters = await openAdapters(options, backbone.manifest, platform);
  const engine = await workshop.createEngine();
  const onAbort = (): void => void engine.dispose();
  signal?.addEventListener('abort', onAbort);
  try {
    const info = await loadOnDevice(engine, backbone, adapters, options);
    signal?.throwIfAborted();
    return { engine, info, backbone: backbone.manifest, adapters: adapters.map((a) => a.manifest) };
  } catch (error) {
    await engine.dispose();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
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

const devices: readonly DeviceRequest[] = ['auto', 'webgpu', 'wasm', 'cpu', 'cuda'];

function checkOptions({ backbone, adapters, device, threads }: CreateOptions): void {
  const fail = (name: string, expected: string, got: unknown): never => {
    throw new MettleError('invalid-argument', `options.${name} must be ${expected}, not ${JSON.stringify(got)}.`);
  };
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  const names: readonly unknown[] = typeof backbone === 'string' ? [backbone] : (backbone ?? ['nano']);
  if (!Array.isArray(names) || names.length === 0 || !names.every(isText)) {
    fail('backbone', 'an id, a path or a URL, or one for pictures and one for sounds', backbone);
  }
  if (adapters !== undefined && !(Array.isArray(adapters) && adapters.every(isText))) {
    fail('adapters', 'an array of ids, paths or URLs', adapters);
  }
  if (device !== undefined && !devices.includes(device)) fail('device', `one of ${devices.join(', ')}`, device);
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    fail('threads', 'a whole number from 1 on', threads);
  }
}

async function openAdapters(
  { adapters, signal }: CreateOptions,
  backbone: BackboneManifest,
  platform: Bytes,
): Promise<OpenedModel<AdapterManifest>[]> {
  if (adapters) {
    const opened = await Promise.all(adapters.map((location) => openModel(location, 'adapter', { signal, platform })));
    for (const { manifest } of opened) await checkFits(manifest, backbone);
    return opened;
  }
  const shipped = (await listShipped({ signal, platform })).filter(({ kind }) => kind === 'adapter');
  const opened = await Promise.all(shipped.map(({ id }) => openModel(id, 'adapter', { signal, platform })));
  const fits = await Promise.all(
    opened.map(({ manifest }) =>
      checkFits(manifest, backbone).then(
        () => true,
        () => false,
      ),
    ),
  );
  return opened.filter((_, i) => fits[i]);
}

/** Loads the variant of the device that will be taken; a GPU that fails later means a second download, of the WASM variant. */
async function loadOnDevice(
  engine: Engine,
  backbone: OpenedModel<WholeBackbone>,
  adapters: OpenedModel<AdapterManifest>[],
  options: CreateOptions,
): Promise<EngineInfo> {
  const device = options.device ?? 'auto';
  const manifests = [backbone, ...adapters].map(({ manifest }) => manifest);
  const { variant } = chooseVariant(await engine.chooseDevice(device), manifests);
  const { threads } = options;
  const runtimePath = runtimeFolder(options.assets, options.runtimePath);
  const load = async (wanted: VariantName, on: DeviceRequest): Promise<EngineInfo> => {
    const files = await download(backbone, adapters, wanted, options);
    return await engine.load({ ...files, device: on, threads, runtimePath }, options.onProgress);
  };
  try {
    return await load(variant, device);
  } catch (error) {
    const gpuFailed = error instanceof MettleError && error.code === 'device' && variant.startsWith('webgpu');
    if (device !== 'auto' || !gpuFailed) throw error;
    const info = await load('wasm', 'wasm');
    const message = variant === 'webgpu-f16' ? `Half precision failed. ${error.message}` : error.message;
    const warning = { code: 'device-fallback' as const, message };
    return { ...info, why: [message, ...info.why], warnings: [warning, ...info.warnings] };
  }
}

async function download(
  backbone: OpenedModel<WholeBackbone>,
  adapters: OpenedModel<AdapterManifest>[],
  variant: VariantName,
  { signal, onProgress }: CreateOptions,
): Promise<Pick<EngineLoad, 'backbone' | 'adapters'>> {
  const total = [backbone, ...adapters].reduce((sum, model) => sum + model.bytes(variant), 0);
  const received = new Map<string, number>();
  onProgress?.({ phase: 'download', done: 0, total });
  const fetchModel = <M extends Manifest>(model: OpenedModel<M>): Promise<ModelPackage<M>> =>
    model.download(variant, {
      signal,
      onProgress(progress) {
        if (progress.type !== 'total') return;
        received.set(progress.model, progress.received);
        onProgress?.({ phase: 'download', done: [...received.values()].reduce((a, b) => a + b, 0), total });
      },
    });
  const [first, ...rest] = await Promise.all([fetchModel(backbone), ...adapters.map(fetchModel)]);
  return { backbone: first as ModelPackage<WholeBackbone>, adapters: rest as ModelPackage<AdapterManifest>[] };
}
