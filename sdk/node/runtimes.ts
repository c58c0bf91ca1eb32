/** Which device Node runs on, and the runtime for it: onnxruntime-node where it is installed, onnxruntime-web's WASM otherwise. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Device, DeviceRequest } from '../contract/device.ts';
import type { Ort, Runtime, RuntimeRequest, Runtimes } from '../contract/runtime.ts';
import { MettleError } from '../errors.ts';
import { checkedRuntime } from './runtime-files.ts';

export { logicalCores, onFirstMessage, runtimeFolder, scriptOf, startWorker } from './workers.ts';

const installCuda = 'Install it: ONNXRUNTIME_NODE_INSTALL=cuda12 npm install onnxruntime-node@1.30.0';
const install = 'Install it: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0';

/** Threads that WASM was started with: its module takes the first number and keeps it. */
let wasmThreads: number | null = null;

export const runtimes: Runtimes = {
  chooseDevice,
  // onnxruntime-node does not tell what its GPU has.
  hasHalf: async () => undefined,
  // It is installed.
  bytesToLoad: () => 0,
  loadRuntime,
};

/** Whether a GPU answers is known only when a session is created, so `webgpu` is never refused here for want of a driver. */
async function chooseDevice(request: DeviceRequest, exclude: readonly Device[] = []): Promise<Device> {
  return (await choose(request, exclude)).device;
}

/** See `Runtimes.loadRuntime`. Throws `device` where `webgpu` or `cuda` is asked for and onnxruntime-node, or its part for CUDA, is not there. */
async function loadRuntime(request: RuntimeRequest, exclude: readonly Device[] = []): Promise<Runtime> {
  const { device, native, why } = await choose(request.device, exclude);
  const wanted = request.threads ?? Math.min(8, Math.max(1, Math.floor(availableParallelism() / 2)));
  const rest = { device, gpu: null, why, provider: device, lost: null, dispose() {} };
  if (native) {
    native.env.logLevel = 'fatal';
    const name = `onnxruntime-node ${native.env.versions.node ?? native.env.versions.common}`;
    return { ort: native, name, threads: device === 'cpu' ? wanted : 1, ...rest };
  }
  const ort = await checkedRuntime();
  wasmThreads ??= wanted;
  const threads = wasmThreads;
  if (request.threads !== undefined && request.threads !== threads) {
    why.push(`${threads} threads, because WASM was started with as many in this thread before.`);
  }
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = threads;
  return { ort, name: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`, threads, ...rest };
}

async function choose(
  request: DeviceRequest,
  exclude: readonly Device[],
): Promise<{ device: Device; native: Ort | null; why: string[] }> {
  if (request === 'wasm') return { device: 'wasm', native: null, why: ['WASM was asked for.'] };
  const native = await importNative();
  if (request === 'webgpu' || request === 'cuda') {
    if (native instanceof Error) {
      const name = request === 'cuda' ? 'CUDA' : 'WebGPU in Node';
      throw new MettleError('device', `${name} needs onnxruntime-node, which cannot be loaded here.`, {
        hint: `${request === 'cuda' ? installCuda : install}. Or use device "auto".`,
        cause: native,
      });
    }
    if (request === 'cuda') {
      if (!hasCuda()) throw noCuda();
      return { device: 'cuda', native, why: ['CUDA was asked for.'] };
    }
    const why = ['WebGPU was asked for.', 'onnxruntime-node does not tell which GPU it took.'];
    return { device: 'webgpu', native, why };
  }
  if (native instanceof Error) {
    return { device: 'wasm', native: null, why: [`WASM, because onnxruntime-node cannot be loaded. ${install}.`] };
  }
  if (exclude.includes('cpu')) return { device: 'wasm', native: null, why: ['WASM, because the CPU is excluded.'] };
  const why = request === 'cpu' ? 'The CPU was asked for.' : 'The CPU, because onnxruntime-node is installed.';
  return { device: 'cpu', native, why: [why] };
}

/** onnxruntime-node's own install script fetches the part for CUDA, unless it is told to skip it; without that part the runtime only fails in each session. */
function hasCuda(): boolean {
  const root = join(createRequire(import.meta.url).resolve('onnxruntime-node'), '..', '..', 'bin');
  const file = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
  return readdirSync(root).some((abi) => existsSync(join(root, abi, process.platform, process.arch, file)));
}

const noCuda = (): MettleError =>
  new MettleError('device', 'CUDA was asked for, but onnxruntime-node was installed without its part for CUDA.', {
    hint: 'On Linux x64: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node. Or use device "cpu" or "webgpu".',
  });

/** An optional peer: the error where it is missing, or has no binary for this machine. */
async function importNative(): Promise<Ort | Error> {
  try {
    const module: Ort & { default?: Ort } = await import('onnxruntime-node');
    return module.default ?? module;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
