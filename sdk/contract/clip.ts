/** What `media` hands on: segments of one second, each with a frame and a piece of sound, whatever the source was. */
import { MettleError, type Warning } from '../errors.ts';

/** 8-bit RGB picture: `data` is [height, width, 3], row by row, no padding. */
export type RgbImage = {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** [height, width, 3], 0 to 255. */
  data: Uint8Array;
};

/** Sound and pictures that the caller decoded: no container, no codec. */
export type RawClip = {
  /** Frames at even distance from 0 s on: `ImageData` (RGBA), {@link RgbImage}, or frames and canvases of the browser. They stay the caller's. */
  frames?: readonly (ImageData | RgbImage | VideoFrame | ImageBitmap | HTMLCanvasElement | OffscreenCanvas)[];
  /** Frames per second of `frames`. */
  frameRate?: number;
  /** The sound, from 0 s on. */
  audio?: {
    /** One array per channel, all of one length, samples in [-1, 1]. */
    channels: readonly Float32Array[];
    /** Hz. */
    sampleRate: number;
  };
};

/** A frame that can go to another thread: pixels, or what the browser holds. */
export type HandedFrame = ImageData | RgbImage | VideoFrame | ImageBitmap;
export type HandedRawClip = Omit<RawClip, 'frames'> & { frames?: readonly HandedFrame[] };

/** Anything `openClip` reads. A string is a URL, in Node also a path. */
export type ClipSource = Blob | URL | string | HTMLVideoElement | RawClip;

/** The picture of a clip. */
export type VideoTrack = {
  /** Its name, e.g. `h264` or `vp9`. */
  codec: string;
  /** Display size in pixels: after rotation and sample aspect ratio. */
  width: number;
  /** As `width`. */
  height: number;
  /** Degrees clockwise by which the stored pictures are turned to be shown. */
  rotation: 0 | 90 | 180 | 270;
};
/** The sound of a clip. */
export type AudioTrack = {
  /** Its name, e.g. `aac` or `opus`. */
  codec: string;
  /** How many there are; they are mixed down to one. */
  channels: number;
  /** Hz, as stored. */
  sampleRate: number;
};

/** What a backbone wants to see and hear, per second of clip. */
export type SegmentFormat = {
  /** Frame size in pixels; the aspect ratio of the source is ignored, as the published line of work does. */
  frame: {
    /** Pixels. */
    width: number;
    /** Pixels. */
    height: number;
  };
  /** Hz of the mono PCM. */
  sampleRate: number;
  /** Also give a small picture of true aspect ratio, this many pixels high. */
  thumbnailHeight?: number;
};

/** One second of a clip. The last one may end early; its PCM is padded with zeros. */
export type Segment = {
  /** From 0 on. */
  index: number;
  /** Seconds from the start of the clip. */
  start: number;
  /** Seconds. */
  end: number;
  /** The frame on screen at the middle of the segment; null if the clip has no picture. */
  frame: RgbImage | null;
  /** Mono PCM, exactly `sampleRate` samples; null if the clip has no sound. */
  pcm: Float32Array | null;
  /** A small picture of true aspect ratio, where the format asks for one and the clip has a picture. */
  thumbnail: RgbImage | null;
};

/** An opened source. Own it with `await using`, or call `dispose()`. */
export interface Clip extends AsyncDisposable {
  /** Seconds. */
  readonly duration: number;
  /** Number of segments that `segments()` yields: see `segmentCount()` for the rule. */
  readonly segmentCount: number;
  /** The picture; null where there is none. */
  readonly video: VideoTrack | null;
  /** The sound; null where there is none. */
  readonly audio: AudioTrack | null;
  /** What there is to know; more may come while segments are read. */
  readonly warnings: readonly Warning[];
  /** Decodes once, in order, holding no more than a few seconds at a time. */
  segments(format: SegmentFormat, options?: { signal?: AbortSignal }): AsyncIterable<Segment>;
  /** Closes the source; open reads reject with `disposed`. */
  dispose(): Promise<void>;
}

/** What a clip says once it was disposed of, in whichever thread it lives. */
export function disposedClip(): MettleError {
  return new MettleError('disposed', 'The clip was disposed; expected an open one.', {
    hint: 'Open the source again with openClip().',
  });
}
