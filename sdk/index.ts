/**
 * Everything that a page or a Node program uses.
 *
 * @module mettle-edge
 */

export type { Analysis, AnalyzeOptions, CallOptions, CallProgress } from './analyze.ts';
export type {
  AudioTrack,
  Clip,
  ClipSource,
  HandedFrame,
  RawClip,
  RgbImage,
  Segment,
  SegmentFormat,
  VideoTrack,
} from './contract/clip.ts';
export type { Device, DeviceRequest } from './contract/device.ts';
export type { EngineInfo } from './contract/engine-info.ts';
export type { SensesFamiliarity, Unfamiliar } from './contract/familiar.ts';
export type { LiveFeeds, LiveFrame, LiveSound, LiveSource, LiveStreams } from './contract/live.ts';
export type { Scope, Sense } from './contract/manifest.ts';
export type { VariantName } from './contract/model.ts';
export { segmentCount } from './contract/segment-time.ts';
export type { Task } from './contract/task.ts';
export { sdkVersion as version } from './contract/version.ts';
export type { WorkerFactory, WorkerLike, WorkerName } from './contract/worker.ts';
export type { EmbedOptions } from './embed.ts';
export { type ErrorCode, MettleError, type MettleErrorOptions, type Warning } from './errors.ts';
export type { HubOptions } from './hub/access.ts';
export type { Hosts } from './hub/addresses.ts';
export { type CacheCheck, type CachedModel, type ModelCache, type OpenCacheOptions, openCache } from './hub/cache.ts';
export type { GivenAdapter } from './hub/given.ts';
export { type ListOptions, listShipped, type ModelKind, type ShippedModel } from './hub/hub.ts';
export type { WatchOptions } from './live/options.ts';
export type { LiveEvent, LiveEvents } from './live/tracker.ts';
export type { Moment } from './live/watch.ts';
export type { CreateOptions, CreateProgress } from './load.ts';
export { createMettle, type LoadedAdapter, type LoadOptions, type Mettle, type TaskOptions } from './mettle.ts';
export type { AdapterLocation, MemoryUse } from './residents.ts';
export type { DrawContext, Pixels } from './tasks/canvas.ts';
export { classColor } from './tasks/color.ts';
export { drawMask, drawTimeline, type MaskStyle, type TimelineStyle } from './tasks/draw.ts';
export {
  type DocumentResult,
  type MaskEntry,
  type ResultsDocument,
  toJSON,
  toWebVTT,
} from './tasks/export.ts';
export type { DocumentInfo, Results, Timing } from './tasks/given.ts';
export {
  type EmbeddedSecond,
  type Embedding,
  findSimilar,
  type Match,
  type SimilarOptions,
} from './tasks/similar.ts';
export type {
  AttentionMap,
  Event,
  ExplainedLayer,
  ExplainedSecond,
  ExplainedSense,
  LocalizationResult,
  LocalizationSecond,
  Mask,
  NumberGrid,
  ParsedEvent,
  ParsingResult,
  ParsingSecond,
  ResultBase,
  SegmentationResult,
  TaskResult,
} from './tasks/types.ts';
export { openClip, type WorkshopOptions } from './work/workshop.ts';
