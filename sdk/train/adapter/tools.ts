/** What a training runs on, from names: the backbone's files, the engine that runs it, and the runtime of the steps. In a page as in Node. */

import { bytesFor } from '#bytes';
import { runtimeFolder, runtimes } from '#runtimes';
import type { DeviceRequest } from '../../contract/device.ts';
import type { BackboneManifest } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import { checkOptions, type Rules } from '../../contract/options.ts';
import { DEFAULT_BACKBONE } from '../../contract/registry.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { throughDoor } from '../../door.ts';
import { LocalEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/types.ts';
import { variantOf } from '../../engine/variant.ts';
import { createRules, openBackbone } from '../../load.ts';
import type { FileStore } from '../features/tap-cache.ts';
import type { CheckpointStore } from '../loop/checkpoint.ts';

/** Names of what a training runs on. */
export type ToolOptions = {
  /** Shipped id, or path or URL of a folder with a manifest.json; or two, one for pictures and one for sounds. Default `nano`. */
  backbone?: string | readonly [string, string];
  /** Default `auto`. */
  device?: DeviceRequest;
  /** Threads of the CPU kernels. Default: chosen by the machine. */
  threads?: number;
  /** Page: URL of the folder with the runtime's `.mjs` and `.wasm` files, if they do not lie with the other assets. */
  runtimePath?: string;
  /** Page: URL of the folder that `mettle assets` wrote, as for `createMettle`. */
  assets?: string;
  /** Ends the loading: it rejects with the signal's reason. */
  signal?: AbortSignal;
};

const toolRules: Rules<ToolOptions> = {
  backbone: createRules.backbone,
  device: createRules.device,
  threads: createRules.threads,
  runtimePath: createRules.runtimePath,
  assets: createRules.assets,
  signal: createRules.signal,
};

/** The part of `trainAdapter`'s options that has to do with machines. Dispose of it when the training is over. */
export type Tools = {
  /** Its files, for the device. */
  backbone: ModelPackage<BackboneManifest>;
  /** Runs the backbone. */
  engine: Engine;
  /** Runs the training steps. */
  runtime: Runtime;
  /** The device of both. */
  device: DeviceRequest;
  /** As it was given. */
  runtimePath?: string;
  /** Frees engine and runtime. */
  dispose(): Promise<void>;
};

/** Throws what `createMettle` throws for the same names and devices. */
export async function openTools(options: ToolOptions = {}): Promise<Tools> {
  checkOptions(options, toolRules);
  return await throughDoor(options.signal, () => open(options));
}

async function open({ signal, threads, assets, ...options }: ToolOptions): Promise<Tools> {
  const runtimePath = runtimeFolder(assets, options.runtimePath);
  const device = await runtimes.chooseDevice(options.device ?? 'auto');
  const opened = await openBackbone(options.backbone ?? DEFAULT_BACKBONE, { signal, platform: bytesFor(assets) });
  const backbone = await opened.download(variantOf(device), { signal });
  const runtime = await runtimes.loadRuntime({ device, threads, runtimePath });
  // In the thread of the training, where one queue orders all calls of the runtime.
  const engine = new LocalEngine(runtimes);
  return {
    backbone,
    engine,
    runtime,
    device,
    runtimePath,
    async dispose() {
      await engine.dispose();
      runtime.dispose();
    },
  };
}

/** Keeps features and checkpoints in memory, as long as the page or the program lives. */
export function memoryStore(): FileStore & CheckpointStore {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    load: async (name) => files.get(name) ?? null,
    save: async (name, bytes) => void files.set(name, bytes),
  };
}
