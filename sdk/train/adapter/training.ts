/** What a training of an adapter is told, what it tells meanwhile, and what it gives. */
import type { Place } from '../../compile/form-runs.ts';
import type { MeasuredAdapter } from '../../compile/measured.ts';
import type { Forms } from '../../compile/variants.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import type { BackboneManifest, Scope } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import {
  callback,
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
import { createRules } from '../../load.ts';
import type { AdapterConfig } from '../../models/adapter.ts';
import type { Weights } from '../../models/params.ts';
import type { Dataset } from '../data/types.ts';
import type { FeatureProgress, ItemAccess } from '../features/clip-features.ts';
import type { CachePolicy, FileStore } from '../features/tap-cache.ts';
import type { CheckpointStore } from '../loop/checkpoint.ts';
import type { OptimizerConfig } from '../loop/optimizer.ts';
import type { ScheduleConfig } from '../loop/schedule.ts';
import type { TrainProgress, TrainResult } from '../loop/trainer.ts';
import type { BorderFigures } from '../metrics/borders.ts';
import type { SilenceFigures } from '../metrics/silence.ts';
import type { Figures } from './evaluate.ts';
import type { LossOptions } from './model.ts';

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
export const trainingRules: Rules<AdapterTraining & { dispose?: unknown }> = {
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
    }
  | {
      /** The finished adapter learns where inside of seconds events begin and end. */
      phase: 'borders';
      /** Steps, of `total`. */
      done: number;
      /** Steps. */
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
  /** What its border head does on held-out clips; null where it has none. */
  borders: Partial<Record<Split, BorderFigures>> | null;
  /** Why there is no measure of familiarity, or null. */
  unmeasured: string | null;
};
