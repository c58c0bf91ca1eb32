/**
 * From a dataset and a frozen backbone to an adapter: features once, training on them, selection on the validation split, thresholds, figures on the test
 * split, and a compiled package. Figures are those of the graph that was trained, in float32; what compiling changes is in the package's report.
 * Knows no files: clips, masks and stores are given, so a page can do it too.
 */
import type { Place } from '../../compile/form-runs.ts';
import { withLikeness } from '../../compile/likeness.ts';
import { compileMeasured, type MeasuredAdapter } from '../../compile/measured.ts';
import type { Forms } from '../../compile/variants.ts';
import type { Segment, SegmentFormat } from '../../contract/clip.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import { contractOf } from '../../contract/fits.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import type { BackboneManifest, Tap } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import {
  callback,
  checkOptions,
  flag,
  nested,
  number,
  type Rules,
  record,
  required,
  signal as signalRule,
  text,
  whole,
} from '../../contract/options.ts';
import type { Runtime } from '../../contract/runtime.ts';
import type { Split } from '../../contract/split.ts';
import type { Engine } from '../../engine/types.ts';
import { MettleError } from '../../errors.ts';
import { createRules } from '../../load.ts';
import { type AdapterConfig, mapsToGuide, tapsRead } from '../../models/adapter.ts';
import type { Weights } from '../../models/params.ts';
import type { Dataset, DatasetItem } from '../data/types.ts';
import { type ExampleOptions, examplesOf, secondsToLearn } from '../features/examples.ts';
import { keepingMasks, type MaskImage } from '../features/masks.ts';
import { cutIntoPieces, type Piece } from '../features/pieces.ts';
import { type CachePolicy, type ClipTaps, choosePolicy, type FileStore, TapCache } from '../features/tap-cache.ts';
import { readTaps, tapReader } from '../features/tap-reader.ts';
import type { BatchSource } from '../loop/batches.ts';
import type { CheckpointStore } from '../loop/checkpoint.ts';
import type { OptimizerConfig } from '../loop/optimizer.ts';
import { Predictor } from '../loop/predict.ts';
import type { ScheduleConfig } from '../loop/schedule.ts';
import type { TrainModel } from '../loop/step.ts';
import { type TrainOptions, type TrainProgress, type TrainResult, train } from '../loop/trainer.ts';
import { defaultAverage } from './config.ts';
import { asEvaluation, type EvaluateOptions, evaluatePredictions, type Figures } from './evaluate.ts';
import { adapterModel, type LossOptions } from './model.ts';

/** How an item's bytes are reached. */
export type ItemAccess = {
  /** Decodes an item second by second; throws a MettleError for a broken one. */
  segments(item: DatasetItem, format: SegmentFormat, signal?: AbortSignal): AsyncIterable<Segment>;
  /** Text that changes whenever the item's bytes do. */
  fingerprint(item: DatasetItem): Promise<string>;
  /** The mask at a path that the labels name; throws a MettleError for a broken one. */
  readMask(path: string): Promise<MaskImage>;
};

/** What `trainAdapter` takes. */
export type AdapterTraining = {
  /** Id of the new adapter: lower-case letters, digits, dots, dashes and underscores. */
  id: string;
  /** SPDX id or a sentence, for its manifest. */
  license: string;
  /** Items with their labels, of the task of `config`. */
  dataset: Dataset;
  /** How clips and masks are read. */
  access: ItemAccess;
  /** Stays as it is; only its taps are read. */
  backbone: ModelPackage<BackboneManifest>;
  /** Runs the backbone on `device`; the tap reader is loaded into it. */
  engine: Engine;
  /** Where the backbone runs. */
  device: DeviceRequest;
  /** Runs the training steps. */
  runtime: Runtime;
  /** Where the runtime's own files lie, for the engine; a page only. */
  runtimePath?: string;
  /** How the adapter is built: see {@link configFor}. */
  config: AdapterConfig;
  /** Default: see {@link LossOptions}. */
  losses?: LossOptions;
  /** Default: {@link defaultOptimizer}, and for `segment` an average of the weights. */
  optimizer?: Partial<OptimizerConfig>;
  /** Default: {@link defaultSchedule}. */
  schedule?: Partial<ScheduleConfig>;
  /** How each device gets the adapter. Default: weights in 8 bits where no output differs by more than a hundredth from float32, else float32. */
  forms?: Forms;
  /** Where this is computed, if that is a CPU whose times shall be in the report. */
  place?: Place;
  /** Passes over the training split. */
  epochs: number;
  /** Clips per step. */
  batch: number;
  /** Decides starting weights and order. */
  seed: number;
  /** Where features are kept. */
  cache: {
    /** Keeps them by name. */
    store: FileStore;
    /** Bytes that they may take. */
    budget: number;
  };
  /** Keeps the state of the training, once per epoch and when it is aborted. */
  checkpoint?: {
    /** Keeps it by name. */
    store: CheckpointStore;
    /** Go on from what is there. */
    resume: boolean;
  };
  /** Ends the training: it rejects with the signal's reason, after a checkpoint where there is one. */
  signal?: AbortSignal;
  /** Called after every clip, step and evaluation. */
  onProgress?: (progress: AdapterProgress) => void;
};

