/** What a running source gives: pieces of sound and pictures, each with its time, as they come. */
import type { HandedFrame, RgbImage } from './clip.ts';

/** Sound as it comes. */
export type LiveSound = {
  /** Seconds since the source began; of the first sample. */
  time: number;
  /** One array per channel, all of one length, samples in [-1, 1]. */
  channels: Float32Array[];
  /** Hz; the same in every piece. */
  sampleRate: number;
};

/** A picture as it comes; a `VideoFrame` is closed for the caller. */
export type LiveFrame = {
  /** Seconds since the source began: when it comes on the screen. */
  time: number;
  /** `ImageData`, an {@link RgbImage}, or a frame of the browser. */
  frame: HandedFrame;
};

/** Two streams that run side by side, on one clock; at least one of them. They end when the source does. */
export type LiveFeeds = {
  /** Pieces of any length. */
  sound?: AsyncIterable<LiveSound>;
  /** At any rate. */
  frames?: AsyncIterable<LiveFrame>;
};

/** Streams as the platform's processors of tracks give them; their own time stamps count. */
export type LiveStreams = {
  /** Of `AudioData`. */
  audio?: ReadableStream<AudioData>;
  /** Of `VideoFrame`. */
  video?: ReadableStream<VideoFrame>;
};

/** What `watch` takes: a camera or microphone, an element that plays, streams, pieces of your own; in Node the address of what FFmpeg reads, too. */
export type LiveSource = string | URL | MediaStream | HTMLMediaElement | LiveStreams | LiveFeeds;

/** Cuts one second out of what came so far. */
export interface LiveInput {
  sound(piece: LiveSound): Promise<void>;
  /** The frame is the input's from now on. */
  frame(piece: LiveFrame): Promise<void>;
  /** The second that ends at `end`: its sound, zeros where there is none yet, null where there never was any; and the last frame up to its middle. Ends never go back. */
  cut(end: number): Promise<LiveSecond>;
  close(): Promise<void>;
}

export type LiveSecond = { frame: RgbImage | null; pcm: Float32Array<ArrayBuffer> | null };
