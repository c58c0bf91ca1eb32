/** Which device Node runs on, and the runtime for it: onnxruntime-node where it is installed, onnxruntime-web's WASM otherwise. */
import { availableParallelism } from 'node:os';
import type { Device, DeviceRequest } from '../engine/types.ts';
import { MettleError } from '../errors.ts';
import type { Ort, Runtime, RuntimeRequest } from '../platform.ts';

const install = 'Install it: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0';

/** Threads that WASM was started with: its module takes the first number and keeps it. */
let wasmThreads: number | null = null;

/** Whether a GPU answers is known only when a session is created, so `webgpu` is never refused here for want of a driver. */
export async function chooseDevice(request: DeviceRequest, exclude: readonly Device[] = []): Promise<Device> {
  return (await choose(request, exclude)).device;
}

/** See `Platform.loadRuntime`. Throws `device` where `webgpu` is asked for without onnxruntime-node. */
export async function loadRuntime(request: RuntimeRequest, exclude: readonly Device[] = []): Promise<Runtime> {
  const { device, native, why } = await choose(request.device, exclude);
  const wanted = request.threads ?? Math.min(8, Math.max(1, Math.floor(availableParallelism() / 2)));
  const rest = { device, gpu: null, why, provider: device, lost: null, dispose() {} };
  if (native) {
    native.env.logLevel = 'error';
    const name = `onnxruntime-node ${native.env.versions.node ?? native.env.versions.common}`;
    return { ort: native, name, threads: device === 'cpu' ? wanted : 1, ...rest };
  }
  // In Node, and only there, the bare entry is the WASM build, and the only one of the package that can start threads here.
  const ort: Ort = await import('onnxruntime-web');
  wasmThreads ??= wanted;
  const threads = wasmThreads;
  if (request.threads !== undefined && request.threads !== threads) {
    why.push(`${threads} threads, because WASM was started with as many in this thread before.`);
  }
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = threads;
  return { ort, name: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`, threads, ...rest };
}

async function choose(
  request: DeviceRequest,
  exclude: readonly Device[],
): Promise<{ device: Device; native: Ort | null; why: string[] }> {
  if (request === 'wasm') return { device: 'wasm', native: null, why: ['WASM was asked for.'] };
  const native = await importNative();
  if (request === 'webgpu') {
    if (native instanceof Error) {
      throw new MettleError('device', 'WebGPU in Node needs onnxruntime-node, which cannot be loaded here.', {
        hint: `${install}. Or use device "auto".`,
        cause: native,
      });
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

/** An optional peer: the error where it is missing, or has no binary for this machine. */
async function importNative(): Promise<Ort | Error> {
  try {
    const module: Ort & { default?: Ort } = await import('onnxruntime-node');
    return module.default ?? module;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