/** `dispose` is what the spread tools bring along; configuration, optimizer and schedule are checked where they are read. */
const trainingRules: Rules<AdapterTraining & { dispose?: unknown }> = {
  id: required(text),
  license: required(text),
  dataset: required(record),
  access: required(record),
  backbone: required(record),
  engine: required(record),
  device: required(createRules.device),
  runtime: required(record),
  runtimePath: text,
  config: required(record),
  losses: record,
  optimizer: record,
  schedule: record,
  forms: record,
  place: record,
  epochs: required(whole(1)),
  batch: required(whole(1)),
  seed: required(whole()),
  cache: required(nested<AdapterTraining['cache']>({ store: required(record), budget: required(number(0)) })),
  checkpoint: nested<NonNullable<AdapterTraining['checkpoint']>>({ store: required(record), resume: required(flag) }),
  signal: signalRule,
  onProgress: callback,
  dispose: callback,
};

/** How far a training is, told apart by `phase`. */
export type AdapterProgress =
  | {
      /** Before all: what will be kept. */
      phase: 'cache';
      /** Which features are kept, and why. */
      policy: CachePolicy;
    }
  | {
      /** Clips run through the backbone. */
      phase: 'features';
      /** Clips, of `total`. */
      done: number;
      /** Clips. */
      total: number;
      /** Clips that could not be decoded. */
      skipped: number;
    }
  | {
      /** A step was made. */
      phase: 'training';
      /** Where it stands. */
      progress: TrainProgress;
    }
  | {
      /** A split was scored. */
      phase: 'evaluation';
      /** Which. */
      split: Split;
      /** Its figures. */
      figures: Figures;
    };

/** What was compiled, with its report, and how it came about. */
export type TrainedAdapter = MeasuredAdapter & {
  /** The selected weights, float32. */
  weights: Weights;
  /** How the training went. */
  result: TrainResult;
  /** Which features were kept, and why. */
  policy: CachePolicy;
  /** Items that could not be decoded, and why. */
  skipped: {
    /** Of the item. */
    id: string;
    /** Message of the error. */
    reason: string;
  }[];
  /** Of the training graph in float32, not of the package. */
  figures: Partial<Record<Split, Figures>>;
};

/**
 * Trains, evaluates and compiles. Throws what `train` throws; `invalid-argument` for a dataset of another task or one whose training split is empty.
 * An item that cannot be decoded is skipped and listed; the order and the split of the others stay.
 */
export async function trainAdapter(options: AdapterTraining): Promise<TrainedAdapter> {
  checkOptions(options, trainingRules);
  const { dataset, config, signal, onProgress } = options;
  if (dataset.task !== config.task) {
    throw new MettleError('invalid-argument', `The dataset is for ${dataset.task}, the adapter for ${config.task}.`, {
      hint: 'Choose the task that the dataset was made for.',
    });
  }
  const features = await openFeatures(options);
  const usable = features.pieces.filter((piece) => !features.failed.has(piece.id));
  const split = (name: Split): Piece[] => usable.filter((piece) => piece.split === name);
  if (split('train').length === 0) throw nothingToTrain(features.failed);
  const model = adapterModel(options.backbone.manifest.taps, config, options.losses);
  const scoring = await openScoring(options, model, features);
  try {
    const held = split('val');
    const score = async (weights: Weights) => asEvaluation(await scoring.figures(weights, held));
    const result = await trainModel(options, {
      ...lessons(options, features, split('train'), model),
      evaluate: held.length > 0 ? score : undefined,
      identity: await identityOf(options, features, split('train')),
    });
    const figures: Partial<Record<Split, Figures>> = {};
    let thresholds: number[] | null = null;
    for (const name of ['val', 'test'] as const) {
      if (split(name).length === 0) continue;
      signal?.throwIfAborted();
      figures[name] = await scoring.figures(result.weights, split(name), name === 'val' ? 'choose' : thresholds);
      if (name === 'val') thresholds = figures[name].thresholds ?? null;
      onProgress?.({ phase: 'evaluation', split: name, figures: figures[name] });
    }
    return {
      ...(await compile(options, result.weights, thresholds)),
      weights: result.weights,
      result,
      policy: features.policy,
      skipped: [...features.failed].map(([id, reason]) => ({ id, reason })),
      figures,
    };
  } finally {
    await scoring.dispose();
  }
}

