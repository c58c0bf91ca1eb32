/** Makes a package's canary: what its float32 graphs give on the CPU for made-up inputs, and how far its other forms may be from that. */

import type { Canary } from '../contract/manifest.ts';
import { type CanaryNumbers, canaryError, canaryInput, writeCanary } from '../engine/canary.ts';
import { MettleError } from '../errors.ts';
import { readSafetensors, toFloat32, writeSafetensors } from '../onnx/safetensors.ts';
import { type Evaluate, fetchConstants, inputOp, reachable, rebuild, type Value } from '../ops/index.ts';
import type { Files } from './graph-files.ts';

/** Graphs by name: what each gives. */
export type Outputs = Record<string, Record<string, Value>>;

export const canaryFile = 'canary.safetensors';

/**
 * How far float32 may be off. Two correct devices differ by 1e-5 or so after dozens of layers; kernels that are wrong, by the size of the numbers.
 */
export const exactTolerance = 0.02;

/** A form in few bits may be off by this many times what was measured on the CPU, since integer products round in another way on each device. */
const margin = 3;
/** In half precision by this many times: a CPU adds up in float32, GPUs need not, and one that does not was six times as far off. */
const halfMargin = 10;

/** As files and a manifest have it. None where a form is so far off that a check would say nothing. */
export type Compiled = { canary: Canary | null; files: Files };

/**
 * `exact` are the float32 graphs, `forms` those of the package that are not, with the same outputs. Holds the constants of one graph at a time. Throws `invalid-file` where
 * any of them gives numbers that are not finite: such a model is no model.
 */
export async function compileCanary(exact: Outputs, forms: readonly Outputs[], evaluate: Evaluate): Promise<Compiled> {
  const expected = await canaryNumbers(exact, evaluate);
  let allowed = exactTolerance;
  for (const form of forms) {
    const actual = await canaryNumbers(form, evaluate);
    demandFinite(actual, 'In a smaller form the model');
    for (const [graph, outputs] of Object.entries(expected)) {
      for (const [name, numbers] of Object.entries(outputs)) {
        const times = isHalf(form[graph]!) ? halfMargin : margin;
        allowed = Math.max(allowed, times * canaryError(actual[graph]![name]!, numbers));
      }
    }
  }
  return packCanary(expected, Math.ceil(100 * allowed) / 100);
}

/** The file of whole outputs, by graph and name. Throws `invalid-file` where a number is not finite. */
export function packCanary(outputs: CanaryNumbers, rtol: number): Compiled {
  demandFinite(outputs, 'The model');
  if (rtol > 1) return { canary: null, files: {} };
  return { canary: { file: canaryFile, rtol }, files: { [canaryFile]: writeCanary(outputs) } };
}

/** `who`, for the message, is e.g. `The model`. */
export function demandFinite(outputs: CanaryNumbers, who: string): void {
  for (const named of Object.values(outputs)) {
    for (const [name, numbers] of Object.entries(named)) {
      if (numbers.every(Number.isFinite)) continue;
      throw new MettleError(
        'invalid-file',
        `${who} gives numbers that are not finite: output "${name}" holds NaN or infinity.`,
        {
          hint: 'Its weights are damaged or were trained badly, or too large for that form; no package was made of it.',
        },
      );
    }
  }
}

/** The tensors of both files, float32 as all of a canary; where both have one, that of the other. */
export function mergedCanary(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const tensors = [one, other].flatMap((bytes) =>
    [...readSafetensors(bytes).tensors].map(
      ([name, tensor]) => [name, { dtype: 'F32' as const, shape: tensor.shape, data: toFloat32(tensor) }] as const,
    ),
  );
  return writeSafetensors(Object.fromEntries(tensors));
}

const isHalf = (outputs: Record<string, Value>): boolean =>
  reachable(Object.values(outputs)).some(({ dtype }) => dtype === 'float16');

async function canaryNumbers(graphs: Outputs, evaluate: Evaluate): Promise<CanaryNumbers> {
  const numbers: CanaryNumbers = {};
  for (const [name, outputs] of Object.entries(graphs)) {
    numbers[name] = await evaluate(
      rebuild(await fetchConstants(outputs), (graph, value, inputs) =>
        value.op === inputOp
          ? graph.constant(canaryInput(value.name, value.shape), value.shape, value.name)
          : graph.adopt(value, inputs),
      ),
    );
  }
  return numbers;
}
