/**
 * How familiar a second is: how far its meta-tokens lie from those of the seconds that the adapter learned from. Of each sense the mean meta-token is
 * standardised, and its Mahalanobis distance from that of all training seconds counts (Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution
 * Samples", NeurIPS 2018, who take it from classes; one mean needs no labels, and told toybox from real material as well as a dozen of centres did). A distance becomes
 * a share: of the seconds of validation clips so many lie further off.
 *
 * The file holds for each sense `<sense>/mean` [c], `<sense>/map` [c, d] (in half precision; the others in float32), which standardises and whitens, and `<sense>/levels` [n], distances that
 * 0, 1/(n-1), 2/(n-1) ... of the validation seconds do not exceed.
 * Arithmetic is float64 and runs on the caller's side of the runtime, so that all devices agree as far as their meta-tokens do.
 */
import { senses } from '../contract/familiar.ts';
import type { AdapterManifest, Sense } from '../contract/manifest.ts';
import type { AdapterOutputs, ModelPackage, NamedArray } from '../contract/model.ts';
import { tokensOf } from '../contract/tokens.ts';
import { MettleError } from '../errors.ts';
import { encodeHalf } from '../onnx/float16.ts';
import {
  readSafetensors,
  type Safetensors,
  type TensorData,
  toFloat32,
  writeSafetensors,
} from '../onnx/safetensors.ts';

/** What one sense is measured by; arrays as in the file. */
export type SenseMeasure = {
  mean: Float32Array;
  map: Float32Array;
  levels: Float32Array;
};
export type Measure = { [sense in Sense]: SenseMeasure | null };

/** [1, K, c] to [c]. */
export function meanToken(tokens: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  tokens.forEach((x, at) => {
    mean[at % width]! += x;
  });
  return mean.map((sum) => (sum * width) / tokens.length);
}

type Map = Omit<SenseMeasure, 'levels'>;

/** A mean token [c] standardised and whitened, [d]. */
function placed({ mean, map }: Map, token: ArrayLike<number>): Float64Array {
  const width = map.length / mean.length;
  const place = new Float64Array(width);
  for (let i = 0; i < mean.length; i++) {
    const x = token[i]! - mean[i]!;
    for (let j = 0; j < width; j++) place[j]! += x * map[i * width + j]!;
  }
  return place;
}

/** Squared Mahalanobis distance of a mean token [c]. */
export const distanceTo = (map: Map, token: ArrayLike<number>): number =>
  placed(map, token).reduce((sum, x) => sum + x * x, 0);

/** Where a second lies among those that the adapter learned from, by sense: its mean meta-token, whitened where the adapter has a measure, of length 1. */
export function embedded(
  measure: Measure | null,
  outputs: AdapterOutputs,
  present: Record<Sense, boolean>,
): AdapterOutputs {
  const found = senses.flatMap((sense): [Sense, NamedArray][] => {
    const tokens = outputs[tokensOf[sense]];
    if (!tokens || !present[sense]) return [];
    const mean = meanToken(tokens.data, tokens.shape.at(-1)!);
    const own = measure?.[sense];
    const place = own ? placed(own, mean) : mean;
    const length = Math.sqrt(place.reduce((sum, x) => sum + x * x, 0)) || 1;
    return [[sense, { shape: [place.length], data: Float32Array.from(place, (x) => x / length) }]];
  });
  return Object.fromEntries(found);
}

/** The share of validation seconds that lie further off than this: 1 below all of them, 0 beyond. */
export function shareBeyond(levels: Float32Array, distance: number): number {
  const last = levels.length - 1;
  if (!(distance < levels[last]!)) return 0;
  if (distance <= levels[0]!) return 1;
  let low = 0;
  for (let high = last; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (levels[middle]! <= distance) low = middle;
    else high = middle;
  }
  const [below, above] = [levels[low]!, levels[low + 1]!];
  return 1 - (low + (distance - below) / (above - below)) / last;
}

