/** What runs, where and why: the part of the engine that results carry with them. */
import type { Warning } from '../errors.ts';
import type { Device } from './device.ts';
import type { VariantName } from './model.ts';

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
