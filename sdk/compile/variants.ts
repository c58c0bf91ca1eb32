/** The forms that one network ships in: per device a precision, each precision written once. */
import type { VariantName } from '../engine/types.ts';
import type { GraphFiles, Precision } from '../hub/manifest.ts';
import { type Calibration, type Quantization, quantizeGraph } from '../onnx/quantize/quantize.ts';
import { type Evaluate, foldConstants, type Value } from '../ops/index.ts';
import { type Files, graphFiles, type PlannedGraphs, planGraphs } from './graph-files.ts';

/** `float32`, or how large weights are kept (see {@link Quantization}). */
export type Form = 'float32' | Quantization;
export type Forms = Record<VariantName, Form>;

/** The reference. */
export const exactForms: Forms = { webgpu: 'float32', wasm: 'float32' };
/** Files of a third, and the same numbers on every device as float32 has; for networks small enough to be held in float32. */
export const smallForms: Forms = { webgpu: 'stored8', wasm: 'stored8' };
/** For large networks: integer products on CPUs, weights that stay in 8 bits on GPUs. */
export const largeForms: Forms = { webgpu: 'block8', wasm: 'int8' };

/** What a manifest says of a form. */
export const precisionOf: Record<Form, Precision> = {
  float32: 'float32',
  int8: 'int8',
  stored8: 'weights-int8',
  block8: 'weights-int8',
  block4: 'weights-int4',
};

/** What the products of a folded graph see (see `calibrate`); asked for each form but float32. */
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

export type Variants<Name extends string> = Record<VariantName, Record<Name, GraphFiles>>;

/**
 * All forms of some graphs as files: `<graph>.onnx` and `<weights>.safetensors`, with the form before the ending where it is not float32. `quantized` are the
 * graphs of each form that is not.
 */
export async function variantFiles<Name extends string>(
  source: VariantSource<Name>,
  evaluate: Evaluate,
): Promise<{ variants: Variants<Name>; files: Files; quantized: Record<Name, Record<string, Value>>[] }> {
  const files: Files = {};
  const quantized: Record<Name, Record<string, Value>>[] = [];
  const variants = await eachForm(source, evaluate, async (graphs, weights, suffix) => {
    const written = await graphFiles(graphs, weights, evaluate);
    Object.assign(files, written.files);
    if (suffix) quantized.push(renamed(graphs, (name) => name.slice(0, -suffix.length)));
    return written.graphs;
  });
  return { variants, files, quantized };
}

/** As `variantFiles`, but the weights files are only laid out. */
export async function planVariants<Name extends string>(
  source: VariantSource<Name>,
  evaluate: Evaluate,
): Promise<{ variants: Variants<Name>; plans: PlannedGraphs<string>[] }> {
  const plans: PlannedGraphs<string>[] = [];
  const variants = await eachForm(source, evaluate, async (graphs, weights) => {
    const plan = await planGraphs(graphs, weights, evaluate);
    plans.push(plan);
    return plan.graphs;
  });
  return { variants, plans };
}

type Write = (
  graphs: Record<string, Record<string, Value>>,
  weights: string,
  suffix: string,
) => Promise<Record<string, GraphFiles>>;

const renamed = <T>(graphs: Record<string, T>, rename: (name: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(graphs).map(([name, graph]) => [rename(name), graph]));

async function eachForm<Name extends string>(
  { graphs, weights, forms, calibrate }: VariantSource<Name>,
  evaluate: Evaluate,
  write: Write,
): Promise<Variants<Name>> {
  const names = Object.keys(graphs) as Name[];
  const folded: [Name, Record<string, Value>][] = [];
  for (const name of names) folded.push([name, await foldConstants(graphs[name], evaluate)]);
  const done = new Map<Form, Record<Name, GraphFiles>>();
  for (const form of new Set([forms.webgpu, forms.wasm])) {
    const suffix = form === 'float32' ? '' : `.${form}`;
    const changed: [string, Record<string, Value>][] = [];
    for (const [name, outputs] of folded) {
      const made = form === 'float32' ? outputs : quantizeGraph(outputs, form, await calibrate?.(outputs, form));
      changed.push([name + suffix, made]);
    }
    const written = await write(Object.fromEntries(changed), `${weights}${suffix}.safetensors`, suffix);
    const entries = names.map((name) => [name, { ...written[name + suffix]!, precision: precisionOf[form] }]);
    done.set(form, Object.fromEntries(entries) as Record<Name, GraphFiles>);
  }
  return { webgpu: done.get(forms.webgpu)!, wasm: done.get(forms.wasm)! };
}
