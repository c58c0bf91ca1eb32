/// <reference lib="esnext.disposable" preserve="true" />
/** Everything that a page or a Node program uses. */
export type { Analysis, AnalyzeOptions, CallOptions, CallProgress } from './analyze.ts';
export type { Device, DeviceRequest, EngineInfo } from './engine/types.ts';
export { type ErrorCode, MettleError, type Warning } from './errors.ts';
export { listShipped } from './hub/hub.ts';
export { sdkVersion as version } from './hub/version.ts';
export type { CreateOptions, CreateProgress } from './load.ts';
export { openClip, segmentCount } from './media/clip.ts';
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
  Task,
  TaskResult,
} from './tasks/types.ts';
