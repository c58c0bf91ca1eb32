/**
 * `mettle-edge/train`: training of adapters beside a frozen backbone, in a page or in Node, and the published measures of the three tasks.
 *
 * @example
 * import { openClip } from 'mettle-edge';
 * import { configFor, memoryStore, openTools, trainAdapter } from 'mettle-edge/train';
 *
 * const films = new Map(files.map((file) => [file.name, file]));
 * const dataset = {
 *   task: 'localize', format: 'folder', classes: ['bell', 'dog'], annotated: { train: 1, val: 0, test: 0 }, findings: [],
 *   items: [{
 *     id: 'a.mp4', split: 'train', seconds: 3, source: { kind: 'video', path: 'a.mp4' },
 *     labels: { task: 'localize', seconds: Int32Array.of(0, 0, 2) }, // bell, bell, background
 *   }],
 * };
 * const tools = await openTools({ backbone: 'nano' });
 * const { package: adapter } = await trainAdapter({
 *   ...tools, dataset, config: configFor(dataset), id: 'my-adapter', license: 'MIT', epochs: 20, batch: 4, seed: 1,
 *   access: {
 *     async *segments({ source }, format, signal) {
 *       await using clip = await openClip(films.get(source.path), { signal });
 *       yield* clip.segments(format, { signal });
 *     },
 *     fingerprint: async ({ source }) => `${source.path} ${films.get(source.path).lastModified}`,
 *     readMask: async () => { throw new Error('there are no masks'); },
 *   },
 *   cache: { store: memoryStore(), budget: 1e9 },
 *   onProgress: (progress) => console.log(progress),
 * });
 * await tools.dispose();
 * // adapter.files: every file of the adapter's folder by its path, manifest.json included
 *
 * @module mettle-edge/train
 */

export {
  type ImportOptions,
  type ImportPart,
  type ImportSource,
  importBackbone,
  type WriteFile,
} from '../compile/import.ts';
export { importTflite, type TfliteSource } from '../compile/tflite.ts';
export type {
  AdapterManifest,
  BackboneManifest,
  Canary,
  FileEntry,
  Likeness,
  ManifestBase,
  OneTemperature,
  Scope,
  Sense,
  SenseTemperatures,
  Tap,
  Temperature,
} from '../contract/manifest.ts';
export type { ModelPackage } from '../contract/model.ts';
export type { PublisherKey, Signature } from '../contract/signature.ts';
export type { Split } from '../contract/split.ts';
export type { Engine } from '../engine/types.ts';
export { type ErrorCode, MettleError } from '../errors.ts';
export { type AdapterConfig, defaultAdapter } from '../models/adapter.ts';
export { accountFor } from '../models/checkpoints/account.ts';
export type { DistillConfig } from '../models/lcd.ts';
export type { Weights } from '../models/params.ts';
export { type BackbonePreset, type PresetName, presets } from '../models/presets.ts';
export { type ByteSource, memorySource } from '../onnx/checkpoint/byte-source.ts';
export { openCheckpoint } from '../onnx/checkpoint/checkpoint.ts';
export type { Checkpoint } from '../onnx/checkpoint/types.ts';
export { type ConfigChange, configFor } from './adapter/config.ts';
export {
  type EvaluateOptions,
  evaluatePredictions,
  type Figures,
  type Predict,
  type Visit,
} from './adapter/evaluate.ts';
export { adapterModel, type LossOptions } from './adapter/model.ts';
export { memoryStore, openTools, type ToolOptions, type Tools } from './adapter/tools.ts';
export { trainAdapter } from './adapter/train-adapter.ts';
export type { AdapterProgress, AdapterTraining, TrainedAdapter } from './adapter/training.ts';
export { type CheckReport, type ClassCount, checkDataset, formatCheck } from './data/check.ts';
export { detectFormat, readDataset } from './data/index.ts';
export type * from './data/types.ts';
export type { FeatureProgress, ItemAccess } from './features/clip-features.ts';
export type { MaskImage } from './features/masks.ts';
export type { CachePolicy, FileStore } from './features/tap-cache.ts';
export type { BatchSource, Example } from './loop/batches.ts';
export type { CheckpointStore, Evaluation } from './loop/checkpoint.ts';
export { defaultOptimizer, type OptimizerConfig } from './loop/optimizer.ts';
export { defaultSchedule, type ScheduleConfig } from './loop/schedule.ts';
export type { InputShapes, OptimizerPlace, TrainModel } from './loop/step.ts';
export { type TrainOptions, type TrainProgress, type TrainResult, train } from './loop/trainer.ts';
export { averagePrecision, averagePrecisionPerClass, meanAveragePrecision } from './metrics/average-precision.ts';
export type { BorderFigures } from './metrics/borders.ts';
export { decodeArgmax, decodeGated, LocalizationScore, type Rows } from './metrics/localization.ts';
export type { EventFigures, OnlineFigures, SenseFigures } from './metrics/online.ts';
export { type Activity, decodeParsing, type ParsingFigures, ParsingScore } from './metrics/parsing.ts';
export { type EvaluationReport, formatReport } from './metrics/report.ts';
export { publishedBatchClips, type SegmentationFigures, SegmentationScore } from './metrics/segmentation.ts';
export type { SilenceFigures } from './metrics/silence.ts';
export { type KeptExample, type Lessons, type LessonsOptions, openLessons } from './teach/lessons.ts';
export type {
  LeftOut,
  ProgressStore,
  TaughtAdapter,
  TeachExample,
  TeachOptions,
  TeachProgress,
} from './teach/options.ts';
export { teach } from './teach/teach.ts';
