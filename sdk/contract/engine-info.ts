/** What runs, where and why: the part of the engine that results carry with them. */
import type { Warning } from '../errors.ts';
import type { Device } from './device.ts';
import type { VariantName } from './model.ts';

/** Device, variant and models that a Mettle runs, and why. */
export type EngineInfo = {
  /** The device that was taken. */
  device: Device;
  /** Which compiled form of the models it runs. */
  variant: VariantName;
  /** Name and version of the runtime, e.g. `onnxruntime-web 1.30.0`. */
  runtime: string;
  /** Threads of the CPU kernels; 1 on a GPU. */
  threads: number;
  /** The GPU, where one is used. */
  gpu: {
    /** As WebGPU tells it, e.g. `nvidia`; empty where it does not. */
    vendor: string;
    /** As WebGPU tells it, e.g. `ampere`. */
    architecture: string;
    /** As WebGPU tells it. */
    description: string;
  } | null;
  /** Why this device and not another, one sentence each, in order of decision. */
  why: string[];
  /** The loaded backbone. */
  backbone: {
    /** Of a pair: `pictures+sounds`. */
    id: string;
    /** As its manifest says. */
    version: string;
  };
  /** Adapters that can be asked, in the order they were named; with a budget, some may wait outside memory. */
  adapters: {
    /** As its manifest says. */
    id: string;
    /** As its manifest says. */
    version: string;
    /** What it answers. */
    task: string;
  }[];
  /** Milliseconds spent creating sessions. */
  loadMs: number;
  /** Milliseconds spent running each graph once, so that no shader is compiled later. */
  warmupMs: number;
  /** Such as `device-fallback`: why a GPU was given up. */
  warnings: Warning[];
};
