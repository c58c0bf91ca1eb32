/** A TensorFlow Lite file as the start of a backbone: an ONNX network, how it is fed as far as the file says it, and the values at which its blocks end. */
import type { BackboneManifest, LogMelFrontEnd } from '../contract/manifest.ts';
import type { ModelPackage } from '../contract/model.ts';
import type { Runtime } from '../contract/runtime.ts';
import { MettleError } from '../errors.ts';
import { computedValues, type Network, openNetwork } from '../onnx/taps.ts';
import { convertTflite } from '../tflite/convert.ts';
import { untranslatedError } from '../tflite/network.ts';
import { type FrontEndSource, tapBackbone } from './tapped.ts';

/** A file that was read, ready for `tapBackbone`. */
export type TfliteBackbone = {
  /** In float32, channels first. */
  network: Network;
  /** How it is fed; null where the file does not say it. */
  frontEnd: FrontEndSource | null;
  /** Width and height of the picture that it takes; null for sounds. */
  picture: { width: number; height: number } | null;
  /** Whether its own audio front end was left out, so that `frontEnd` takes its place. */
  replaced: boolean;
  /** Values at which blocks end, in the order of the network. */
  taps: string[];
  /** Operators that have no translation; what depends on them is not in the network. */
  untranslated: string[];
};

/**
 * Throws `invalid-file` that begins with `where` for a damaged file, `incompatible` for one whose audio front end is not recognised, or of which nothing can be
 * translated; it names all operators that cannot.
 */
export function openTflite(bytes: Uint8Array, where: string): TfliteBackbone {
  const { onnx, blockEnds, untranslated, picture, audio } = convertTflite(bytes, where);
  return {
    network: openNetwork(onnx, where),
    frontEnd: audio ? { modality: 'audio', frontEnd: audio } : pictureFrontEnd(picture),
    picture: picture && { width: picture.width, height: picture.height },
    replaced: audio !== null,
    taps: blockEnds,
    untranslated,
  };
}

function pictureFrontEnd(picture: ReturnType<typeof convertTflite>['picture']): FrontEndSource | null {
  if (!picture?.scale) return null;
  const { width, height, scale } = picture;
  const triple = (x: number): [number, number, number] => [x, x, x];
  return { modality: 'visual', frontEnd: { width, height, mean: triple(scale.mean), std: triple(scale.std) } };
}

/** What becomes a backbone. */
export type TfliteSource = {
  /** Of the whole file. */
  bytes: Uint8Array;
  /** What the file is called in errors. */
  where: string;
  /** Of the new package. */
  id: string;
  /** SPDX id or a sentence, for its manifest. */
  license: string;
  /** Names of values, in the order in which adapters shall read them. Default: the ends of its blocks. */
  taps?: readonly string[];
  /** Pictures that it takes as floats: how they are scaled, (pixel / 255 - mean) / std. Default: what the file says of its integers. */
  scale?: {
    /** Of red, green and blue, in [0, 1]. */
    mean: [number, number, number];
    /** Of red, green and blue. */
    std: [number, number, number];
  };
};

/**
 * A TensorFlow Lite file as a backbone package: its manifest, and all files by path. Runs the network once. Throws `invalid-file` for a damaged file, `incompatible` for
 * operators that are not translated where a tap depends on them, or an audio front end that is not recognised, and `invalid-argument` where a scale or taps are missing.
 */
export async function importTflite(source: TfliteSource, runtime: Runtime): Promise<ModelPackage<BackboneManifest>> {
  const { bytes, where, id, license, taps = [], scale } = source;
  const opened = openTflite(bytes, where);
  const { network, picture } = opened;
  const frontEnd: FrontEndSource | null =
    scale && picture ? { modality: 'visual', frontEnd: { ...picture, ...scale } } : opened.frontEnd;
  if (!frontEnd) {
    throw new MettleError('invalid-argument', `${where} does not say how what it takes is scaled.`, {
      hint: picture ? 'Give scale: { mean, std }.' : 'Its input is neither a picture nor a waveform.',
    });
  }
  const chosen = chooseTaps(opened, taps);
  return await tapBackbone({ ...frontEnd, id, version: '1.0.0', license, taps: chosen }, { network, ort: runtime.ort });
}

/** The taps that were named, else those of the file. Throws `incompatible` where one cannot be had, `invalid-argument` where there are none. */
export function chooseTaps({ network, taps, untranslated }: TfliteBackbone, named: readonly string[]): string[] {
  const there = new Set(computedValues(network.model.graph));
  const absent = named.filter((name) => !there.has(name));
  if (absent.length > 0 && untranslated.length > 0) {
    throw untranslatedError(network.where, untranslated, `"${absent[0]}" is not among what can be had without`);
  }
  if (named.length > 0) return [...named];
  if (taps.length > 0) return taps;
  throw new MettleError('invalid-argument', `${network.where}: no blocks are recognised in it, and no tap was named.`, {
    hint: 'See what it offers with --list, and name values with --tap.',
  });
}

/** One line about a front end of sounds. */
export function frontEndText({
  sampleRate,
  window,
  fftSize,
  hop,
  spectrum,
  mels,
  minHz,
  maxHz,
  floor,
  frames,
}: Omit<LogMelFrontEnd, 'input'>): string {
  return (
    `${sampleRate} Hz, Hann window of ${window} samples in a transform of ${fftSize}, hop ${hop}, ${spectrum}, ` +
    `${mels} mel bands from ${minHz} to ${maxHz} Hz, ln(x + ${floor}), ${frames} frames`
  );
}
