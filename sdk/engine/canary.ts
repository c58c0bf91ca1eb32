/**
 * The canary: what a model must give for inputs that nobody has to ship, so that a device whose kernels compute wrongly is found out when the model is loaded.
 *
 * Inputs are made from their name and shape: the numbers of `seededRandom('canary ' + name)`, in the order of the array, spread evenly over -sqrt(3) to
 * sqrt(3) and so of unit deviation; an input called `mask` is all ones. The file holds outputs alone, float32 tensors called `out/<graph>/<output>`: for a
 * backbone the last tap of each sense (graphs `visual` and `audio`), for an adapter all outputs of its graphs `segment`, `clip` and `borders`. Of an output with more
 * than `mostValues` numbers it holds every n-th from the first on, n odd.
 * This file runs no graphs; `models.ts` does, and `compile/canary.ts` writes such files.
 */

import { bordersOutput } from '../contract/borders.ts';
import type { Device } from '../contract/device.ts';
import type { AdapterManifest, Canary } from '../contract/manifest.ts';
import type { ModelPackage } from '../contract/model.ts';
import { ownPath, type WholeBackbone } from '../contract/pair.ts';
import { MettleError } from '../errors.ts';
import { readSafetensors, toFloat32, writeSafetensors } from '../onnx/safetensors.ts';
import { seededRandom } from '../random.ts';
import { sizeOf } from './arrays.ts';
import type { AnyManifest } from './variant.ts';

/** Kept of one output at most, unless the caller wants fewer. */
const mostValues = 2048;

/** An output whose largest value is below this is compared as if that were this large. */
const leastMagnitude = 1e-6;

/** What a canary has numbers of: elements of each output, by graph and name. */
export type CanaryOutputs = Record<string, Record<string, number>>;

/** Numbers by graph and output, whole or as the file keeps them. */
export type CanaryNumbers = Record<string, Record<string, Float32Array>>;

/** The numbers of an input. */
export function canaryInput(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const data = new Float32Array(sizeOf(shape));
  if (name === 'mask') return data.fill(1);
  const random = seededRandom(`canary ${name}`);
  const width = 2 * Math.sqrt(3);
  for (let i = 0; i < data.length; i++) data[i] = width * (random() - 0.5);
  return data;
}

/** The outputs of a backbone's senses that its canary has numbers of. */
export function backboneOutputs({ taps }: Pick<WholeBackbone, 'taps'>): CanaryOutputs {
  const graphs = Object.entries(taps).flatMap(([sense, own]) => {
    const last = own.at(-1);
    return last ? [[sense, { [last.name]: last.tokens * last.width }]] : [];
  });
  return Object.fromEntries(graphs);
}

/** The outputs of an adapter that its canary has numbers of. */
export function adapterOutputs({
  classes,
  segment,
  clip,
  borders,
}: Pick<AdapterManifest, 'classes' | 'segment' | 'clip' | 'borders'>): CanaryOutputs {
  const sizes = (outputs: readonly { name: string; shape: number[] }[]) =>
    Object.fromEntries(outputs.map(({ name, shape }) => [name, sizeOf(shape)]));
  return {
    segment: sizes(segment.outputs),
    ...(clip && { clip: sizes(clip.outputs) }),
    ...(borders && { borders: { [bordersOutput]: borders.steps * classes.length } }),
  };
}

/** The file, from whole outputs. */
export function writeCanary(outputs: CanaryNumbers, most = mostValues): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(outputs).flatMap(([graph, named]) =>
    Object.entries(named).map(([name, data]) => {
      const kept = thinned(data, most);
      return [tensorName(graph, name), { dtype: 'F32' as const, shape: [kept.length], data: kept }] as const;
    }),
  );
  return writeSafetensors(Object.fromEntries(tensors));
}

/**
 * Reads a file that must hold exactly `outputs`. Throws `invalid-file` that begins with `where`, also where a number is not finite.
 */
