/**
 * Which device a page runs on, and onnxruntime-web made ready for it. Called in the thread where sessions will live, mostly a worker.
 * Never imports bare `onnxruntime-web`: in a page that is the deprecated WebGPU build.
 */
import type { Device, DeviceRequest } from '../engine/types.ts';
import { MettleError } from '../errors.ts';
import type { Ort, Runtime, RuntimeRequest } from '../platform.ts';

/** Apart from `new URL`, because bundlers take the two together for a file to copy, and this names a folder. */
const here = import.meta.url;

type Choice =
  | { device: 'webgpu'; adapter: GPUAdapter; why: string[] }
  | { device: 'wasm'; adapter: null; why: string[] };
type Build = { file: string; load: () => Promise<Ort> };

const builds = {
  /** WebGPU where the browser can suspend WebAssembly: two thirds of the size of `asyncify`. */
  jspi: { file: 'ort-wasm-simd-threaded.jspi', load: () => import('onnxruntime-web/jspi') },
  asyncify: { file: 'ort-wasm-simd-threaded.asyncify', load: () => import('onnxruntime-web/webgpu') },
  wasm: { file: 'ort-wasm-simd-threaded', load: () => import('onnxruntime-web/wasm') },
} satisfies Record<string, Build>;

/** Threads that a build was started with: its module takes the first number and keeps it. */
const threadsOfBuild = new Map<Build, number>();

export async function chooseDevice(request: DeviceRequest, exclude: readonly Device[] = []): Promise<Device> {
  return (await choose(request, exclude)).device;
}

/** See `Platform.hasHalf`. */
export async function hasHalf(device: Device): Promise<boolean> {
  return device === 'webgpu' && isHalf((await findAdapter()).adapter);
}

/** See `Platform.loadRuntime`. Throws `device` where a GPU is asked for and there is none, `invalid-argument` for `cpu` and `cuda`. */
export async function loadRuntime(request: RuntimeRequest, exclude: readonly Device[] = []): Promise<Runtime> {
  const choice = await choose(request.device, exclude);
  const build = choice.device === 'wasm' ? builds.wasm : 'Suspending' in WebAssembly ? builds.jspi : builds.asyncify;
  const ort = await build.load();
  const threads = threadsFor(build, choice, request.threads);
  const folder = request.runtimePath
    ? new URL(request.runtimePath.replace(/\/?$/, '/'), location.href)
    : new URL('./runtime/', here);
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = {
    mjs: new URL(`${build.file}.mjs`, folder).href,
    wasm: new URL(`${build.file}.wasm`, folder).href,
  };
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
