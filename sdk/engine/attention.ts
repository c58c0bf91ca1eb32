/**
 * Where an adapter's meta-tokens attend: a second form of its segment graph, made of the same bytes, that gives the attention of each layer. It runs beside the first on the
 * same taps and answers nothing itself, so that answers are the same to the bit whether anybody asks or not; without asking there is no such form.
 *
 * A layer's map is the mean over meta-tokens and heads of each path, and of the two paths. Its weight is the length of what it adds to the meta-tokens, as a share of the
 * lengths of all layers of the sense.
 */
import { attentionOutput } from '../contract/attention.ts';
import type { AdapterManifest, LogMelFrontEnd } from '../contract/manifest.ts';
import type { AdapterOutputs, NamedArray } from '../contract/model.ts';
import { type Modality, modalities, type WholeBackbone } from '../contract/pair.ts';
import { tokensOf } from '../contract/tokens.ts';
import { MettleError } from '../errors.ts';
import { type AttentionLayer, attentionLayers, withFloats } from '../onnx/attention.ts';
import { openNetwork } from '../onnx/taps.ts';
import { type Grid, pictureGrid, soundGrid, weightedMean } from './grid.ts';
import type { GraphSession, Tensors } from './session.ts';

/** What a graph of attention gives. */
export type AttentionPlan = {
  graph: Uint8Array<ArrayBuffer>;
  outputs: string[];
  layers: { [sense in Modality]: AttentionLayer[] };
};

const prefix = 'attended/';

/** The plan for a segment graph, of the bytes that the adapter's package holds. Throws `incompatible` where no meta-tokens of it attend to a layer. */
export function planAttention({ id }: AdapterManifest, bytes: Uint8Array): AttentionPlan {
  const network = openNetwork(bytes, `The segment graph of adapter "${id}"`);
  const { graph } = network.model;
  const given = new Set(graph.outputs.map(({ name }) => name));
  const layersOf = (sense: Modality) => (given.has(tokensOf[sense]) ? attentionLayers(graph, tokensOf[sense]) : []);
  const layers = { visual: layersOf('visual'), audio: layersOf('audio') };
  const values = [...layers.visual, ...layers.audio].flatMap(valuesOf);
  if (values.length > 0) {
    return { graph: withFloats(network, prefix, values), outputs: values.map((value) => prefix + value), layers };
  }
  throw new MettleError('incompatible', `Adapter "${id}" has no meta-tokens that attend to layers.`, {
    hint: 'Ask it without explain, or train one with meta-tokens, as they are by default.',
  });
}

/** Runs the plan's graph on a second's taps. Of a sense that is not there nothing is told. `logMel` is what the backbone was fed of the sound. */
export async function readAttention(
  session: GraphSession,
  plan: AttentionPlan,
  taps: Tensors,
  { inputs, taps: known }: WholeBackbone,
  second: { present: { [sense in Modality]: boolean }; logMel: () => Float32Array },
): Promise<AdapterOutputs> {
  const senses = modalities.filter((sense) => second.present[sense] && plan.layers[sense].length > 0);
  const fetches = senses.flatMap((sense) => plan.layers[sense].flatMap(valuesOf)).map((value) => prefix + value);
  if (fetches.length === 0) return {};
  const tensors = await session.run(taps, fetches);
  const numbers = (value: string): Float32Array => tensors[prefix + value]!.data as Float32Array;
  const outputs: AdapterOutputs = {};
  for (const sense of senses) {
    const read = plan.layers[sense].map((layer): ReadLayer => {
      const tap = known[sense].find(({ name }) => name === layer.tap)!;
      const shares = meanShares(layer, tap.tokens, numbers);
      const grid = sense === 'visual' ? pictureGrid(tap, shares) : soundGrid(tap, shares, inputs.audio);
      return { tap: tap.name, grid, length: lengthOf(numbers(layer.part)) };
    });
    Object.assign(outputs, outputsOf(sense, read));
  }
  if (senses.includes('audio')) outputs[attentionOutput.spectrum] = spectrum(second.logMel(), inputs.audio);
  return outputs;
}

type ReadLayer = { tap: string; grid: Grid | null; length: number };

function outputsOf(sense: Modality, read: readonly ReadLayer[]): AdapterOutputs {
  const total = read.reduce((sum, { length }) => sum + length, 0);
  const outputs: AdapterOutputs = {};
  for (const { tap, grid, length } of read) {
    outputs[attentionOutput.map(sense, tap)] = arrayOf(grid);
    outputs[attentionOutput.weight(sense, tap)] = { shape: [1], data: Float32Array.of(length / total) };
  }
  const laid = read.flatMap(({ grid, length }) => (grid ? [{ grid, weight: length }] : []));
  outputs[attentionOutput.whole(sense)] = arrayOf(weightedMean(laid));
  return outputs;
}

const lengthOf = (numbers: Float32Array): number => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));

const valuesOf = ({ preservation, task, part }: AttentionLayer): string[] =>
  [preservation, task, part].filter((value) => value !== null);

/** [tokens]: the mean over all rows of each path that there is, and of the paths. */
function meanShares(
  { preservation, task }: AttentionLayer,
  tokens: number,
  numbers: (value: string) => Float32Array,
): Float32Array<ArrayBuffer> {
  const paths = [preservation, task].filter((value) => value !== null).map(numbers);
  const mean = new Float32Array(tokens);
  for (const path of paths) {
    const rows = path.length / tokens;
    path.forEach((share, i) => {
      mean[i % tokens]! += share / rows / paths.length;
    });
  }
  return mean;
}

const arrayOf = (grid: Grid | null): NamedArray =>
  grid ? { shape: [grid.rows, grid.columns], data: grid.data } : { shape: [0, 0], data: new Float32Array(0) };

/** One second of a log-mel, before mean and deviation were taken out: decibels, or natural logarithms. */
function spectrum(logMel: Float32Array, { frames, mels, repeat, mean, std }: LogMelFrontEnd): NamedArray {
  const steps = Math.max(1, Math.floor(frames / repeat));
  return { shape: [steps, mels], data: Float32Array.from(logMel.subarray(0, steps * mels), (x) => x * std + mean) };
}