export function readCanary(bytes: Uint8Array, outputs: CanaryOutputs, where: string, most = mostValues): CanaryNumbers {
  const fail = (problem: string): never => {
    throw new MettleError('invalid-file', `${where}: ${problem}.`, {
      hint: 'Export the model again, so that its canary comes from its own graphs.',
    });
  };
  const { tensors } = readSafetensors(bytes, where);
  const numbers: CanaryNumbers = {};
  let found = 0;
  for (const [graph, sizes] of Object.entries(outputs)) {
    numbers[graph] = {};
    for (const [name, size] of Object.entries(sizes)) {
      const tensor = tensors.get(tensorName(graph, name)) ?? fail(`lacks the tensor "${tensorName(graph, name)}"`);
      const kept = Math.ceil(size / stepOf(size, most));
      if (tensor.dtype !== 'F32' || String(tensor.shape) !== String(kept)) {
        fail(`"${tensorName(graph, name)}" is ${tensor.dtype} [${tensor.shape}], expected F32 [${kept}]`);
      }
      const data = toFloat32(tensor);
      if (!data.every(Number.isFinite)) fail(`"${tensorName(graph, name)}" holds a number that is not finite`);
      numbers[graph][name] = data;
      found++;
    }
  }
  if (found < tensors.size) fail(`${tensors.size} tensors, expected the ${found} of its outputs`);
  return numbers;
}

/** The largest difference of two arrays of the same length, over the largest expected value. Infinity where a number is not finite. */
export function canaryError(actual: Float32Array, expected: Float32Array): number {
  let [largest, worst] = [leastMagnitude, 0];
  expected.forEach((x, i) => {
    largest = Math.max(largest, Math.abs(x));
    const difference = Math.abs(x - actual[i]!);
    worst = Number.isFinite(difference) ? Math.max(worst, difference) : Number.POSITIVE_INFINITY;
  });
  return worst / largest;
}

/** Throws `device` where a whole output is further off than the canary allows from what it has of it. `model` is, for messages, e.g. `Backbone "nano"`. */
export function checkCanary(
  outputs: Record<string, Float32Array>,
  expected: Record<string, Float32Array>,
  { model, rtol, device }: { model: string; rtol: Canary['rtol']; device: Device },
): void {
  for (const [name, kept] of Object.entries(expected)) {
    const error = canaryError(thinned(outputs[name]!), kept);
    if (error <= rtol) continue;
    const share = (x: number): string => `${Number((100 * x).toPrecision(2))} %`;
    const fault = Number.isFinite(error)
      ? `differs by ${share(error)} of its largest value, where ${share(rtol)} are allowed`
      : 'differs by holding numbers that are not finite';
    throw new MettleError('device', `${model} gives wrong numbers on ${device}: output "${name}" ${fault}.`, {
      hint:
        device === 'wasm' || device === 'cpu'
          ? 'Export the model again: its canary does not belong to its graphs, or this build of the runtime is broken.'
          : 'Use device "auto", "wasm" or "cpu"; a newer browser or GPU driver may compute it right.',
    });
  }
}

const tensorName = (graph: string, output: string): string => `out/${graph}/${output}`;

/** Odd, so that no power of two, as widths often are, makes it meet the same columns only. */
function stepOf(size: number, most: number): number {
  return size <= most ? 1 : Math.ceil(size / most) | 1;
}

/** Every n-th number of an output, as the file keeps it. */
export function thinned(whole: Float32Array, most = mostValues): Float32Array {
  const step = stepOf(whole.length, most);
  if (step === 1) return whole;
  return Float32Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => whole[i * step]!);
}

/** A canary as a package has it. */
export type OpenCanary = { numbers: CanaryNumbers; rtol: number };

/** Throws as {@link readCanary}. */
export function openCanary(
  { manifest, files }: ModelPackage<AnyManifest>,
  { file, rtol }: Canary,
  outputs: CanaryOutputs,
): OpenCanary {
  const where = `${ownPath(file)} of ${manifest.kind} "${manifest.id}"`;
  return { numbers: readCanary(files[file]!, outputs, where), rtol };
}
