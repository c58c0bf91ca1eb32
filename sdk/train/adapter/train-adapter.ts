/**
 * From a dataset and a frozen backbone to an adapter: features once, training on them, selection on the validation split, thresholds, figures on the test
 * split, and a compiled package. Figures are those of the graph that was trained, in float32; what compiling changes is in the package's report.
 * Knows no files: clips, masks and stores are given, so a page can do it too.
 */
import type { Place } from '../../compile/form-runs.ts';
import { compileMeasured, type MeasuredAdapter } from '../../compile/measured.ts';
import type { Forms } from '../../compile/variants.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import type { BackboneManifest, Scope, Tap } from '../../contract/manifest.ts';
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
import type { Dataset } from '../data/types.ts';
import {
  type ClipFeatures,
  type FeatureProgress,
  type ItemAccess,
  openClipFeatures,
} from '../features/clip-features.ts';
import { type ExampleOptions, examplesOf, secondsToLearn } from '../features/examples.ts';
import type { Piece } from '../features/pieces.ts';
import type { CachePolicy, FileStore } from '../features/tap-cache.ts';
import type { BatchSource } from '../loop/batches.ts';
import type { CheckpointStore } from '../loop/checkpoint.ts';
import type { OptimizerConfig } from '../loop/optimizer.ts';
import { Predictor } from '../loop/predict.ts';
import type { ScheduleConfig } from '../loop/schedule.ts';
import type { TrainModel } from '../loop/step.ts';
import { type TrainOptions, type TrainProgress, type TrainResult, train } from '../loop/trainer.ts';
import { calibrateAdapter, type SilenceFigures } from '../silence/calibrate.ts';
import { defaultAverage } from './config.ts';
import { asEvaluation, type EvaluateOptions, evaluatePredictions, type Figures } from './evaluate.ts';
import { adapterModel, type LossOptions } from './model.ts';

/** What `trainAdapter` takes. */
export type AdapterTraining = {
  /** Id of the new adapter: lower-case letters, digits, dots, dashes and underscores. */
  id: string;
  /** SPDX id or a sentence, for its manifest. */
  license: string;
  /** What it can answer for. Default: nothing is said. */
  scope?: Scope;
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
  scope: record,
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
  | FeatureProgress
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
    }
  | {
      /** The finished adapter learns when to keep silent, and how sure to sound. */
      phase: 'calibration';
      /** Clips, of `total`. */
      done: number;
      /** Clips. */
      total: number;
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
  /** Of the package: what it keeps silent about, and how its confidence fits. Null where it has no measure: see `unmeasured`. */
  silence: Partial<Record<Split, SilenceFigures>> | null;
  /** Why there is no measure of familiarity, or null. */
  unmeasured: string | null;
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
    const compiled = await compile(options, result.weights, thresholds);
    return {
      ...compiled,
      ...(await silenced(options, compiled.package, features)),
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

/** An adapter without meta-tokens, or data too small to tell, ends without a measure of familiarity; the training is not lost for that. */
async function silenced(
  { backbone, runtime, scope, signal, onProgress }: AdapterTraining,
  adapter: MeasuredAdapter['package'],
  features: Features,
): Promise<Pick<TrainedAdapter, 'package' | 'silence' | 'unmeasured'>> {
  try {
    const calibrated = await calibrateAdapter({
      adapter,
      base: backbone.manifest,
      runtime,
      features,
      scope,
      signal,
      onProgress: (progress) => onProgress?.({ phase: 'calibration', ...progress }),
    });
    return { package: calibrated.package, silence: calibrated.figures, unmeasured: null };
  } catch (error) {
    if (!(error instanceof MettleError) || error.code !== 'invalid-argument') throw error;
    return { package: adapter, silence: null, unmeasured: error.message };
  }
}

const compile = (
  { id, license, config, scope, forms, place, backbone, runtime }: AdapterTraining,
  weights: Weights,
  thresholds: number[] | null,
): Promise<MeasuredAdapter> =>
  compileMeasured(
    { id, version: '1.0.0', license, config, scope, forms, weights, thresholds },
    backbone.manifest,
    runtime.ort,
    place,
  );

function nothingToTrain(failed: ReadonlyMap<string, string>): MettleError {
  const [first] = failed;
  const why = first ? ` ${first[0]}: ${first[1]}` : '';
  return new MettleError('invalid-argument', `None of the clips of the training split can be used.${why}`, {
    hint: 'Check the folder with: mettle data check DIR',
  });
}

type Features = ClipFeatures & {
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

async function openFeatures(options: AdapterTraining): Promise<Features> {
  const { config, backbone, signal } = options;
  const { taps } = backbone.manifest;
  const names = tapsRead(taps, config);
  const features = await openClipFeatures(options, { names, segments: config.segments });
  const read = [...taps.visual, ...taps.audio].filter((tap) => names.includes(tap.name));
  const sizes = new Map(read.map((tap: Tap) => [tap.name, tap.tokens * tap.width]));
  return {
    ...features,
    examples: (items, learning) =>
      examplesOf({
        items,
        config,
        taps: sizes,
        cache: features.taps,
        indexOf: features.indexOf,
        maskSize: maskSizeOf(options),
        readMask: features.readMask,
        ...learning,
        signal,
      }),
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