/** Familiarity of a second from its meta-tokens, as the output named `familiarity`. A sense that is not there has none. */
export function measured(measure: Measure, outputs: AdapterOutputs, present: Record<Sense, boolean>): NamedArray {
  const data = Float32Array.from(senses, (sense) => {
    const own = measure[sense];
    const tokens = outputs[tokensOf[sense]];
    if (!own || !tokens || !present[sense]) return -1;
    return shareBeyond(own.levels, distanceTo(own, meanToken(tokens.data, own.mean.length)));
  });
  return { shape: [1, senses.length], data };
}

/** The file. */
export function writeMeasure(measure: Measure): Uint8Array<ArrayBuffer> {
  const tensors = senses.flatMap((sense): [string, TensorData][] => {
    const own = measure[sense];
    if (!own) return [];
    const rows = own.mean.length;
    const width = own.map.length / rows;
    return [
      [`${sense}/mean`, { dtype: 'F32', shape: [rows], data: own.mean }],
      [`${sense}/map`, { dtype: 'F16', shape: [rows, width], data: encodeHalf(own.map) }],
      [`${sense}/levels`, { dtype: 'F32', shape: [own.levels.length], data: own.levels }],
    ];
  });
  return writeSafetensors(Object.fromEntries(tensors));
}

/** Reads a file that a stranger wrote, for an adapter with these outputs. Throws `invalid-file` that begins with `where`. */
export function readMeasure(bytes: Uint8Array, { segment }: Pick<AdapterManifest, 'segment'>, where: string): Measure {
  const file = readSafetensors(bytes, where);
  const measure: Measure = { audio: null, visual: null };
  for (const sense of senses) {
    if (!file.tensors.has(`${sense}/mean`)) continue;
    const width = segment.outputs.find(({ name }) => name === tokensOf[sense])?.shape.at(-1);
    if (width === undefined) throw fault(where, `measures "${sense}", of which the adapter has no meta-tokens`);
    measure[sense] = senseMeasure(file, sense, width, where);
  }
  if (!measure.audio && !measure.visual) throw fault(where, 'measures neither sense');
  const known = 3 * senses.filter((sense) => measure[sense]).length;
  if (file.tensors.size !== known) throw fault(where, `${file.tensors.size} tensors, expected ${known}`);
  return measure;
}

function senseMeasure(file: Safetensors, sense: Sense, rows: number, where: string): SenseMeasure {
  const numbers = (name: keyof SenseMeasure, axes: number): { shape: number[]; data: Float32Array } => {
    const tensor = file.tensors.get(`${sense}/${name}`);
    const dtype = name === 'map' ? 'F16' : 'F32';
    if (tensor?.dtype !== dtype || tensor.shape.length !== axes || tensor.shape.includes(0)) {
      throw fault(where, `expected "${sense}/${name}" as ${dtype} with ${axes} axes`);
    }
    const data = toFloat32(tensor);
    if (!data.every(Number.isFinite)) throw fault(where, `"${sense}/${name}" holds a number that is not finite`);
    return { shape: tensor.shape, data };
  };
  const [mean, map, levels] = [numbers('mean', 1), numbers('map', 2), numbers('levels', 1)];
  if (mean.shape[0] !== rows || map.shape[0] !== rows) {
    throw fault(where, `the tensors of "${sense}" do not fit meta-tokens of width ${rows}, or each other`);
  }
  const ascends = levels.data.every((level, i) => i === 0 || level >= levels.data[i - 1]!);
  if (levels.data.length < 2 || !ascends) throw fault(where, `"${sense}/levels" do not ascend`);
  return { mean: mean.data, map: map.data, levels: levels.data };
}

const fault = (where: string, problem: string): MettleError =>
  new MettleError('invalid-file', `${where}: ${problem}.`, { hint: 'Make the package again with "mettle calibrate".' });

/** That of a package. Throws as {@link readMeasure}. */
export function openMeasure(
  { manifest, files }: ModelPackage<AdapterManifest>,
  { file }: NonNullable<AdapterManifest['familiarity']>,
): Measure {
  return readMeasure(files[file]!, manifest, `${file} of adapter "${manifest.id}"`);
}
