/** What `media` hands on: segments of one second, each with a frame and a piece of sound, whatever the source was. */
import type { Warning } from '../errors.ts';

/** 8-bit RGB picture: `data` is [height, width, 3], row by row, no padding. */
export type RgbImage = { width: number; height: number; data: Uint8Array };

/** Sound and pictures that the caller decoded: no container, no codec. */
export type RawClip = {
  /** Frames at even distance from 0 s on: `ImageData` (RGBA), {@link RgbImage}, or frames and canvases of the browser. They stay the caller's. */
  frames?: readonly (ImageData | RgbImage | VideoFrame | ImageBitmap | HTMLCanvasElement | OffscreenCanvas)[];
  /** Frames per second of `frames`. */
  frameRate?: number;
  /** One array per channel, samples in [-1, 1]. */
  audio?: { channels: readonly Float32Array[]; sampleRate: number };
};

/** A frame that can go to another thread. */
export type HandedFrame = ImageData | RgbImage | VideoFrame | ImageBitmap;
export type HandedRawClip = Omit<RawClip, 'frames'> & { frames?: readonly HandedFrame[] };

/** Anything `openClip` reads. A string is a URL, in Node also a path. */
export type ClipSource = Blob | URL | string | HTMLVideoElement | RawClip;

export type VideoTrack = {
  codec: string;
  /** Display size in pixels: after rotation and sample aspect ratio. */
  width: number;
  height: number;
  rotation: 0 | 90 | 180 | 270;
};
export type AudioTrack = { codec: string; channels: number; sampleRate: number };

/** What a backbone wants to see and hear, per second of clip. */
export type SegmentFormat = {
  /** Frame size in pixels; the aspect ratio of the source is ignored, as the published line of work does. */
  frame: { width: number; height: number };
  /** Hz of the mono PCM. */
  sampleRate: number;
  /** Also give a small picture of true aspect ratio, this many pixels high. */
  thumbnailHeight?: number;
};

/** One second of a clip. The last one may end early; its PCM is padded with zeros. */
export type Segment = {
  index: number;
  /** Seconds from the start of the clip. */
  start: number;
  end: number;
  /** The frame on screen at the middle of the segment; null if the clip has no picture. */
  frame: RgbImage | null;
  /** Mono PCM, exactly `sampleRate` samples; null if the clip has no sound. */
  pcm: Float32Array | null;
  thumbnail: RgbImage | null;
};

/** An opened source. Own it with `await using`, or call `dispose()`. */
export interface Clip extends AsyncDisposable {
  /** Seconds. */
  readonly duration: number;
  /** Number of segments that `segments()` yields: see `segmentCount()` for the rule. */
  readonly segmentCount: number;
  readonly video: VideoTrack | null;
  readonly audio: AudioTrack | null;
  readonly warnings: readonly Warning[];
  /** Decodes once, in order, holding no more than a few seconds at a time. */
  segments(format: SegmentFormat, options?: { signal?: AbortSignal }): AsyncIterable<Segment>;
  dispose(): Promise<void>;
}
