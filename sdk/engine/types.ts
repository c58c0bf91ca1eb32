/** What the engine takes and gives: bytes of verified models in, named arrays out. It knows taps and graphs, but no classes and no tasks. */

import type { RgbImage } from '../contract/clip.ts';
import type { Device, DeviceRequest } from '../contract/device.ts';
import type { EngineInfo } from '../contract/engine-info.ts';
import type { AdapterManifest, BackboneManifest } from '../contract/manifest.ts';
import type { AdapterOutputs, ModelPackage } from '../contract/model.ts';
import type { Warning } from '../errors.ts';

/** One second for the engine: what `media` made of it, without the thumbnail. */
export type EngineSegment = { frame: RgbImage | null; pcm: Float32Array<ArrayBuffer> | null };

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
  /** Makes the models ready on a device and runs each graph once. Throws `device`, `incompatible` or `invalid-file`. */
  load(request: EngineLoad, onProgress?: (progress: EngineProgress) => void): Promise<EngineInfo>;
  /**
   * Makes one more adapter ready on the device that was taken, and runs its graphs once; runs go on meanwhile. `key` names it from now on, as its id does those of `load`.
   * Resolves with what is to be told of it. Throws as `load`, and `invalid-argument` where the key is taken; then nothing is other than before.
   */
  add(
    key: string,
    adapter: ModelPackage<AdapterManifest>,
    onProgress?: (progress: EngineProgress) => void,
  ): Promise<Warning[]>;
  /** Frees an adapter; runs that use it fail from then on. A key that nothing has is ignored. */
  remove(key: string): Promise<void>;
  /** Starts a run over one clip for the adapters with these keys. */
  begin(keys: string[]): Promise<number>;
  /** One backbone pass and all per-segment graphs. Returns, by key, the outputs that the adapter's manifest marks `deliver: "segment"`, and `familiarity` of those that measure it. */
  push(run: number, segment: EngineSegment): Promise<Record<string, AdapterOutputs>>;
  /** Starts a run without an end, whose clip graphs see the last `seconds` seconds, at least 1; only `look` and `cancel` take it. */
  beginLive(keys: string[], seconds: number): Promise<number>;
  /** As `push`, of the second that ends at `end` (in seconds, always later than before), and with it the clip graphs' outputs for that second, [1, ...]. */
  look(run: number, segment: EngineSegment, end: number): Promise<Record<string, AdapterOutputs>>;
  /** Runs the clip graphs over what was kept and ends the run. Outputs are [segments pushed, ...], by key. */
  finish(run: number): Promise<Record<string, AdapterOutputs>>;
  /** One backbone pass for one adapter: where the second lies among those that it learned from, `audio` and `visual`, each [d] and of length 1; a sense that is not there is absent. */
  embed(key: string, segment: EngineSegment): Promise<AdapterOutputs>;
  /** Ends a run early and frees what it kept. Unknown or ended runs are ignored. */
  cancel(run: number): Promise<void>;
  /** Frees models and device; open calls reject with `disposed`. */
  dispose(): Promise<void>;
}
