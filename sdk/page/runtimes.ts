/**
 * Which device a page runs on, and onnxruntime-web made ready for it. Called in the thread where sessions will live, mostly a worker.
 * Never imports bare `onnxruntime-web`: in a page that is the deprecated WebGPU build.
 */

import { runtimeHint } from '../contract/assets-hint.ts';
import type { Device, DeviceRequest } from '../contract/device.ts';
import type { Ort, Runtime, RuntimeProgress, RuntimeRequest, Runtimes } from '../contract/runtime.ts';
import { MettleError } from '../errors.ts';
import { placesOf } from './places.ts';
import { type RuntimeFile, runtimeDigests } from './runtime-digests.ts';
import { fetchRuntimeFile } from './runtime-files.ts';

export { logicalCores, onFirstMessage, runtimeFolder, scriptOf, startWorker } from './workers.ts';

type Choice =
  | { device: 'webgpu'; adapter: GPUAdapter; why: string[] }
  | { device: 'wasm'; adapter: null; why: string[] };
/** A build of onnxruntime-web: its script, and the module and bytes of WebAssembly that it loads. All lie in one folder, where no bundler looks. */
type Build = { script: RuntimeFile; module: RuntimeFile; wasm: RuntimeFile };

const builds = {
  /** WebGPU where the browser can suspend WebAssembly: two thirds of the size of `asyncify`. */
  jspi: {
    script: 'ort.jspi.min.mjs',
    module: 'ort-wasm-simd-threaded.jspi.mjs',
    wasm: 'ort-wasm-simd-threaded.jspi.wasm',
  },
  asyncify: {
    script: 'ort.webgpu.min.mjs',
    module: 'ort-wasm-simd-threaded.asyncify.mjs',
    wasm: 'ort-wasm-simd-threaded.asyncify.wasm',
  },
  wasm: { script: 'ort.wasm.min.mjs', module: 'ort-wasm-simd-threaded.mjs', wasm: 'ort-wasm-simd-threaded.wasm' },
} satisfies Record<string, Build>;

/** Threads that a build was started with: its module takes the first number and keeps it. */
const threadsOfBuild = new Map<Build, number>();

export const runtimes: Runtimes = {
  chooseDevice,
  hasHalf,
  bytesToLoad,
  loadRuntime,
};

async function chooseDevice(request: DeviceRequest, exclude: readonly Device[] = []): Promise<Device> {
  return (await choose(request, exclude)).device;
}

/** See `Runtimes.hasHalf`. */
async function hasHalf(device: Device): Promise<boolean> {
  return device === 'webgpu' && isHalf((await findAdapter()).adapter);
}

const buildFor = (device: Device): Build =>
  device !== 'webgpu' ? builds.wasm : 'Suspending' in WebAssembly ? builds.jspi : builds.asyncify;

/** See `Runtimes.bytesToLoad`. */
function bytesToLoad(device: Device): number {
  const build = buildFor(device);
  return loadedBuilds.has(build) ? 0 : runtimeDigests[build.wasm].bytes;
}

