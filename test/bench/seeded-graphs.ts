/** A preset's network with seeded weights as files in a folder, written as a stream, in any form: what the benchmarks of backbones run. */
import { mkdirSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-node';
import { evaluate } from '../../sdk/compile/evaluate.ts';
import { weightsChunks } from '../../sdk/compile/graph-files.ts';
import { exactForms, type Form, type Forms, planVariants } from '../../sdk/compile/variants.ts';
import { backboneTaps } from '../../sdk/models/backbone.ts';
import { initialize, Params } from '../../sdk/models/params.ts';
import { type PresetName, presets } from '../../sdk/models/presets.ts';
import type { Shape } from '../../sdk/ops/index.ts';

export type SeededGraph = {
  preset: PresetName;
  form: Form;
  folder: string;
  graph: string;
  weights: string;
  input: { name: string; shape: number[] };
  taps: string[];
  /** Those of the taps. */
  shapes: Shape[];
  bytes: number;
};

/** Half precision is a form of one variant alone, and needs the other two beside it. */
const formsOf = (form: Form): Forms =>
  form === 'float16' ? { ...exactForms, 'webgpu-f16': form } : { webgpu: form, wasm: form };

/** Writes `<modality>[.<form>].onnx` and `.safetensors` for each form. Weights exist one at a time, and those of `block4` are rounded to the nearest level. */
export async function writeSeeded(preset: PresetName, forms: readonly Form[], folder: string): Promise<SeededGraph[]> {
  mkdirSync(folder, { recursive: true });
  const { modality, frontEnd } = presets[preset];
  const taps = backboneTaps(presets[preset], (graph) => Params.deferred(graph, async (spec) => initialize(spec, 1)));
  const outputs = Object.fromEntries(taps.map((tap) => [tap.name, tap.value]));
  const shape = 'mels' in frontEnd ? [1, 1, frontEnd.frames, frontEnd.mels] : [1, 3, frontEnd.height, frontEnd.width];
  const written: SeededGraph[] = [];
  for (const form of forms) {
    const source = { graphs: { [modality]: outputs }, weights: modality, forms: formsOf(form) };
    const { variants, plans } = await planVariants(source, (values) => evaluate(ort, values));
    const { graph, weights } = (variants['webgpu-f16'] ?? variants.wasm)[modality]!;
    const own = plans.filter((plan) => plan.weights.path === weights);
    let bytes = 0;
    for (const plan of own) {
      for (const [path, data] of Object.entries(plan.files)) {
        await writeFile(`${folder}/${path}`, data);
        bytes += data.byteLength;
      }
      const file = await open(`${folder}/${plan.weights.path}`, 'w');
      for await (const chunk of weightsChunks(plan)) await file.writeFile(chunk);
      await file.close();
      bytes += plan.weights.layout.fileBytes;
    }
    const input = { name: frontEnd.input, shape };
    const [names, shapes] = [taps.map(({ name }) => name), taps.map(({ value }) => value.shape)];
    written.push({ preset, form, folder, graph, weights, input, taps: names, shapes, bytes });
  }
  return written;
}
