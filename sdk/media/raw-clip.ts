/** A clip of arrays that the caller decoded: checks them, and yields the same segments as a file with that content would. */

import {
  type Clip,
  disposedClip,
  type HandedRawClip,
  type RawClip,
  type RgbImage,
  type Segment,
  type SegmentFormat,
} from '../contract/clip.ts';
import { checkFormat, segmentCount, segmentTimes } from '../contract/segment-time.ts';
import { addWarning, MettleError, type Warning } from '../errors.ts';
import { interleavedPlanes, packRgb, resizeRgb } from '../front-end/resize.ts';
import { type SoundPiece, secondsOf } from './audio-seconds.ts';
import { isBrowserFrame, pixelsOf, sizeOfFrame } from './browser-frame.ts';
import { thumbnailWidth } from './container-clip.ts';
import { createDownmix } from './downmix.ts';

type Frame = ImageData | RgbImage;

/** In Hz. */
const [lowestRate, highestRate] = [1000, 768_000];
const longestHours = 24;

/** Throws `invalid-argument` for arrays that do not fit together, `empty-media` for none at all. */
export function openRaw(raw: HandedRawClip): Clip {
  checkFrames(raw);
  checkSound(raw);
  if (!raw.frames?.length && !raw.audio) {
    throw new MettleError(
      'empty-media',
      'The raw clip holds neither frames nor audio; expected at least one of them.',
      {
        hint: 'Give frames with a frameRate, or audio, or both.',
      },
    );
  }
  const clip = new ArrayClip(raw);
  demand(
    clip.duration <= longestHours * 3600,
    `The raw clip lasts ${Math.round(clip.duration / 3600)} hours; expected at most ${longestHours}.`,
    'Check frameRate and sampleRate, or give it in shorter pieces.',
  );
  return clip;
}

class ArrayClip implements Clip {
  readonly duration: number;
  readonly segmentCount: number;
  readonly video: Clip['video'];
  readonly audio: Clip['audio'];
  readonly warnings: Warning[];
  #raw: HandedRawClip | null;

  constructor(raw: HandedRawClip) {
    const { frames = [], frameRate = 1, audio } = raw;
    const [first] = frames;
    this.#raw = raw;
    this.duration = Math.max(frames.length / frameRate, audio ? audio.channels[0]!.length / audio.sampleRate : 0);
    this.segmentCount = segmentCount(this.duration);
    this.video = first ? { codec: 'raw', ...sizeOfFrame(first), rotation: 0 } : null;
    this.audio = audio ? { codec: 'raw', channels: audio.channels.length, sampleRate: audio.sampleRate } : null;
    this.warnings = [
      ...(audio
        ? []
        : [{ code: 'no-audio' as const, message: 'The clip has no sound: only its picture is analysed.' }]),
      ...(first
        ? []
        : [{ code: 'no-picture' as const, message: 'The clip has no picture: only its sound is analysed.' }]),
    ];
  }