async function compile(
  { id, license, config, forms, place, backbone, runtime }: AdapterTraining,
  weights: Weights,
  thresholds: number[] | null,
): Promise<MeasuredAdapter> {
  const source = { id, version: '1.0.0', license, config, forms, weights, thresholds };
  const measured = await compileMeasured(source, backbone.manifest, runtime.ort, place);
  return { ...measured, package: await withLikeness(measured.package, backbone, runtime.ort) };
}

function nothingToTrain(failed: ReadonlyMap<string, string>): MettleError {
  const [first] = failed;
  const why = first ? ` ${first[0]}: ${first[1]}` : '';
  return new MettleError('invalid-argument', `None of the clips of the training split can be used.${why}`, {
    hint: 'Check the folder with: mettle data check DIR',
  });
}

type Features = {
  policy: CachePolicy;
  pieces: readonly Piece[];
  failed: ReadonlyMap<string, string>;
  /** One name per piece of everything that its features depend on. */
  keys: ReadonlyMap<Piece, string>;
  readMask: ItemAccess['readMask'];
  examples(pieces: readonly Piece[], learning?: Pick<ExampleOptions, 'config' | 'supervisedOnly'>): BatchSource;
};

/**
 * What the steps run on. Masks of a second depend on that second alone, so seconds without one to learn from are left out: of a clip of S4 four of five. Only the
 * matching of sound and picture needs them all.
 */
function lessons(
  { backbone, config, losses }: AdapterTraining,
  features: Features,
  pieces: readonly Piece[],
  model: TrainModel,
): Pick<TrainOptions, 'model' | 'data'> {
  if (config.task !== 'segment' || losses?.matching) return { model, data: features.examples(pieces) };
  const segments = Math.max(1, ...pieces.map((piece) => secondsToLearn(piece, true).length));
  const lean = { ...config, segments: Math.min(segments, config.segments) };
  return {
    model: adapterModel(backbone.manifest.taps, lean, losses),
    data: features.examples(pieces, { config: lean, supervisedOnly: true }),
  };
}

/** Loads the tap reader, and where features are kept makes them all now, so that a broken clip is known before training begins. */
async function openFeatures(options: AdapterTraining): Promise<Features> {
  const { dataset, config, backbone, engine, runtime, cache, signal, onProgress } = options;
  const { manifest } = backbone;
  const pieces = cutIntoPieces(dataset.items, config.segments);
  const all = [...manifest.taps.visual, ...manifest.taps.audio];
  const names = tapsRead(manifest.taps, config);
  const read = all.filter((tap) => names.includes(tap.name));
  const seconds = pieces.reduce((sum, piece) => sum + piece.seconds, 0);
  const policy = choosePolicy(all, read, seconds, cache.budget);
  onProgress?.({ phase: 'cache', policy });
  const kept = policy.keep === 'all' ? all : read;
  const keptNames = kept.map((tap) => tap.name);
  const adapters = [await tapReader(manifest, kept)];
  const { device, runtimePath } = options;
  await engine.load({ backbone, adapters, device, threads: runtime.threads, runtimePath });

  const keys = await keysOf(options, pieces, keptNames);
  const compute = (index: number): Promise<ClipTaps> => tapsOf(options, kept, pieces[index]!);
  const taps = new TapCache(policy.keep === 'none' ? null : cache.store, (index) => keys[index]!, compute);
  const failed = new Map<string, string>();
  for (const [index, { id }] of policy.keep === 'none' ? [] : pieces.entries()) {
    signal?.throwIfAborted();
    await taps.fill(index, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (!(error instanceof MettleError) || !isClipFault(error)) throw error;
      failed.set(id, error.message);
    });
    onProgress?.({ phase: 'features', done: index + 1, total: pieces.length, skipped: failed.size });
  }
  const sizes = new Map(read.map((tap: Tap) => [tap.name, tap.tokens * tap.width]));
  const places = new Map(pieces.map((piece, index) => [piece, index]));
  const readMask = keepingMasks((path) => options.access.readMask(path));
  return {
    policy,
    pieces,
    failed,
    keys: new Map(pieces.map((piece, index) => [piece, keys[index]!])),
    readMask,
    examples: (items, learning) =>
      examplesOf({
        items,
        config,
        taps: sizes,
        cache: taps,
        indexOf: (piece) => places.get(piece)!,
        maskSize: maskSizeOf(options),
        readMask,
        ...learning,
        signal,
      }),
  };
}

