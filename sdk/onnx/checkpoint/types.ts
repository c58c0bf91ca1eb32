/** A file of trained weights, whatever its container. */
import type { ElementType } from './elements.ts';

/** One tensor of it, not read yet. */
export type CheckpointTensor = {
  /** As stored. */
  dtype: ElementType;
  /** Axes, slowest first. */
  shape: number[];
  /** What reading it takes from the file. */
  bytes: number;
  /** Its numbers as float32, rows first. Throws `invalid-file`. */
  read(): Promise<Float32Array<ArrayBuffer>>;
};

/** An opened file of weights. */
export type Checkpoint = {
  /** How the file is made. */
  container: 'safetensors' | 'PyTorch';
  /** The key under which the weights lay, where they were not the whole file. */
  nested: string | null;
  /** By name. */
  tensors: Map<string, CheckpointTensor>;
  /** What else the file holds, by key: an optimizer's state, the epoch. */
  others: string[];
  /** What a safetensors file says of itself. */
  notes?: Readonly<Record<string, string>>;
};
