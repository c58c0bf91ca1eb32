/**
 * Features of clips kept between epochs and runs, in half precision, one file per clip. Backbones are frozen and deterministic, so a clip is seen by one
 * only once. What is kept follows from the room that the caller allows.
 */

import type { Tap } from '../../contract/manifest.ts';
import { MettleError } from '../../errors.ts';
import { encodeHalf } from '../../onnx/float16.ts';
import {
  readSafetensors,
  type TensorData,
  type TensorView,
  tensorOf,
  toFloat32,
  writeSafetensors,
} from '../../onnx/safetensors.ts';

/** Files by name. `save` leaves either the whole file or none. */
export type FileStore = {
  /** Null where there is no such file. */
  load(name: string): Promise<Uint8Array | null>;
  /** Throws `write` where it cannot be kept. */
  save(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
};

export type ClipTaps = { seconds: number; taps: Record<string, Float32Array> };
/** As they are kept: half precision as bit patterns, in Uint16Array, float32 where it cannot hold them. Views of what was read, not copies. */
export type KeptTaps = { seconds: number; taps: Record<string, Float32Array | Uint16Array> };

/** `all`: every tap of the backbone, for any adapter to come; `read`: those that this one reads; `none`: clips are run again each time. */
export type CachePolicy = {
  /** Which taps. */
  keep: 'all' | 'read' | 'none';
  /** What they take. */
  bytes: number;
  /** Why, one sentence. */
  reason: string;
};

const largestHalf = 65504;

/** Bytes of a second's taps in half precision. */
export const bytesPerSecond = (taps: readonly Tap[]): number =>
  taps.reduce((sum, { tokens, width }) => sum + 2 * tokens * width, 0);

/** The most that fits into `budget` bytes for so many seconds of clips. */
export function choosePolicy(all: readonly Tap[], read: readonly Tap[], seconds: number, budget: number): CachePolicy {
  const need = { all: bytesPerSecond(all) * seconds, read: bytesPerSecond(read) * seconds };
  const size = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
  if (need.all <= budget) {
    return { keep: 'all', bytes: need.all, reason: `all taps of ${seconds} s fit: ${size(need.all)}` };
  }
  if (need.read <= budget) {
    const reason = `all taps would take ${size(need.all)}; those that are read take ${size(need.read)}`;
    return { keep: 'read', bytes: need.read, reason };
  }
  const reason = `even the taps that are read would take ${size(need.read)} of ${size(budget)}: the backbone runs again each epoch`;
  return { keep: 'none', bytes: 0, reason };
}

/** Clip features by key, computed by `compute` where the store has none. `key` must change with the clip, the backbone and the taps. */
export class TapCache {
  readonly #store: FileStore | null;
  readonly #compute: (index: number, signal?: AbortSignal) => Promise<ClipTaps>;
  readonly #key: (index: number) => string;

  constructor(
    store: FileStore | null,
    key: (index: number) => string,
    compute: (index: number, signal?: AbortSignal) => Promise<ClipTaps>,
  ) {
    this.#store = store;
    this.#key = key;
    this.#compute = compute;
  }

  /**
   * Features of clip `index`: the taps of these names. They pass through half precision whether they come from the store or not, so that a cache changes no
   * result.
   */
  async read(index: number, taps: Iterable<string>, signal?: AbortSignal): Promise<KeptTaps> {
    const name = `${this.#key(index)}.safetensors`;
    const kept = await this.#store?.load(name);
    const known = kept && decodeIfWhole(kept, name, taps);
    if (known) return known;
    const bytes = encode(await this.#compute(index, signal));
    await this.#store?.save(name, bytes);
    return decode(bytes, name, taps);
  }

  /** Sees to it that the store has the features of clip `index`. */
  async fill(index: number, signal?: AbortSignal): Promise<void> {
    await this.read(index, [], signal);
  }
}

/** Numbers beyond what half precision holds (some networks have such) stay as they are, and so does what is no number, to be found by whoever computes with it. */
function encode({ seconds, taps }: ClipTaps): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(taps).map(([name, data]) => {
    const tensor: TensorData = data.every((x) => Math.abs(x) <= largestHalf)
      ? { dtype: 'F16', shape: [data.length], data: encodeHalf(data) }
      : { dtype: 'F32', shape: [data.length], data };
    return [name, tensor];
  });
  return writeSafetensors(Object.fromEntries(tensors), { seconds: String(seconds) });
}

/** Null for a file that was damaged since it was written: its clip is seen again. */
function decodeIfWhole(bytes: Uint8Array, where: string, names: Iterable<string>): KeptTaps | null {
  try {
    return decode(bytes, where, names);
  } catch (error) {
    if (error instanceof MettleError && error.code === 'invalid-file') return null;
    throw error;
  }
}

function decode(bytes: Uint8Array, where: string, names: Iterable<string>): KeptTaps {
  const file = readSafetensors(bytes, where);
  const taps = [...names].map((name) => [name, numbersOf(tensorOf(file, name))]);
  return { seconds: Number(file.metadata.seconds), taps: Object.fromEntries(taps) };
}

function numbersOf(tensor: TensorView): Float32Array | Uint16Array {
  const { buffer, byteOffset, byteLength } = tensor.bytes;
  return tensor.dtype === 'F16' && byteOffset % 2 === 0
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : toFloat32(tensor);
}
