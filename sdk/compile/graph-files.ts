/** Compiled graphs as files: each ONNX graph small, the weights of all of them in one safetensors file that they point into. */
import type { GraphFiles } from '../hub/manifest.ts';
import { headerOf, type TensorData, writeSafetensors } from '../onnx/safetensors.ts';
import { largeConstants, writeOnnx } from '../onnx/writer.ts';
import { type Evaluate, foldConstants, type Value } from '../ops/index.ts';

export type Files = Record<string, Uint8Array<ArrayBuffer>>;

/**
 * Folds each graph's constants and writes `<name>.onnx` for each and `weights` for all.
 * Constants of the same name in two graphs must be the same.
 */
export async function graphFiles<Name extends string>(
  graphs: Record<Name, Record<string, Value>>,
  weights: string,
  evaluate: Evaluate,
): Promise<{ files: Files; graphs: Record<Name, GraphFiles> }> {
  const folded: [Name, Record<string, Value>][] = [];
  for (const name of Object.keys(graphs) as Name[]) folded.push([name, await foldConstants(graphs[name], evaluate)]);

  const tensors: Record<string, TensorData> = {};
  for (const [, outputs] of folded) {
    for (const [name, { shape, data }] of largeConstants(Object.values(outputs))) {
      tensors[name] = { dtype: 'F32', shape, data: data! };
    }
  }
  const bytes = writeSafetensors(tensors);
  const places = headerOf(bytes).tensors;
  const files: Files = { [weights]: bytes };
  const entries = folded.map(([name, outputs]) => {
    const graph = `${name}.onnx`;
    files[graph] = writeOnnx(outputs, { name, weights: { location: weights, places } });
    return [name, { graph, weights }];
  });
  return { files, graphs: Object.fromEntries(entries) as Record<Name, GraphFiles> };
}
