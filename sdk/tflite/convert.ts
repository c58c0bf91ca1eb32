/**
 * A TensorFlow Lite model as an ONNX model in float32: maps channels first, integers as what they stand for, the batch free where the operators allow it. An audio
 * front end inside the file is left out: its network then reads the log-mel picture that this package makes.
 */
import { blockEnds, blockNames } from './blocks.ts';
import { type AudioFrontEnd, findAudioFrontEnd } from './front-end.ts';
import { TfliteNetwork, Unavailable, Untranslated, untranslatedError } from './network.ts';
import { rangeOf } from './numbers.ts';
import { readTflite, type TfliteModel, type TfliteOperator } from './reader.ts';
import type { Rule } from './rules.ts';
import { layoutRules } from './rules-layout.ts';
import { mapRules } from './rules-maps.ts';
import { numberRules } from './rules-numbers.ts';

/** What pictures are fed as: (pixel / 255 - mean) / std. */
export type PictureScale = { width: number; height: number; mean: number; std: number };

export type ConvertedNetwork = {
  /** Bytes of an ONNX model. */
  onnx: Uint8Array<ArrayBuffer>;
  /** Names of values at which blocks end, in the order of the network. Empty where the file has none that are recognised. */
  blockEnds: string[];
  /** Operators without a translation; what depends on them is not in the ONNX model. */
  untranslated: string[];
  /** What the file says of a picture that it takes; null for other inputs. `mean` is null where it takes floats and does not say how they are scaled. */
  picture: (Omit<PictureScale, 'mean' | 'std'> & { scale: Pick<PictureScale, 'mean' | 'std'> | null }) | null;
  /** The front end that was in the file and is not in the ONNX model; null where there was none. */
  audio: AudioFrontEnd['frontEnd'] | null;
};

const rules: Record<string, Rule> = { ...mapRules, ...numberRules, ...layoutRules };

/**
 * Throws `invalid-file` that begins with `where` for a damaged file, and `incompatible` where nothing is left of the network without what has no translation; it names
 * all such operators.
 */
export function convertTflite(bytes: Uint8Array, where: string): ConvertedNetwork {
  const model = readTflite(bytes, where);
  const ends = blockEnds(model);
  const names = uniqueNames(model, blockNames(ends));
  const network = new TfliteNetwork(model, names);
  const audio = findAudioFrontEnd(model);
  const picture = audio ? null : pictureOf(model);
  const skipped = audio?.operators ?? new Set<TfliteOperator>();
  if (audio) network.feedPlain(audio.output, 'log_mel', [audio.frontEnd.frames, audio.frontEnd.mels]);
  else for (const index of model.inputs) network.feed(index, picture ? 'image' : names[index]!);
  const untranslated = translateAll(network, model, skipped);
  const outputs = [...new Set([...ends, ...model.outputs])].filter((index) => network.found(index));
  if (outputs.length === 0) {
    throw untranslatedError(where, untranslated, 'nothing of the network can be had without');
  }
  const kept = ends.filter((index) => network.found(index));
  return {
    onnx: network.finish(outputs),
    blockEnds: kept.map((index) => names[index]!),
    untranslated,
    picture,
    audio: audio?.frontEnd ?? null,
  };
}

/** Names of what could not be translated, once for each operator. */
function translateAll(network: TfliteNetwork, model: TfliteModel, skipped: ReadonlySet<TfliteOperator>): string[] {
  const failed: string[] = [];
  for (const operator of model.operators) {
    if (skipped.has(operator)) continue;
    const rule = Object.hasOwn(rules, operator.name) ? rules[operator.name] : undefined;
    if (!rule) {
      failed.push(operator.name);
      continue;
    }
    try {
      rule(network, operator);
    } catch (error) {
      if (error instanceof Untranslated) failed.push(`${operator.name} ${error.message}`);
      else if (!(error instanceof Unavailable)) throw error;
    }
  }
  return failed;
}

/** RGB pictures of one fixed size. Of integers the file says what they stand for. */
function pictureOf({ tensors, inputs }: TfliteModel): ConvertedNetwork['picture'] {
  const tensor = inputs.length === 1 ? tensors[inputs[0]!]! : null;
  const [, height, width, channels] = tensor?.shape ?? [];
  if (tensor?.shape.length !== 4 || channels !== 3 || !height || !width) return null;
  if (tensor.type === 'float32') return { width, height, scale: null };
  const [least, most] = rangeOf(tensor) ?? [0, 255];
  // Pixels 0 and 255 stand for the ends of the range.
  const std = 1 / (most - least);
  return { width, height, scale: { mean: -least * std, std } };
}

/** By index of the tensor; plain text, none twice. Fused layers keep the last of their names. */
function uniqueNames({ tensors }: TfliteModel, given: ReadonlyMap<number, string>): string[] {
  const taken = new Set<string>(['image', 'log_mel', ...given.values()]);
  return tensors.map(({ name }, index) => {
    const own = given.get(index);
    if (own !== undefined) return own;
    const plain = (name.split(';').at(-1) ?? '').replaceAll(/[^A-Za-z0-9_.-]+/g, '_').slice(-80) || `tensor_${index}`;
    const unique = taken.has(plain) ? `${plain}.${index}` : plain;
    taken.add(unique);
    return unique;
  });
}
