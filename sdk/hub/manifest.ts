/** The manifest: what a backbone or an adapter is, and every file of it with its size and digest. */
import type { Task } from '../tasks/types.ts';

/** `sha256-` and the digest in base64, as in Subresource Integrity. */
export type Integrity = `sha256-${string}`;

export type FileEntry = { path: string; bytes: number; integrity: Integrity };

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
 * Sound into the network: log-mel `10 log10(max(power, floor))` of one second of mono PCM, Hann window of `fftSize`, centred with reflect padding,
 * Slaney mel filters, cut to `frames`; minus mean, over std: [1, 1, frames, mels].
 */
export type LogMelFrontEnd = {
  input: string;
  sampleRate: number;
  fftSize: number;
  hop: number;
  mels: number;
  minHz: number;
  maxHz: number;
  floor: number;
  frames: number;
  mean: number;
  std: number;
};

/** An intermediate output that adapters may read: [1, tokens, width], tokens row by row over `grid`. */
export type Tap = { name: string; tokens: number; width: number; grid: [number, number] };

type Common = {
  schema: 1;
  id: string;
  version: string;
  license: string;
  /** True if the weights are seeded noise: everything computed from them means nothing. */
  untrained: boolean;
  requires: { sdk: string };
  files: FileEntry[];
};

/** One compiled form of a graph: the ONNX file, and the weights that its initializers point into. */
export type GraphFiles = { graph: string; weights: string };

export type BackboneManifest = Common & {
  kind: 'backbone';
  inputs: { visual: PictureFrontEnd; audio: LogMelFrontEnd };
  taps: { visual: Tap[]; audio: Tap[] };
  /** Per device variant, one graph per modality. */
  variants: Record<'webgpu' | 'wasm', { visual: GraphFiles; audio: GraphFiles }>;
};

export type AdapterManifest = Common & {
  kind: 'adapter';
  task: Task;
  classes: string[];
  /** The backbone it was made for; `contract` is the digest of that manifest's `inputs` and `taps` (see `contractOf`). */
  base: { id: string; contract: Integrity };
  /** Runs once per second. `deliver` says who gets an output: the caller at once, or the clip graph at the end. */
  segment: { reads: string[]; outputs: (TensorSpec & { deliver: 'segment' | 'clip' })[] };
  /**
   * Runs once per window of `segments` seconds: reads the outputs kept from each second, stacked to [segments, ...], and `mask` [segments], 1 where there
   * is a second and 0 where the window is padded. Outputs are [segments, ...]. Null where the segment graph says it all.
   */
  clip: { segments: number; outputs: TensorSpec[] } | null;
  variants: Record<'webgpu' | 'wasm', { segment: GraphFiles; clip: GraphFiles | null }>;
};

export type Manifest = BackboneManifest | AdapterManifest;
