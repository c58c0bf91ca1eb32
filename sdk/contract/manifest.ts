/** The manifest: what a backbone or an adapter is, and every file of it with its size and digest. */
import type { Signature } from './signature.ts';
import type { Task } from './task.ts';

/** `sha256-` and the digest in base64, as in Subresource Integrity. */
export type Integrity = `sha256-${string}`;

/** A file of a package. */
export type FileEntry = {
  /** In the package, with `/` between names. */
  path: string;
  /** Its size. */
  bytes: number;
  /** Its digest. */
  integrity: Integrity;
  /** Bytes of each of its pieces that have digests of their own; the last may be shorter. */
  chunkBytes?: number;
  /** Their digests: with them a bad byte is found where it is, and a broken download goes on from the last good piece. */
  chunks?: Integrity[];
};

/** Shape of a named tensor; every dimension is known. */
export type TensorSpec = { name: string; shape: number[] };

/** Picture into the network: RGB of this size, scaled to [0, 1], minus mean, over std, channels first: [1, 3, height, width]. */
export type PictureFrontEnd = {
  input: string;
  width: number;
  height: number;
  mean: [number, number, number];
  std: [number, number, number];
};

/**
 * Sound into the network: a log-mel picture of one second of mono PCM, minus mean, over std. Frames begin `hop` samples apart; what lies beyond `frames` is
 * cut off.
 */
export type LogMelFrontEnd = {
  input: string;
  /** Shape of the input: `image` is [1, 1, frames, mels], `plain` is [1, frames, mels]. */
  layout: 'image' | 'plain';
  sampleRate: number;
  /** How often the second is repeated, end to end, before it is transformed. HTS-AT reads its second 10 times; others 1. */
  repeat: number;
  /** Samples of the periodic Hann window; zeros fill it up to `fftSize`. */
  window: number;
  fftSize: number;
  hop: number;
  /** Frame t is centred on sample t * hop, the sound reflected at both ends; or it begins there (`left`), and frames that would go beyond the end do not count. */
  align: 'centre' | 'left';
  /** What the filters sum: |X|^2 or |X|. */
  spectrum: 'power' | 'magnitude';
  mels: number;
  minHz: number;
  maxHz: number;
  /** `slaney`: Slaney's scale, triangles linear in Hz with an area of one; `htk`: 1127 ln(1 + f / 700), triangles linear in mel with a peak of one. */
  scale: 'slaney' | 'htk';
  /** `decibel`: 10 log10(max(x, floor)); `natural`: ln(x + floor). */
  log: 'decibel' | 'natural';
  floor: number;
  frames: number;
  mean: number;
  std: number;
};

/**
 * An intermediate output that adapters may read. `tokens` is [1, tokens, width], row by row over `grid` (rows, columns); `map` is [1, width, rows, columns].
 */
export type Tap = {
  /** Unique in the backbone, with its sense before a dot: `visual.s0.b1`. */
  name: string;
  /** Order of the axes. */
  layout: 'tokens' | 'map';
  /** Places; rows times columns. */
  tokens: number;
  /** Numbers at each place. */
  width: number;
  /** Rows and columns. */
  grid: [number, number];
};

/**
 * A small safetensors file of the numbers that the graphs must give for made-up inputs, and how far a device may be off, as a share of an output's largest
 * value. The inputs and the names in the file are those of `engine/canary.ts`.
 */
export type Canary = {
  /** Its path in the package. */
  file: string;
  /** Share, 0 to 1. */
  rtol: number;
};

/** What every manifest says. */
export type ManifestBase = {
  /** Of this form of manifest. */
  schema: 1;
  /** Lower-case letters, digits, dots, dashes and underscores. */
  id: string;
  /** Such as `1.0.0`. */
  version: string;
  /** SPDX id, or a sentence. */
  license: string;
  /** True if the weights are seeded noise: everything computed from them means nothing. */
  untrained: boolean;
  /** What reads it. */
  requires: {
    /** Range of versions of this SDK. */
    sdk: string;
  };
  /** Checked when the model is loaded, on the device that will run it. Null where there is none. */
  canary: Canary | null;
  /** All but the manifest itself. */
  files: FileEntry[];
  /** Who vouches for everything else that stands here, and through it for every file. */
  signatures?: Signature[];
};

/**
 * How exactly a graph computes: `float16` has weights and sums of half precision, and needs a GPU that has it; `weights-int8` and `weights-int4` keep large weights in few bits and multiply in float32, with the same results on every
 * device; `int8` multiplies as integers, which is faster on CPUs and adds noise that differs between devices.
 */
export type Precision = 'float32' | 'float16' | 'weights-int8' | 'weights-int4' | 'int8';

/** One compiled form of a graph: the ONNX file, and the weights that its initializers point into. Without `precision` it is float32. */
export type GraphFiles = { graph: string; weights: string; precision?: Precision };

/**
 * Graphs per device variant. `webgpu-f16`, which a package need not have, is for WebGPU devices with the feature `shader-f16`; others of them run `webgpu`.
 */
export type Variants<T> = { webgpu: T; wasm: T; 'webgpu-f16'?: T };
export type BackboneGraphs = { visual: GraphFiles | null; audio: GraphFiles | null };
export type AdapterGraphs = { segment: GraphFiles; clip: GraphFiles | null; borders?: GraphFiles };

