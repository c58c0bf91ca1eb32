/** From names of models to a loaded engine: manifests first, then the device, then only the files that it needs. */
import { platform } from '#platform';
import type { DeviceRequest, Engine, EngineInfo, EngineLoad, ModelPackage, VariantName } from './engine/types.ts';
import { chooseVariant } from './engine/variant.ts';
import { MettleError } from './errors.ts';
import { checkFits } from './hub/contract.ts';
import { listShipped, type OpenedModel, openModel } from './hub/hub.ts';
import type { AdapterManifest, BackboneManifest, Manifest } from './hub/manifest.ts';
import { pairModels, type WholeBackbone, wholeBackbone } from './hub/pair.ts';

export type CreateProgress = {
  /** Bytes of model files, graphs made ready, and graphs run once so that no later call waits for a compiler. */
  phase: 'download' | 'load' | 'warmup';
  done: number;
  total: number;
};

export type CreateOptions = {
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
  /** Page: a worker made by the caller from this package's worker script, or `false` to run in this thread. */
  worker?: Worker | false;
  /** Page: URL of the folder with the runtime's `.mjs` and `.wasm` files. Default: `runtime/` beside this package's script. */
  runtimePath?: string;
  signal?: AbortSignal;
  onProgress?: (progress: CreateProgress) => void;
};

export type LoadedEngine = {
  engine: Engine;
  info: EngineInfo;
  backbone: WholeBackbone;
  adapters: AdapterManifest[];
};

/** Opens, checks, downloads and loads what the options name. Nothing stays behind if any of it fails or is aborted. */
export async function loadEngine(options: CreateOptions): Promise<LoadedEngine> {
  const { signal } = options;
  signal?.throwIfAborted();
  checkOptions(options);
  const backbone = await openBackbone(options.backbone ?? 'nano', signal);
  const adapters = await openAdapters(options, backbone.manifest);
  const engine = await platform.createEngine({ worker: options.worker });
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
  signal: AbortSignal | undefined,
): Promise<OpenedModel<WholeBackbone>> {
  const locations = typeof named === 'string' ? [named] : named;
  if (!Array.isArray(locations) || locations.length < 1 || locations.length > 2) {
    throw new MettleError('invalid-argument', 'backbone must name one backbone, or a list of two.', {
      hint: 'Two are one for pictures and one for sounds: backbone: ["./pictures", "./sounds"].',
    });
  }
  const [one, other] = await Promise.all(locations.map((location) => openModel(location, 'backbone', { signal })));
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
): Promise<OpenedModel<AdapterManifest>[]> {
  if (adapters) {
    const opened = await Promise.all(adapters.map((location) => openModel(location, 'adapter', { signal })));
    for (const { manifest } of opened) await checkFits(manifest, backbone);
    return opened;
  }
  const shipped = (await listShipped({ signal })).filter(({ kind }) => kind === 'adapter');
  const opened = await Promise.all(shipped.map(({ id }) => openModel(id, 'adapter', { signal })));
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
  const chosen = await platform.chooseDevice(device);
  const manifests = [backbone, ...adapters].map(({ manifest }) => manifest);
  const { variant } = chooseVariant({ device: chosen, half: await platform.hasHalf(chosen) }, manifests);
  const { threads, runtimePath } = options;
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
