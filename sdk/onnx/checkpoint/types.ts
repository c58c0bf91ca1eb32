/** A file of trained weights, whatever its container. */
import type { ElementType } from './elements.ts';

export type CheckpointTensor = {
  dtype: ElementType;
  shape: number[];
  /** What reading it takes from the file. */
  bytes: number;
  /** Its numbers as float32, rows first. Throws `invalid-file`. */
  read(): Promise<Float32Array<ArrayBuffer>>;
};

export type Checkpoint = {
  container: 'safetensors' | 'PyTorch';
  /** The key under which the weights lay, where they were not the whole file. */
  nested: string | null;
  tensors: Map<string, CheckpointTensor>;
  /** What else the file holds, by key: an optimizer's state, the epoch. */
  others: string[];
  /** What a safetensors file says of itself. */
  notes?: Readonly<Record<string, string>>;
};
