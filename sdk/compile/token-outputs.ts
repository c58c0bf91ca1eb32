/**
 * Lets the segment graph of an older package of masks give the meta-tokens that guide them: values inside the graph, which the writer names after the map to their
 * common width. Graph, weights and what it gave before stay as they are.
 */
import { senses } from '../contract/familiar.ts';
import type { AdapterManifest, GraphFiles, Sense } from '../contract/manifest.ts';
import type { ModelPackage } from '../contract/model.ts';
import type { Ort } from '../contract/runtime.ts';
import { isTokens, tokensOf } from '../contract/tokens.ts';
import { canaryInput, writeCanary } from '../engine/canary.ts';
import { computedValues, fedInputs, openNetwork, withOutputs } from '../onnx/taps.ts';
import { mergedCanary } from './canary.ts';

type Output = { value: string; name: string; shape: number[] };

/** The package itself where it gives meta-tokens already, or has none. Runs its segment graph once, for its canary. */
export async function withTokenOutputs(
  adapter: ModelPackage<AdapterManifest>,
  ort: Ort,
): Promise<ModelPackage<AdapterManifest>> {
  const { manifest, files } = adapter;
  if (manifest.task !== 'segment' || manifest.segment.outputs.some(({ name }) => isTokens(name))) return adapter;
  const graphs = new Map(
    Object.values<{ segment: GraphFiles }>(manifest.variants).map(({ segment }) => [segment.graph, segment]),
  );
  const changed: Record<string, Uint8Array<ArrayBuffer>> = { ...files };
  let added: { outputs: Output[]; numbers: Record<string, Float32Array> } | null = null;
  for (const [path, { weights }] of graphs) {
    const network = openNetwork(files[path]!, path);
    const values = senses.flatMap((sense) => tokensValue(computedValues(network.model.graph), sense));
    if (values.length === 0) return adapter;
    const inputs = fedInputs(network.model.graph).map(({ name, shape }) => ({ name, shape: shape as number[] }));
    const location = { path: weights, data: files[weights]! };
    const run = await runOnce(ort, withOutputs(network, values), location, inputs);
    const outputs = values.map((value) => ({ ...value, shape: run[value.name]!.shape }));
    changed[path] = withOutputs(network, outputs);
    added ??= { outputs, numbers: Object.fromEntries(values.map(({ name }) => [name, run[name]!.data])) };
  }
  const { outputs, numbers } = added!;
  if (manifest.canary) {
    const { file } = manifest.canary;
    changed[file] = mergedCanary(files[file]!, writeCanary({ segment: numbers }));
  }
  const tokens = outputs.map(({ name, shape }) => ({ name, shape, deliver: 'familiarity' as const }));
  const segment = { ...manifest.segment, outputs: [...manifest.segment.outputs, ...tokens] };
  return { manifest: { ...manifest, segment }, files: changed };
}

function tokensValue(values: readonly string[], sense: Sense): { value: string; name: string }[] {
  const found = values.filter((name) => name.startsWith(`lcd.${sense}/stage`) && name.endsWith('/add'));
  return found.length === 1 ? [{ value: found[0]!, name: tokensOf[sense] }] : [];
}

async function runOnce(
  ort: Ort,
  graph: Uint8Array,
  weights: { path: string; data: Uint8Array },
  inputs: readonly { name: string; shape: number[] }[],
): Promise<Record<string, { shape: number[]; data: Float32Array }>> {
  const session = await ort.InferenceSession.create(graph, { externalData: [weights], logSeverityLevel: 4 });
  try {
    const feeds = inputs.map(({ name, shape }) => [name, new ort.Tensor('float32', canaryInput(name, shape), shape)]);
    const results = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [name, { shape: [...dims], data: data as Float32Array }]),
    );
  } finally {
    await session.release();
  }
}
