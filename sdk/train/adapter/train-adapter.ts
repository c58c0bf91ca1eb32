/**
 * From a dataset and a frozen backbone to an adapter: features once, training on them, selection on the validation split, thresholds, figures on the test
 * split, and a compiled package. Figures are those of the graph that was trained, in float32; what compiling changes is in the package's report.
 * Knows no files: clips, masks and stores are given, so a page can do it too.
 */
import { withLikeness } from '../../compile/likeness.ts';
import { compileMeasured, type MeasuredAdapter } from '../../compile/measured.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import { checkOptions } from '../../contract/options.ts';
import type { Split } from '../../contract/split.ts';
import { callersOwn, throughDoor } from '../../door.ts';
import { MettleError } from '../../errors.ts';
import type { Weights } from '../../models/params.ts';
import { hasFineBorders, trainBorders } from '../borders/train-borders.ts';
import { secondsToLearn } from '../features/examples.ts';
import type { Piece } from '../features/pieces.ts';
import { Predictor } from '../loop/predict.ts';
import type { TrainModel } from '../loop/step.ts';
import { type TrainOptions, type TrainResult, train } from '../loop/trainer.ts';
import { calibrateAdapter } from '../silence/calibrate.ts';
import { bordersToLearn, type Features, maskSizeOf, openFeatures } from './clip-features.ts';
import { defaultAverage } from './config.ts';
import { asEvaluation, type EvaluateOptions, evaluatePredictions, type Figures } from './evaluate.ts';
import { adapterModel } from './model.ts';
import { type AdapterTraining, type TrainedAdapter, trainingRules } from './training.ts';

/**
 * Trains, evaluates and compiles. Throws what `train` throws; `invalid-argument` for a dataset of another task or one whose training split is empty.
 * An item that cannot be decoded is skipped and listed; the order and the split of the others stay.
 */
export async function trainAdapter(options: AdapterTraining): Promise<TrainedAdapter> {
  return await throughDoor(options?.signal, () => {
    checkOptions(options, trainingRules);
    const { access, cache, checkpoint } = options;
    return trainCompiled({
      ...callersOwn(options),
      access: callersOwn(access),
      cache: { ...cache, store: callersOwn(cache.store) },
      checkpoint: checkpoint && { ...checkpoint, store: callersOwn(checkpoint.store) },
    });
  });
}

async function trainCompiled(options: AdapterTraining): Promise<TrainedAdapter> {
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
    const silent = await silenced(options, compiled.package, features);
    return {
      ...compiled,
      ...silent,
      ...(await bordered(options, silent.package, features)),
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

/** With a border head, where the data has exact times and the backbone layers that are fine enough. */
async function bordered(
  options: AdapterTraining,
  adapter: MeasuredAdapter['package'],
  features: Features,
): Promise<Pick<TrainedAdapter, 'package' | 'borders'>> {
  const { backbone, runtime, seed, signal, onProgress } = options;
  const learned = features.pieces.filter(({ id, split }) => split === 'train' && !features.failed.has(id));
  if (!bordersToLearn(options) || !hasFineBorders(learned)) return { package: adapter, borders: null };
  const { package: finer, figures } = await trainBorders({
    ...{ adapter, runtime, features, seed, signal },
    base: backbone.manifest,
    onProgress: (progress) => onProgress?.({ phase: 'borders', ...progress }),
  });
  return { package: finer, borders: figures };
}

async function compile(
  { id, license, config, scope, forms, place, backbone, runtime }: AdapterTraining,
  weights: Weights,
  thresholds: number[] | null,
): Promise<MeasuredAdapter> {
  const source = { id, version: '1.0.0', license, config, scope, forms, weights, thresholds };
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