/** See `Runtimes.loadRuntime`. Throws `device` where a GPU is asked for and there is none, `invalid-argument` for `cpu` and `cuda`. */
async function loadRuntime(
  request: RuntimeRequest,
  exclude: readonly Device[] = [],
  onProgress: RuntimeProgress = () => {},
): Promise<Runtime> {
  const choice = await choose(request.device, exclude);
  const build = buildFor(choice.device);
  const threads = threadsFor(build, choice, request.threads);
  const folder = request.runtimePath
    ? new URL(request.runtimePath.replace(/\/?$/, '/'), location.href)
    : placesOf().runtime;
  const ort = await loadBuild(build, folder, onProgress);
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = threads;
  const common = {
    ort,
    name: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`,
    threads,
    why: choice.why,
  };
  if (choice.device === 'wasm') {
    return { ...common, device: 'wasm', gpu: null, provider: 'wasm', lost: null, dispose() {} };
  }
  const { device, lost } = await openGpu(choice.adapter);
  const { vendor, architecture, description } = choice.adapter.info;
  return {
    ...common,
    device: 'webgpu',
    gpu: { vendor, architecture, description },
    half: isHalf(choice.adapter),
    provider: { name: 'webgpu', device },
    lost,
    dispose: () => device.destroy(),
  };
}

/** A build takes its bytes once; later sessions of this thread find it ready. */
const loadedBuilds = new Map<Build, Promise<Ort>>();

/** Throws `integrity`, `network` or `not-found` for files that are not the runtime's, `device` where they do not run. */
function loadBuild(build: Build, folder: URL, onProgress: RuntimeProgress): Promise<Ort> {
  const loading = loadedBuilds.get(build) ?? checkedBuild(build, folder, onProgress);
  loadedBuilds.set(build, loading);
  loading.catch(() => loadedBuilds.delete(build));
  return loading;
}

async function checkedBuild({ script, module, wasm }: Build, folder: URL, onProgress: RuntimeProgress): Promise<Ort> {
  const total = runtimeDigests[wasm].bytes;
  onProgress(wasm, 0, total);
  const onBytes = (received: number): void => onProgress(wasm, received, total);
  const fetching = [
    fetchRuntimeFile(folder, wasm, { onBytes }),
    ...[script, module].map((name) => fetchRuntimeFile(folder, name)),
  ];
  const [binary] = await Promise.all(fetching).catch((error: unknown) => {
    throw error instanceof MettleError && error.code === 'not-found' ? unloadable(folder, error) : error;
  });
  const ort = await importBuild(new URL(script, folder));
  ort.env.wasm.wasmBinary = binary!.buffer;
  ort.env.wasm.wasmPaths = { mjs: new URL(module, folder).href, wasm: new URL(wasm, folder).href };
  return ort;
}

async function importBuild(script: URL): Promise<Ort> {
  try {
    return await import(/* @vite-ignore */ script.href);
  } catch (cause) {
    throw unloadable(script, cause as Error);
  }
}

function unloadable(from: URL, cause: Error): MettleError {
  return new MettleError('device', `The runtime could not be loaded from ${from}: ${cause.message}`, {
    hint: runtimeHint,
    cause,
  });
}

async function choose(request: DeviceRequest, exclude: readonly Device[]): Promise<Choice> {
  if (request === 'cpu' || request === 'cuda') {
    throw new MettleError('invalid-argument', `Device "${request}" exists in Node only.`, {
      hint: 'In a page use "auto", "webgpu" or "wasm".',
    });
  }
  if (request === 'wasm') return { device: 'wasm', adapter: null, why: ['WASM was asked for.'] };
  if (exclude.includes('webgpu')) return { device: 'wasm', adapter: null, why: ['WASM, because WebGPU is excluded.'] };
  const { adapter, reason } = await findAdapter();
  if (adapter) {
    const asked = request === 'webgpu' ? 'WebGPU was asked for.' : 'WebGPU, because the browser gave a GPU adapter.';
    return { device: 'webgpu', adapter, why: [asked, ...softwareNote(adapter)] };
  }
  if (request === 'auto') return { device: 'wasm', adapter: null, why: [`WASM, because ${reason}.`] };
  throw new MettleError('device', `WebGPU was asked for, but ${reason}.`, { hint: 'Use device "auto" or "wasm".' });
}

async function findAdapter(): Promise<{ adapter: GPUAdapter | null; reason: string }> {
  if (!globalThis.isSecureContext)
    return { adapter: null, reason: 'WebGPU needs a secure context (HTTPS or localhost)' };
  if (!navigator.gpu) return { adapter: null, reason: 'this browser has no WebGPU' };
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  return { adapter, reason: 'the browser gave no GPU adapter' };
}

const isHalf = (adapter: GPUAdapter | null): boolean => adapter?.features.has('shader-f16') ?? false;

function softwareNote({ info }: GPUAdapter): string[] {
  const name = info.description || info.device || info.architecture || info.vendor;
  const software =
    info.isFallbackAdapter ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(Object.values(namesOf(info)).join(' '));
  return software ? [`The adapter is no hardware but software (${name}): right, and slow.`] : [];
}

function namesOf({ vendor, architecture, device, description }: GPUAdapterInfo) {
  return { vendor, architecture, device, description };
}

/** A device of our own, with all that the adapter can give: the runtime's own one cannot be replaced once it is lost. */
async function openGpu(adapter: GPUAdapter): Promise<{ device: GPUDevice; lost: AbortSignal }> {
  const wanted: GPUFeatureName[] = ['shader-f16', 'subgroups'];
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') limits[name] = value;
  }
  const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits: limits }).catch((error: unknown) => {
    throw new MettleError('device', 'The GPU adapter gave no device.', {
      hint: 'Use device "auto" or "wasm", or free GPU memory.',
      cause: error,
    });
  });
  const lost = new AbortController();
  device.lost.then(({ reason, message }) => {
    lost.abort(
      new MettleError('device', `The GPU device was lost (${reason}${message ? `: ${message}` : ''}).`, {
        hint: 'Dispose of the engine and create a new one.',
      }),
    );
  });
  return { device, lost: lost.signal };
}

function threadsFor(build: Build, { device, why }: Choice, requested?: number): number {
  const started = threadsOfBuild.get(build);
  const threads =
    device === 'webgpu' || !globalThis.crossOriginIsolated ? 1 : (started ?? requested ?? defaultThreads());
  if (device === 'wasm' && !globalThis.crossOriginIsolated) {
    why.push('One thread, because the page is not cross-origin isolated.');
  } else if (device === 'wasm' && requested !== undefined && requested !== threads) {
    why.push(`${threads} threads, because WASM was started with as many in this thread before.`);
  }
  threadsOfBuild.set(build, threads);
  return threads;
}

function defaultThreads(): number {
  return Math.min(8, Math.max(1, Math.floor(navigator.hardwareConcurrency / 2)));
}