/** Whether an error is one clip's own fault, so that the others can go on without it. */
export const isClipFault = ({ code }: MettleError): boolean =>
  ['not-media', 'empty-media', 'unsupported-codec', 'not-found', 'invalid-file'].includes(code);

/** One name per piece, made of everything that its features depend on. */
async function keysOf(
  { access, backbone }: AdapterTraining,
  pieces: readonly Piece[],
  taps: readonly string[],
): Promise<string[]> {
  const { manifest } = backbone;
  const base = `${manifest.id} ${manifest.version} ${await contractOf(manifest)} ${manifest.files.map((f) => f.integrity)} ${taps}`;
  const keys: string[] = [];
  for (const piece of pieces) {
    const text = `${base} ${await access.fingerprint(piece)} ${piece.start} ${piece.seconds}`;
    const digest = await sha256Integrity(new TextEncoder().encode(text));
    keys.push(digest.slice('sha256-'.length).replaceAll('/', '_').replaceAll('+', '-').replaceAll('=', ''));
  }
  return keys;
}

async function tapsOf(
  { access, backbone, engine, signal }: AdapterTraining,
  kept: readonly Tap[],
  piece: Piece,
): Promise<ClipTaps> {
  const { start, seconds } = piece;
  const segments = access.segments(piece, segmentFormatOf(backbone.manifest), signal);
  const taps = await readTaps(engine, kept, segments, { start, seconds });
  if (taps.seconds > 0) return taps;
  throw new MettleError('empty-media', `The clip ends before second ${start}, which has labels.`);
}

/** What a backbone wants to see and hear. A sense that it lacks is decoded at a size that costs nothing. */
export function segmentFormatOf({ inputs: { visual, audio } }: BackboneManifest): SegmentFormat {
  return {
    frame: { width: visual?.width ?? 1, height: visual?.height ?? 1 },
    sampleRate: audio?.sampleRate ?? 8000,
  };
}

function maskSizeOf({ config, backbone }: AdapterTraining): { width: number; height: number } | undefined {
  if (config.task !== 'segment') return undefined;
  const [rows, columns] = mapsToGuide(backbone.manifest.taps.visual)[0]!.grid;
  return { width: 4 * columns, height: 4 * rows };
}

type Scoring = {
  figures(weights: Weights, pieces: readonly Piece[], thresholds?: EvaluateOptions['thresholds']): Promise<Figures>;
  dispose(): Promise<void>;
};

async function openScoring(options: AdapterTraining, model: TrainModel, features: Features): Promise<Scoring> {
  const predictor = await Predictor.open(options.runtime, model, options.batch);
  const { config, signal } = options;
  const shared = { config, maskSize: maskSizeOf(options), readMask: features.readMask };
  return {
    figures: (weights, pieces, thresholds) =>
      evaluatePredictions({
        ...shared,
        thresholds,
        predict: (visit) =>
          predictor.each(
            weights,
            features.examples(pieces),
            (outputs, index) => visit(outputs, pieces[index]!),
            signal,
          ),
      }),
    dispose: () => predictor.dispose(),
  };
}

/** The model and what it learns from: to go on with other labels or another width would be another training. */
async function identityOf({ config, losses }: AdapterTraining, { keys }: Features, pieces: readonly Piece[]) {
  const labels = (_key: string, value: unknown): unknown =>
    ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value;
  const text = pieces.map((piece) => JSON.stringify([piece.id, keys.get(piece), piece.labels], labels)).join('\n');
  return { ...config, losses, clips: await sha256Integrity(new TextEncoder().encode(text)) };
}

function trainModel(
  options: AdapterTraining,
  task: Pick<TrainOptions, 'model' | 'data' | 'evaluate' | 'identity'>,
): Promise<TrainResult> {
  const { runtime, batch, epochs, seed, schedule, checkpoint, signal, onProgress } = options;
  const optimizer = { average: defaultAverage(options.config.task), ...options.optimizer };
  return train({
    ...task,
    runtime,
    batch,
    epochs,
    seed,
    optimizer,
    schedule,
    checkpoint: checkpoint && { store: checkpoint.store },
    resume: checkpoint?.resume,
    signal,
    onProgress: (progress) => onProgress?.({ phase: 'training', progress }),
  });
}
