/** Named arrays: what graphs give, and whether it is what a manifest says. */
import type { Tensor } from 'onnxruntime-common';
import type { TensorSpec } from '../contract/manifest.ts';
import type { AdapterOutputs, NamedArray } from '../contract/model.ts';
import { MettleError } from '../errors.ts';
import type { GraphSession, Tensors } from './session.ts';
import type { AnyManifest } from './variant.ts';

/** An output of one second, [1, ...], as `segments` of them, [segments, ...]. */
export function stacked(segments: number, shape: readonly number[], data: Float32Array<ArrayBuffer>): NamedArray {
  return { shape: [segments, ...shape.slice(1)], data };
}

/** How many numbers there are. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

/** Runs a graph; its outputs as arrays. Throws `incompatible` where one is no float32. */
export async function runToArrays(
  session: GraphSession,
  feeds: Tensors,
  outputs: readonly TensorSpec[],
  model: string,
): Promise<AdapterOutputs> {
  const names = outputs.map((output) => output.name);
  const tensors = await session.run(feeds, names);
  return Object.fromEntries(names.map((name) => [name, toArray(tensors[name]!, name, model)]));
}

function toArray(tensor: Tensor, name: string, model: string): NamedArray {
  if (tensor.type !== 'float32') {
    throw new MettleError('incompatible', `Output "${name}" of "${model}" is ${tensor.type}, but must be float32.`);
  }
  return { shape: [...tensor.dims], data: tensor.data as Float32Array<ArrayBuffer> };
}

/** Throws `incompatible` where an output has another shape than the manifest says. */
export function checkShapes(
  { kind, id }: AnyManifest,
  specs: readonly TensorSpec[],
  shapeOf: (name: string) => readonly number[],
): void {
  for (const { name, shape } of specs) {
    const actual = shapeOf(name);
    if (String(actual) === String(shape)) continue;
    throw new MettleError(
      'incompatible',
      `Output "${name}" of ${kind} "${id}" is [${actual}], but its manifest says [${shape}].`,
      { hint: 'Export the adapter again, so that graphs and manifest come from one run.' },
    );
  }
}
