/** What the engine takes and gives: bytes of verified models in, named arrays out. It knows taps and graphs, but no classes and no tasks. */

import type { AdapterManifest, BackboneManifest } from '../contract/manifest.ts';
import type { AdapterOutputs, ModelPackage, VariantName } from '../contract/model.ts';
import type { Warning } from '../errors.ts';
import type { RgbImage } from '../media/types.ts';

/**
 * `auto` takes WebGPU where it works and WASM otherwise; in Node onnxruntime-node's CPU where installed and WASM otherwise. `cpu` and `cuda` exist in Node
 * only, and `cuda` only where onnxruntime-node was installed with it.
 */
export type DeviceRequest = 'auto' | 'webgpu' | 'wasm' | 'cpu' | 'cuda';
export type Device = Exclude<DeviceRequest, 'auto'>;

/** One second for the engine: what `media` made of it, without the thumbnail. */
export type EngineSegment = { frame: RgbImage | null; pcm: Float32Array<ArrayBuffer> | null };

export type EngineInfo = {
  device: Device;
  variant: VariantName;
  /** Name and version of the runtime, e.g. `onnxruntime-web 1.30.0`. */
  runtime: string;
  /** Threads of the CPU kernels; 1 on a GPU. */
  threads: number;
  /** The GPU, where one is used. */
  gpu: { vendor: string; architecture: string; description: string } | null;
  /** Why this device and not another, one sentence each, in order of decision. */
  why: string[];
  backbone: { id: string; version: string };
  adapters: { id: string; version: string; task: string }[];
  /** Milliseconds spent creating sessions, and running each graph once so that no shader is compiled later. */
  loadMs: number;
  warmupMs: number;
  warnings: Warning[];
};

export type EngineLoad = {
  backbone: ModelPackage<BackboneManifest>;
  adapters: ModelPackage<AdapterManifest>[];
  device: DeviceRequest;
  /** Threads of the CPU kernels; default: half of the logical cores at least 1 at most 8. */
  threads?: number;
  /** Where the runtime's own `.mjs` and `.wasm` files lie; a page only. */
  runtimePath?: string;
};

/** `half` as `Runtime.half`; `runtimeBytes` as `Runtimes.bytesToLoad`. */
export type DeviceChoice = { device: Device; half?: boolean; runtimeBytes: number };

/** Bytes of the runtime's file, where it is fetched; graphs made ready; graphs run once. */
export type EngineProgress =
  | { phase: 'download'; file: string; done: number; total: number }
  | { phase: 'load' | 'warmup'; done: number; total: number };

/**
 * Runs a backbone once per segment and every chosen adapter on its taps. Same interface in this thread and across the worker bridge.
 * All calls are queued: the runtime never sees two at once.
 */
export interface Engine {
  /** The device that `load` would take, without loading anything: it says which variant of the models to download. Rejects as `load` does. */
  chooseDevice(request: DeviceRequest): Promise<DeviceChoice>;
  load(request: EngineLoad, onProgress?: (progress: EngineProgress) => void): Promise<EngineInfo>;
  /** Starts a run over one clip for the adapters with these ids. */
  begin(adapterIds: string[]): Promise<number>;
  /** One backbone pass and all per-segment graphs. Returns, by adapter id, the outputs that its manifest marks `deliver: "segment"`. */
  push(run: number, segment: EngineSegment): Promise<Record<string, AdapterOutputs>>;
  /** Runs the clip graphs over what was kept and ends the run. Outputs are [segments pushed, ...], by adapter id. */
  finish(run: number): Promise<Record<string, AdapterOutputs>>;
  /** Ends a run early and frees what it kept. Unknown or ended runs are ignored. */
  cancel(run: number): Promise<void>;
  dispose(): Promise<void>;
}
