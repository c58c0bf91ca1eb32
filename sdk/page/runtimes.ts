/**
 * Which device a page runs on, and onnxruntime-web made ready for it. Called in the thread where sessions will live, mostly a worker.
 * Never imports bare `onnxruntime-web`: in a page that is the deprecated WebGPU build.
 */

import { assetsHint } from '../contract/assets-hint.ts';
import type { Device, DeviceRequest } from '../contract/device.ts';
import { looksLike } from '../contract/looks-like.ts';
import type { Ort, Runtime, RuntimeProgress, RuntimeRequest, Runtimes } from '../contract/runtime.ts';
import { MettleError } from '../errors.ts';
import { fetchFile } from './http.ts';
import { placesOf } from './places.ts';

export { onFirstMessage, runtimeFolder, scriptOf, startWorker } from './workers.ts';

type Choice =
  | { device: 'webgpu'; adapter: GPUAdapter; why: string[] }
  | { device: 'wasm'; adapter: null; why: string[] };
/** A build of onnxruntime-web: its script, and the module and WebAssembly, of `bytes` bytes, that it loads. All lie in one folder, where no bundler looks. */
type Build = { script: string; wasm: string; bytes: number };

const builds = {
  /** WebGPU where the browser can suspend WebAssembly: two thirds of the size of `asyncify`. */
  jspi: { script: 'ort.jspi.min.mjs', wasm: 'ort-wasm-simd-threaded.jspi', bytes: 16_758_545 },
  asyncify: { script: 'ort.webgpu.min.mjs', wasm: 'ort-wasm-simd-threaded.asyncify', bytes: 26_781_914 },
  wasm: { script: 'ort.wasm.min.mjs', wasm: 'ort-wasm-simd-threaded', bytes: 14_239_897 },
} satisfies Record<string, Build>;

/** Threads that a build was started with: its module takes the first number and keeps it. */
const threadsOfBuild = new Map<Build, number>();

/** Most bytes of a build's WebAssembly. */
const mostBytes = 64 * 2 ** 20;

/** Builds whose WebAssembly this thread has already. */
const fetched = new Set<Build>();

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
  return fetched.has(build) ? 0 : build.bytes;
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
  const ort = await importBuild(new URL(build.script, folder));
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: new URL(`${build.wasm}.mjs`, folder).href };
  if (!fetched.has(build)) {
    ort.env.wasm.wasmBinary = await fetchWasm(new URL(`${build.wasm}.wasm`, folder), build, onProgress);
    fetched.add(build);
  }
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

/** By ourselves, so that every byte is counted, and a server that answers with a page is found out. */
async function fetchWasm(url: URL, build: Build, onProgress: RuntimeProgress): Promise<Uint8Array<ArrayBuffer>> {
  const file = `${build.wasm}.wasm`;
  onProgress(file, 0, build.bytes);
  const bytes = await fetchFile(url, {
    onBytes: (received) => onProgress(file, received, Math.max(received, build.bytes)),
    limit: { bytes: mostBytes, exceeded: () => notLoaded(url, 'it is larger than any build of it.') },
  }).catch((cause: MettleError) => {
    throw cause.code === 'device' ? cause : notLoaded(url, cause.message, cause);
  });
  onProgress(file, bytes.byteLength, bytes.byteLength);
  const isWasm = new TextDecoder('latin1').decode(bytes.subarray(0, 4)) === '\0asm';
  if (!isWasm) throw notLoaded(url, `it holds ${looksLike(bytes)}, no WebAssembly.`);
  return bytes;
}

const notLoaded = (url: URL, why: string, cause?: unknown): MettleError =>
  new MettleError('device', `The runtime could not be loaded from ${url}: ${why}`, {
    hint: `${assetsHint} Or name the folder of its files in runtimePath; after a failed start only a new worker helps.`,
    cause,
  });

async function importBuild(script: URL): Promise<Ort> {
  try {
    return await import(/* @vite-ignore */ script.href);
  } catch (cause) {
    throw notLoaded(script, (cause as Error).message, cause);
  }
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
