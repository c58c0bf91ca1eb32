/** The forms that one network ships in: per device a precision, each precision written once. */

import type { GraphFiles, Precision, Variants } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';
import { halveGraph } from '../onnx/half.ts';
import { type Calibration, type Quantization, quantizeGraph } from '../onnx/quantize/quantize.ts';
import { type Evaluate, foldConstants, type Value } from '../ops/index.ts';
import { type Files, graphFiles, type PlannedGraphs, planGraphs } from './graph-files.ts';

/** `float32`, `float16` (see `halveGraph`), or how large weights are kept (see {@link Quantization}). */
export type Form = 'float32' | 'float16' | Quantization;
/** By variant; without `webgpu-f16` a package has none for GPUs with half precision. `float16` is for that variant alone. */
export type Forms = { webgpu: Form; wasm: Form; 'webgpu-f16'?: Form };

/** The reference. */
export const exactForms: Forms = { webgpu: 'float32', wasm: 'float32' };
/** Files of a third, and the same numbers on every device as float32 has; for networks small enough to be held in float32. */
export const smallForms: Forms = { webgpu: 'stored8', wasm: 'stored8' };
/** For large networks: integer products on CPUs, weights that stay in 8 bits on GPUs. */
export const largeForms: Forms = { webgpu: 'block8', wasm: 'int8' };

/** What a manifest says of a form. */
export const precisionOf: Record<Form, Precision> = {
  float32: 'float32',
  float16: 'float16',
  int8: 'int8',
  stored8: 'weights-int8',
  block8: 'weights-int8',
  block4: 'weights-int4',
};

/** What the products of a folded graph see (see `calibrate`); asked for each quantized form. */
export type Calibrate = (outputs: Record<string, Value>, form: Quantization) => Promise<Calibration>;

/** Graphs by name, and how each device gets them. */
export type VariantSource<Name extends string> = {
  graphs: Record<Name, Record<string, Value>>;
  /** Name of the weights file without its ending. */
  weights: string;
  forms: Forms;
  /** Without it weights are rounded to their nearest level. */
  calibrate?: Calibrate;
};

/** `rounded` are the graphs of each form that is not float32. */
type Compiled<Name extends string> = {
  variants: Variants<Record<Name, GraphFiles>>;
  rounded: Record<Name, Record<string, Value>>[];
};

/** All forms of some graphs as files: `<graph>.onnx` and `<weights>.safetensors`, with the form before the ending where it is not float32. */
export async function variantFiles<Name extends string>(
  source: VariantSource<Name>,
  evaluate: Evaluate,
): Promise<Compiled<Name> & { files: Files }> {
  const files: Files = {};
  const compiled = await eachForm(source, evaluate, async (graphs, weights) => {
    const written = await graphFiles(graphs, weights, evaluate);
    Object.assign(files, written.files);
    return written.graphs;
  });
  return { ...compiled, files };
}

/** As `variantFiles`, but the weights files are only laid out. */
export async function planVariants<Name extends string>(
  source: VariantSource<Name>,
  evaluate: Evaluate,
): Promise<Compiled<Name> & { plans: PlannedGraphs<string>[] }> {
  const plans: PlannedGraphs<string>[] = [];
  const compiled = await eachForm(source, evaluate, async (graphs, weights) => {
    const plan = await planGraphs(graphs, weights, evaluate);
    plans.push(plan);
    return plan.graphs;
  });
  return { ...compiled, plans };
}

type Write = (graphs: Record<string, Record<string, Value>>, weights: string) => Promise<Record<string, GraphFiles>>;

async function eachForm<Name extends string>(
  { graphs, weights, forms, calibrate }: VariantSource<Name>,
  evaluate: Evaluate,
  write: Write,
): Promise<Compiled<Name>> {
  checkForms(forms);
  const names = Object.keys(graphs) as Name[];
  const folded: [Name, Record<string, Value>][] = [];
  for (const name of names) folded.push([name, await foldConstants(graphs[name], evaluate)]);
  const done = new Map<Form, Record<Name, GraphFiles>>();
  const rounded: Compiled<Name>['rounded'] = [];
  for (const form of new Set<Form>(Object.values(forms))) {
    const suffix = form === 'float32' ? '' : `.${form}`;
    const changed: [Name, Record<string, Value>][] = [];
    for (const [name, outputs] of folded) changed.push([name, await inForm(outputs, form, calibrate)]);
    const graphs = Object.fromEntries(changed.map(([name, outputs]) => [name + suffix, outputs]));
    const written = await write(graphs, `${weights}${suffix}.safetensors`);
    if (form !== 'float32') rounded.push(Object.fromEntries(changed) as Record<Name, Record<string, Value>>);
    const entries = names.map((name) => [name, { ...written[name + suffix]!, precision: precisionOf[form] }]);
    done.set(form, Object.fromEntries(entries) as Record<Name, GraphFiles>);
  }
  const entries = Object.entries<Form>(forms).map(([variant, form]) => [variant, done.get(form)!]);
  return { variants: Object.fromEntries(entries) as Variants<Record<Name, GraphFiles>>, rounded };
}

function checkForms({ webgpu, wasm }: Forms): void {
  if (webgpu !== 'float16' && wasm !== 'float16') return;
  throw new MettleError(
    'invalid-argument',
    `Form float16 cannot be that of ${wasm === 'float16' ? 'wasm' : 'webgpu'}.`,
    {
      hint: 'Not every device of that variant has half precision; make it the form of webgpu-f16.',
    },
  );
}

async function inForm(
  outputs: Record<string, Value>,
  form: Form,
  calibrate: Calibrate | undefined,
): Promise<Record<string, Value>> {
  if (form === 'float32') return outputs;
  return form === 'float16' ? halveGraph(outputs) : quantizeGraph(outputs, form, await calibrate?.(outputs, form));
}
