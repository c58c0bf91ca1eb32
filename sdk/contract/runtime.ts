/**
 * The second of the two doors to the platform: runtimes, and the workers that they run in. `#runtimes` (package.json, "imports") resolves to
 * `sdk/page/runtimes.ts` or `sdk/node/runtimes.ts`.
 */
import type { InferenceSession } from 'onnxruntime-common';
import type { Device, DeviceRequest } from './device.ts';

export type Ort = typeof import('onnxruntime-common');

/** A runtime that is ready to create sessions, and how it was chosen. */
export type Runtime = {
  /** @internal Types of a dependency are no part of this package's own. */
  ort: Ort;
  device: Device;
  /** e.g. `onnxruntime-web 1.30.0`. */
  name: string;
  threads: number;
  gpu: { vendor: string; architecture: string; description: string } | null;
  /** Whether the GPU computes in half precision (`shader-f16`); left out where that cannot be known, as in Node. */
  half?: boolean;
  why: string[];
  /** @internal What a session gets as its execution provider. */
  provider: InferenceSession.ExecutionProviderConfig;
  /** Aborts with a `device` error when the GPU is lost; null where that cannot be known. */
  lost: AbortSignal | null;
  /** Frees the GPU device, after all sessions were released. */
  dispose(): void;
};

export type RuntimeRequest = { device: DeviceRequest; threads?: number; runtimePath?: string };

/** Bytes of `file` that have come, of so many. */
export type RuntimeProgress = (file: string, done: number, total: number) => void;

export interface Runtimes {
  /** The device that `loadRuntime` would take, without loading anything: it says which variant of the models to download. Throws as `loadRuntime` does. */
  chooseDevice(request: DeviceRequest, exclude?: readonly Device[]): Promise<Device>;
  /** As `Runtime.half`, of the device that `chooseDevice` gave. */
  hasHalf(device: Device): Promise<boolean | undefined>;
  /** Bytes that `loadRuntime` will fetch over the network for this device; 0 where they are installed, or there already. */
  bytesToLoad(device: Device): number;
  /** Chooses a device and loads the runtime for it; called where sessions will live. `exclude` names devices that failed already. */
  loadRuntime(request: RuntimeRequest, exclude?: readonly Device[], onProgress?: RuntimeProgress): Promise<Runtime>;
}
