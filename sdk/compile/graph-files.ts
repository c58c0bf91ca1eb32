/** Compiled graphs as files: each ONNX graph small, the weights of all of them in one safetensors file that they point into. */
import type { GraphFiles } from '../contract/manifest.ts';
import { layoutSafetensors, type SafetensorsLayout, type SafetensorsType } from '../onnx/safetensors.ts';
import { largeConstants, writeOnnx } from '../onnx/writer.ts';
import { type DType, type Evaluate, foldConstants, type Value } from '../ops/index.ts';

export type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** Graphs that are written already, and the weights file that they point into, which is not. */
export type PlannedGraphs<Name extends string> = {
  graphs: Record<Name, GraphFiles>;
  files: Files;
  weights: { path: string; layout: SafetensorsLayout; constants: Map<string, Value> };
};

const tensorTypes: Partial<Record<DType, SafetensorsType>> = {
  float32: 'F32',
  float16: 'F16',
  int8: 'I8',
  uint8: 'U8',
};

/**
 * Folds each graph's constants and writes `<name>.onnx` for each and `weights` for all.
 * Constants of the same name in two graphs must be the same.
 */
export async function graphFiles<Name extends string>(
  graphs: Record<Name, Record<string, Value>>,
  weights: string,
  evaluate: Evaluate,
): Promise<{ files: Files; graphs: Record<Name, GraphFiles> }> {
  const planned = await planGraphs(graphs, weights, evaluate);
  const bytes = new Uint8Array(planned.weights.layout.fileBytes);
  let at = 0;
  for await (const chunk of weightsChunks(planned)) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return { files: { ...planned.files, [weights]: bytes }, graphs: planned.graphs };
}

/** As `graphFiles`, but the weights file is only laid out: {@link weightsChunks} gives its bytes. */
export async function planGraphs<Name extends string>(
  graphs: Record<Name, Record<string, Value>>,
  weights: string,
  evaluate: Evaluate,
): Promise<PlannedGraphs<Name>> {
  const folded: [Name, Record<string, Value>][] = [];
  for (const name of Object.keys(graphs) as Name[]) folded.push([name, await foldConstants(graphs[name], evaluate)]);
  const constants = new Map(folded.flatMap(([, outputs]) => [...largeConstants(Object.values(outputs))]));
  const specs = [...constants].map(([name, { shape, dtype }]) => [name, { shape, dtype: tensorTypes[dtype]! }]);
  const layout = layoutSafetensors(Object.fromEntries(specs));
  const files: Files = {};
  const entries = folded.map(([name, outputs]) => {
    const graph = `${name}.onnx`;
    files[graph] = writeOnnx(outputs, { name, weights: { location: weights, places: layout.tensors } });
    return [name, { graph, weights }];
  });
  return {
    graphs: Object.fromEntries(entries) as Record<Name, GraphFiles>,
    files,
    weights: { path: weights, layout, constants },
  };
}

/** The bytes of a planned weights file from its beginning to its end, one tensor at a time; constants that are not in memory are fetched when it is their turn. */
export async function* weightsChunks({ weights }: PlannedGraphs<string>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { layout, constants } = weights;
  yield layout.head;
  for (const [name, { length }] of layout.tensors) {
    const { data, load } = constants.get(name)!;
    const numbers = load ? await load() : data!;
    if (numbers.byteLength !== length) throw new Error(`${name}: ${numbers.byteLength} bytes, expected ${length}`);
    yield new Uint8Array(numbers.buffer as ArrayBuffer, numbers.byteOffset, numbers.byteLength);
  }
}
