/** A clip in a media file: opens the container and yields its segments, decoding picture and sound in step. */
import type { Input, Source } from 'mediabunny';
import { untilAborted } from '../abort.ts';
import { type Clip, disposedClip, type RgbImage, type Segment, type SegmentFormat } from '../contract/clip.ts';
import { checkFormat, segmentCount, segmentTimes } from '../contract/segment-time.ts';
import { MettleError, type Warning } from '../errors.ts';
import { secondsOf } from './audio-seconds.ts';
import type { Warn } from './damage.ts';
import { decodeFrames } from './frames.ts';
import { openGuarded } from './guarded-input.ts';
import { asMettleError } from './media-error.ts';
import { type CopiedFrame, scaleFrame } from './planes.ts';
import { decodeSound } from './sound.ts';
import { findStreams, type Streams, type VideoStream } from './tracks.ts';

/** Opens the file behind `source`, which the clip then owns. Throws `not-media`, `empty-media`, `unsupported-codec`, `missing-package`, or `signal.reason`. */
export async function openContainer(source: Source, signal?: AbortSignal): Promise<Clip> {
  const opening = openGuarded(source);
  const dispose = () => opening.then(({ input }) => input.dispose()).catch(() => {});
  try {
    const opened = await untilAborted(opening, signal);
    return new ContainerClip(opened.input, await untilAborted(findStreams(opened), signal));
  } catch (error) {
    dispose();
    signal?.throwIfAborted();
    throw asMettleError(error, 'opening it');
  }
}

class ContainerClip implements Clip {
  readonly duration: number;
  readonly segmentCount: number;
  readonly video: Clip['video'];
  readonly audio: Clip['audio'];
  readonly #warnings: Warning[];
  readonly #input: Input;
  readonly #streams: Streams;

  constructor(input: Input, streams: Streams) {
    this.#input = input;
    this.#streams = streams;
    this.#warnings = streams.warnings;
    this.duration = streams.duration;
    this.segmentCount = segmentCount(streams.duration);
    this.video = streams.video?.info ?? null;
    this.audio = streams.audio?.info ?? null;
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  async *segments(format: SegmentFormat, options: { signal?: AbortSignal } = {}): AsyncGenerator<Segment> {
    checkFormat(format);
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#input.disposed) throw disposedClip();
    const { video, audio } = this.#streams;
    const frames = video && decodeFrames(video, this.duration, this.#firstOfEach());
    const seconds = audio && secondsOf(decodeSound(audio, this.#firstOfEach()), format.sampleRate);
    try {
      for (let index = 0; index < this.segmentCount; index++) {
        const frame = frames && (await untilAborted(frames.next(), signal)).value;
        const pcm = seconds && (await untilAborted(seconds.next(), signal)).value;
        if (video && !frame && !audio) {
          throw new MettleError('not-media', 'No frame of the picture could be decoded.', {
            hint: 'The file is probably damaged; fetch it again or re-encode it.',
          });
        }
        const { start, end } = segmentTimes(index, this.duration);
        yield { index, start, end, pcm: pcm ?? null, ...picturesOf(frame, video, format) };
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw asMettleError(error, 'decoding it');
    } finally {
      // Not awaited: a generator that still waits for its decoder would hold up the caller.
      frames?.return(undefined).catch(() => {});
      seconds?.return(undefined).catch(() => {});
    }
  }

  async dispose(): Promise<void> {
    this.#input.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Takes the warnings of one stream: the first of each code counts, and one that an earlier pass gave is not repeated. */
  #firstOfEach(): Warn {
    const told = new Set<Warning['code']>();
    return ({ code, message }) => {
      if (!told.has(code) && !this.#warnings.some((known) => known.message === message))
        this.#warnings.push({ code, message });
      told.add(code);
    };
  }
}

function picturesOf(
  frame: CopiedFrame | null | undefined,
  video: VideoStream | null,
  format: SegmentFormat,
): { frame: RgbImage | null; thumbnail: RgbImage | null } {
  if (!frame || !video) return { frame: null, thumbnail: null };
  const { color, orientation, info } = video;
  const scaled = (width: number, height: number) => scaleFrame(frame, color, orientation, width, height);
  const { thumbnailHeight: height } = format;
  const width = height && thumbnailWidth(info.width / info.height, height);
  return {
    frame: scaled(format.frame.width, format.frame.height),
    thumbnail: height && width ? scaled(width, height) : null,
  };
}

/** Width in pixels of a picture of this aspect ratio, at least 1. */
export function thumbnailWidth(aspect: number, height: number): number {
  return Math.max(1, Math.round(aspect * height));
}
