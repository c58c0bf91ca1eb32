/** What an adapter brings along of the backbone that it was trained on, so that the same network in other numbers can be told from another network. */
import type { AdapterManifest, BackboneManifest } from '../contract/manifest.ts';
import type { ModelPackage, VariantName } from '../contract/model.ts';
import { type Modality, modalities, ownPath } from '../contract/pair.ts';
import type { Ort } from '../contract/runtime.ts';
import { pictureShape, soundShape } from '../contract/taps.ts';
import { canaryInput } from '../engine/canary.ts';
import { writeLikeness } from '../engine/likeness.ts';
import { MettleError } from '../errors.ts';
import { checkNetwork } from '../onnx/network-check.ts';
import { type Package, withManifest } from './backbone.ts';
import type { Files } from './graph-files.ts';
import { finishManifest } from './package.ts';

export const likenessFile = 'likeness.safetensors';

/**
 * Ours: rounding to 8 bits per channel moved the last taps of YAMNet and MobileNetV2 by 2 % and 15 %, other weights by far more than their length.
 */
export const likenessTolerance = 0.25;

/** The package with what its backbone gives for made-up inputs; `backbone` holds the files of one variant. Runs each of its graphs that the adapter reads, once. */
export async function withLikeness(
  { manifest, files }: Package<AdapterManifest>,
  backbone: ModelPackage<BackboneManifest>,
  ort: Ort,
): Promise<Package<AdapterManifest>> {
  const reads = new Set(manifest.segment.reads);
  const inputs: BackboneManifest['inputs'] = { visual: null, audio: null };
  const taps: BackboneManifest['taps'] = { visual: [], audio: [] };
  const numbers: Record<string, Record<string, Float32Array>> = {};
  for (const modality of modalities) {
    taps[modality] = backbone.manifest.taps[modality].filter(({ name }) => reads.has(name));
    if (taps[modality].length === 0) continue;
    Object.assign(inputs, { [modality]: backbone.manifest.inputs[modality] });
    numbers[modality] = await tapsOf(
      modality,
      taps[modality].map(({ name }) => name),
      backbone,
      ort,
    );
  }
  const likeness = { inputs, taps, file: likenessFile, tolerance: likenessTolerance };
  const { 'manifest.json': _, ...others } = files;
  const whole: Files = { ...others, [likenessFile]: writeLikeness(numbers) };
  const { files: __, ...draft } = manifest;
  const finished = await finishManifest({ ...draft, base: { ...manifest.base, likeness } }, whole);
  return { manifest: finished, files: withManifest(whole, finished) };
}

async function tapsOf(
  modality: Modality,
  names: readonly string[],
  { manifest, files }: ModelPackage<BackboneManifest>,
  ort: Ort,
): Promise<Record<string, Float32Array>> {
  const { graph, weights } = heldGraph(modality, manifest, files);
  const label = `The ${modality} graph of backbone "${manifest.id}"`;
  checkNetwork({ label, graph: files[graph]!, weights: { path: ownPath(weights), data: files[weights]! } });
  const session = await ort.InferenceSession.create(files[graph]!, {
    externalData: [{ path: ownPath(weights), data: files[weights]! }],
    logSeverityLevel: 4,
  });
  try {
    const { input, shape } = fed(modality, manifest);
    const feed = new ort.Tensor('float32', canaryInput(input, shape), shape);
    const results = await session.run({ [input]: feed }, names);
    return Object.fromEntries(names.map((name) => [name, Float32Array.from(results[name]!.data as Float32Array)]));
  } finally {
    await session.release();
  }
}

/** The graph of whichever variant was downloaded. */
function heldGraph(modality: Modality, { id, variants }: BackboneManifest, files: Files) {
  const order: VariantName[] = ['wasm', 'webgpu', 'webgpu-f16'];
  for (const variant of order) {
    const graph = variants[variant]?.[modality];
    if (graph && files[graph.graph] && files[graph.weights]) return graph;
  }
  throw new MettleError('invalid-argument', `Backbone "${id}" has no files for its ${modality} graph at hand.`);
}

function fed(modality: Modality, { inputs }: BackboneManifest): { input: string; shape: number[] } {
  const { visual, audio } = inputs;
  return modality === 'visual'
    ? { input: visual!.input, shape: pictureShape(visual!) }
    : { input: audio!.input, shape: soundShape(audio!) };
}
