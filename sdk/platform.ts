/**
 * What differs between a page and Node, in one interface. `#platform` (package.json, "imports") resolves to `sdk/page/platform.ts` or
 * `sdk/node/platform.ts`; nothing else in the SDK asks where it runs.
 */
import type { Source } from 'mediabunny';
import type { InferenceSession } from 'onnxruntime-common';
import type { ByteLimit } from './contract/limits.ts';
import type { Device, DeviceRequest, Engine } from './engine/types.ts';

export type Ort = typeof import('onnxruntime-common');

/** A runtime that is ready to create sessions, and how it was chosen. */
export type Runtime = {
  ort: Ort;
  device: Device;
  /** e.g. `onnxruntime-web 1.30.0`. */
  name: string;
  threads: number;
  gpu: { vendor: string; architecture: string; description: string } | null;
  /** Whether the GPU computes in half precision (`shader-f16`); left out where that cannot be known, as in Node. */
  half?: boolean;
  why: string[];
  /** What a session gets as its execution provider. */
  provider: InferenceSession.ExecutionProviderConfig;
  /** Aborts with a `device` error when the GPU is lost; null where that cannot be known. */
  lost: AbortSignal | null;
  /** Frees the GPU device, after all sessions were released. */
  dispose(): void;
};

export type RuntimeRequest = { device: DeviceRequest; threads?: number; runtimePath?: string };

export interface Platform {
  readonly kind: 'page' | 'node';
  /** Folder of the models that ship with the package, as a URL that ends with `/`. */
  readonly modelsUrl: string;
  /** Makes codecs ready that the platform does not bring along (Node). Throws `missing-package` where there is none. */
  prepareDecoders(): Promise<void>;
  /** A source over a path or URL that the caller named. Throws `not-found`. */
  openSource(location: string | URL): Promise<Source>;
  /** Whole file at a `file:` or `http(s):` URL, held once. Throws `not-found`, `network`, or the error of `limit`. */
  readFile(
    url: URL,
    options: { signal?: AbortSignal; onBytes?: (received: number) => void; limit?: ByteLimit },
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** SHA-256 without a copy of the bytes, where the platform has one. */
  digest?(bytes: Uint8Array): Promise<`sha256-${string}`>;
  /** Turns what a caller wrote (path, URL) into an absolute URL. */
  resolveUrl(location: string): URL;
  /** The device that `loadRuntime` would take, without loading anything: it says which variant of the models to download. Throws as `loadRuntime` does. */
  chooseDevice(request: DeviceRequest, exclude?: readonly Device[]): Promise<Device>;
  /** As `Runtime.half`, of the device that `chooseDevice` gave. */
  hasHalf(device: Device): Promise<boolean | undefined>;
  /** Chooses a device and loads the runtime for it; called where sessions will live. `exclude` names devices that failed already. */
  loadRuntime(request: RuntimeRequest, exclude?: readonly Device[]): Promise<Runtime>;
  /** The engine that callers get when they name no worker: in a page in a worker of its own, in Node in this thread (the native runtime has its own threads). */
  createEngine(options: { worker?: Worker | false }): Promise<Engine>;
}
