/** A preset's network with seeded weights as files in a folder, written as a stream, in any form: what the benchmarks of backbones run. */
import { mkdirSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-node';
import { evaluate } from '../../sdk/compile/evaluate.ts';
import { weightsChunks } from '../../sdk/compile/graph-files.ts';
import { type Form, planVariants } from '../../sdk/compile/variants.ts';
import { backboneTaps } from '../../sdk/models/backbone.ts';
import { initialize, Params } from '../../sdk/models/params.ts';
import { type PresetName, presets } from '../../sdk/models/presets.ts';

export type SeededGraph = {
  preset: PresetName;
  form: Form;
  folder: string;
  graph: string;
  weights: string;
  input: { name: string; shape: number[] };
  taps: string[];
  bytes: number;
};

/** Writes `<modality>[.<form>].onnx` and `.safetensors` for each form. Weights exist one at a time, and those of `block4` are rounded to the nearest level. */
export async function writeSeeded(preset: PresetName, forms: readonly Form[], folder: string): Promise<SeededGraph[]> {
  mkdirSync(folder, { recursive: true });
  const { modality, frontEnd } = presets[preset];
  const taps = backboneTaps(presets[preset], (graph) => Params.deferred(graph, async (spec) => initialize(spec, 1)));
  const outputs = Object.fromEntries(taps.map((tap) => [tap.name, tap.value]));
  const shape = 'mels' in frontEnd ? [1, 1, frontEnd.frames, frontEnd.mels] : [1, 3, frontEnd.height, frontEnd.width];
  const written: SeededGraph[] = [];
  for (const form of forms) {
    const source = { graphs: { [modality]: outputs }, weights: modality, forms: { webgpu: form, wasm: form } };
    const { variants, plans } = await planVariants(source, (values) => evaluate(ort, values));
    const { graph, weights } = variants.wasm[modality]!;
    let bytes = 0;
    for (const plan of plans) {
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
    written.push({ preset, form, folder, graph, weights, input, taps: taps.map(({ name }) => name), bytes });
  }
  return written;
}