/** What is heard, or what is seen. */
export type Sense = 'audio' | 'visual';

/** What an adapter can answer for: said wherever an answer is. */
export type Scope = {
  /** The senses that decide an answer. An adapter that listens alone says so here, whatever its task is called. */
  senses: Sense[];
  /** What its training clips show, for people. */
  world: string;
  /** What it does not know, and so takes for something else or for nothing, for people. */
  unknown: string;
};

/** Of parsing, by sense. */
export type SenseTemperatures = {
  /** Of what is heard. */
  audio: Temperature;
  /** Of what is seen. */
  visual: Temperature;
};
/** Of localization and segmentation. */
export type OneTemperature = {
  /** Of what both senses say together. */
  both: Temperature;
};

/** How what a network says becomes a probability that means a frequency: logits over `temperature`, and then `bias` added. */
export type Temperature = {
  /** Above 1 where the network is too sure. */
  temperature: number;
  /** 0 where classes exclude each other, and for masks. */
  bias: number;
};

/** What a backbone takes; null for a sense that it does not have. */
export type BackboneInputs = { visual: PictureFrontEnd | null; audio: LogMelFrontEnd | null };
export type BackboneTaps = { visual: Tap[]; audio: Tap[] };
/** A digest of the numbers of each network, whatever form they are stored in. Taps of the same shape mean other things where this differs. */
export type BackboneNetworks = { visual: Integrity | null; audio: Integrity | null };

/** The networks of both senses, or of one: then the other's input and graphs are null and it has no taps. Two of one sense each make a pair (`pair.ts`). */
export type BackboneManifest = ManifestBase & {
  /** Tells manifests apart. */
  kind: 'backbone';
  /** What the networks read, and how it is made of a second of clip. */
  inputs: BackboneInputs;
  /** Digests of the networks' numbers. */
  networks: BackboneNetworks;
  /** What adapters may read. */
  taps: BackboneTaps;
  /** One graph per modality. */
  variants: Variants<BackboneGraphs>;
};

/**
 * What an adapter knows of the backbone that it was made for, so that it can run on another one that differs in the last digits of its numbers alone, such as the same
 * network with weights in 8 bits.
 */
export type Likeness = {
  /** How the senses that it reads are fed; null for one that it does not read. */
  inputs: BackboneInputs;
  /** Those that it reads. */
  taps: BackboneTaps;
  /** A small safetensors file of what these taps gave for made-up inputs, as in a {@link Canary}. */
  file: string;
  /** How far a tap may be off: length of the difference over the length of what is in the file, 0 to 1. */
  tolerance: number;
};

/** What an adapter answers, what it reads, and its compiled graphs. */
export type AdapterManifest = ManifestBase & {
  /** Tells manifests apart. */
  kind: 'adapter';
  /** The question it answers. */
  task: Task;
  /** Labels, in the order of its outputs; empty for `segment`. */
  classes: string[];
  /** Parsing alone: the probability, 0 to 1, from which each class counts, in the order of `classes`; null where nothing chose it, which means 0.5. */
  thresholds: number[] | null;
  /** What it can answer for. Null where its maker did not say, as in packages of before there was this field. */
  scope: Scope | null;
  /** How familiar a second is, told by its meta-tokens. Null in packages without a measure: their answers are never withheld. */
  familiarity: {
    /** Its path in the package: see `engine/familiarity.ts`. */
    file: string;
    /** The familiarity, 0 to 1, below which answers are withheld. */
    least: number;
  } | null;
  /** Makes confidence mean frequency: by sense for parsing, else `both`. Null where nothing was fitted; confidence is then what the network says. */
  calibration: SenseTemperatures | OneTemperature | null;
  /** The backbone it was made for. */
  base: {
    /** A pair as `pictures+sounds`. */
    id: string;
    /** Digest of that manifest's `inputs`, `networks` and `taps`. */
    contract: Integrity;
    /** What another backbone of this id must be like. Without it no other is accepted. */
    likeness?: Likeness;
  };
  /** Runs once per second. */
  segment: {
    /** Names of the taps that are its inputs. */
    reads: string[];
    /** By name, with their shapes. */
    outputs: (TensorSpec & {
      /** Who gets it: the caller at once, the clip graph at the end, or the measure of familiarity alone. */
      deliver: 'segment' | 'clip' | 'familiarity';
    })[];
  };
  /**
   * Runs once per window of `segments` seconds: reads the outputs kept from each second, stacked to [segments, ...], and `mask` [segments], 1 where there
   * is a second and 0 where the window is padded. Outputs are [segments, ...]. Null where the segment graph says it all.
   */
  clip: {
    /** Seconds in a window. */
    segments: number;
    /** [segments, ...] each. */
    outputs: TensorSpec[];
  } | null;
  /**
   * A small graph that says where inside a second its classes sound, so that heard events begin and end on parts of a second. It runs once per second and gives
   * `borders` [1, steps, classes], log-odds. Packages without it tell whole seconds.
   */
  borders?: {
    /** Names of the audio taps that are its inputs. */
    reads: string[];
    /** Parts of a second. */
    steps: number;
  };
  /** Graphs by device variant. */
  variants: Variants<AdapterGraphs>;
};

export type Manifest = BackboneManifest | AdapterManifest;