  async *segments(format: SegmentFormat, options: { signal?: AbortSignal } = {}): AsyncGenerator<Segment> {
    checkFormat(format);
    const raw = this.#raw;
    if (!raw) throw disposedClip();
    const { frames = [], frameRate = 1, audio } = raw;
    const seconds =
      audio &&
      secondsOf(
        piecesOf(audio, (warning) => addWarning(this.warnings, warning)),
        format.sampleRate,
      );
    for (let index = 0; index < this.segmentCount; index++) {
      options.signal?.throwIfAborted();
      if (!this.#raw) throw disposedClip();
      const { start, end, middle } = segmentTimes(index, this.duration);
      const shown = frames[Math.min(frames.length - 1, Math.floor(middle * frameRate + 1e-9))];
      const frame = shown && pixelsOf(shown);
      yield {
        index,
        start,
        end,
        frame: frame ? scale(frame, format.frame.width, format.frame.height) : null,
        pcm: seconds ? (await seconds.next()).value! : null,
        thumbnail: frame && format.thumbnailHeight ? thumbnail(frame, format.thumbnailHeight) : null,
      };
    }
  }

  async dispose(): Promise<void> {
    for (const frame of this.#raw?.frames ?? []) if (isBrowserFrame(frame)) frame.close();
    this.#raw = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

async function* piecesOf(
  { channels, sampleRate }: NonNullable<RawClip['audio']>,
  warn: (warning: Warning) => void,
): AsyncGenerator<SoundPiece> {
  const downmix = createDownmix(warn);
  const length = channels[0]!.length;
  for (let at = 0; at < length; at += sampleRate) {
    const time = at / sampleRate;
    const piece = channels.map((channel) => channel.subarray(at, at + sampleRate));
    yield { time, sampleRate, samples: downmix(piece, sampleRate, time) };
  }
}

function thumbnail(frame: Frame, height: number): RgbImage {
  return scale(frame, thumbnailWidth(frame.width / frame.height, height), height);
}

/** A frame in RGB at this size; its aspect ratio is ignored. */
export function scale(frame: Frame, width: number, height: number): RgbImage {
  const step = bytesPerPixel(frame);
  const data = new Uint8Array(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength);
  const layout = { offset: 0, stride: frame.width * step, step, height: frame.height, order: [0, 1, 2] as const };
  return packRgb(resizeRgb(interleavedPlanes(data, layout), frame.width, frame.height, width, height), width, height);
}

function bytesPerPixel({ data, width, height }: Frame): number {
  return data.length / (width * height);
}

function checkFrames({ frames, frameRate }: HandedRawClip): void {
  if (frames === undefined || frames.length === 0) return;
  demand(
    typeof frameRate === 'number' && frameRate > 0 && frameRate <= 1000,
    `frameRate is ${frameRate}; expected frames per second, above 0 and at most 1000.`,
    'Give the frame rate at which the frames were taken.',
  );
  const size = sizeOfFrame(frames[0]!);
  for (const [index, frame] of frames.entries()) {
    const { width, height } = sizeOfFrame(frame);
    demand(
      Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0,
      `frames[${index}] is ${width} x ${height}; expected whole numbers of pixels above 0.`,
      'Give each frame as ImageData or { width, height, data }.',
    );
    demand(
      width === size.width && height === size.height,
      `frames[${index}] is ${width} x ${height}; expected ${size.width} x ${size.height} like the first one.`,
      'Bring all frames to one size.',
    );
    if (isBrowserFrame(frame)) continue;
    const { data } = frame;
    const bytes = bytesPerPixel(frame);
    demand(
      (data instanceof Uint8Array || data instanceof Uint8ClampedArray) && (bytes === 3 || bytes === 4),
      `frames[${index}].data holds ${data?.length} values; expected ${width * height * 3} bytes (RGB) or ${width * height * 4} (RGBA).`,
      'Give 8-bit RGB or RGBA without padding between rows.',
    );
  }
}

function checkSound({ audio }: HandedRawClip): void {
  if (audio === undefined) return;
  const { channels, sampleRate } = audio;
  demand(
    Number.isInteger(sampleRate) && sampleRate >= lowestRate && sampleRate <= highestRate,
    `audio.sampleRate is ${sampleRate}; expected a whole number of Hz from ${lowestRate} to ${highestRate}.`,
    'Give the rate at which the samples were taken, for example 44100.',
  );
  demand(
    Array.isArray(channels) && channels.length > 0,
    'audio.channels is empty; expected one Float32Array per channel.',
    'Leave audio out where there is no sound.',
  );
  for (const [index, channel] of channels.entries()) {
    demand(
      channel instanceof Float32Array && channel.length > 0,
      `audio.channels[${index}] holds no samples; expected a Float32Array with at least one.`,
      'Leave audio out where there is no sound.',
    );
    demand(
      channel.length === channels[0]!.length,
      `audio.channels[${index}] holds ${channel.length} samples; expected ${channels[0]!.length} like the first one.`,
      'Bring all channels to one length.',
    );
    const bad = channel.findIndex((value) => !Number.isFinite(value));
    demand(
      bad < 0,
      `audio.channels[${index}][${bad}] is ${channel[bad]}; expected a finite number, usually in [-1, 1].`,
      'Repair the samples before you hand them over, for example by setting them to 0.',
    );
  }
}

function demand(holds: boolean, message: string, hint: string): asserts holds {
  if (!holds) throw new MettleError('invalid-argument', message, { hint });
}
