/** Everything that a page or a Node program uses. */
export type { Analysis, AnalyzeOptions, CallOptions, CallProgress } from './analyze.ts';
export type { Device, DeviceRequest } from './contract/device.ts';
export type { Task } from './contract/task.ts';
export { sdkVersion as version } from './contract/version.ts';
export type { WorkerFactory, WorkerLike } from './contract/worker.ts';
export type { EngineInfo } from './engine/types.ts';
export { type ErrorCode, MettleError, type Warning } from './errors.ts';
export { listShipped } from './hub/hub.ts';
export type { CreateOptions, CreateProgress } from './load.ts';
export { segmentCount } from './media/segment-time.ts';
export type {
  AudioTrack,
  Clip,
  ClipSource,
  RawClip,
  RgbImage,
  Segment,
  SegmentFormat,
  VideoTrack,
} from './media/types.ts';
export { createMettle, type Mettle, type TaskOptions } from './mettle.ts';
export { classColor } from './tasks/color.ts';
export { drawMask, drawTimeline } from './tasks/draw.ts';
export { toJSON, toWebVTT } from './tasks/export.ts';
export type {
  Event,
  LocalizationResult,
  LocalizationSecond,
  Mask,
  ParsedEvent,
  ParsingResult,
  ParsingSecond,
  SegmentationResult,
  TaskResult,
} from './tasks/types.ts';
export { openClip, type WorkshopOptions } from './work/workshop.ts';
