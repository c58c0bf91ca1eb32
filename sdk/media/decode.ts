/**
 * Decodes the chosen streams in order. A damaged place does not end a clip: decoding goes on one second later, and the caller is told once. What is decoded is
 * handed on as plain arrays, so that no decoder buffer outlives its turn.
 */
import { AudioSampleSink, InputDisposedError, VideoSampleSink } from 'mediabunny';
import { segmentCount, segmentTimes } from '../contract/segment-time.ts';
import { MettleError, type Warning } from '../errors.ts';
import { mixDown, type SoundPiece } from './audio-seconds.ts';
import { type CopiedFrame, copyFrame } from './planes.ts';
import type { AudioStream, VideoStream } from './tracks.ts';

/** Receives what should be known about a stream, perhaps often. */
export type Warn = (warning: Warning) => void;

/** One frame per segment: the one on screen at its middle, or the nearest one that could be decoded. Null where none can. */
export async function* decodeFrames(
  stream: VideoStream,
  duration: number,
  warn: Warn,
): AsyncGenerator<CopiedFrame | null> {
  const count = segmentCount(duration);
  let last: CopiedFrame | null = null;
  let waiting = 0;
  for (let next = 0; next < count; ) {
    try {
      for await (const sample of sampleFrames(stream, duration, next)) {
        next++;
        if (sample) last = sample;
        if (!last) {
          waiting++;
          continue;
        }
        for (; waiting > 0; waiting--) yield last;
        yield last;
      }
      next = count;
    } catch (error) {
      if (isFinal(error)) throw error;
      warn(damaged('picture', next));
      next++;
      if (last) yield last;
      else waiting++;
    }
  }
  for (; waiting > 0; waiting--) yield null;
}

async function* sampleFrames(stream: VideoStream, duration: number, from: number): AsyncGenerator<CopiedFrame | null> {
  const { track, firstTime, endTime } = stream;
  const times: number[] = [];
  // A little before the end, where the index may name a packet that was cut off.
  const latest = endTime - 1e-3;
  for (let index = from; index < segmentCount(duration); index++) {
    times.push(Math.max(firstTime, Math.min(segmentTimes(index, duration).middle, latest)));
  }
  const sink = new VideoSampleSink(track, { hardwareAcceleration: 'prefer-software' });
  for await (const sample of sink.samplesAtTimestamps(times)) {
    if (!sample) {
      yield null;
      continue;
    }
    try {
      yield await copyFrame(sample);
    } finally {
      sample.close();
    }
  }
}

/**
 * All sound, mixed to mono. Vorbis decoders give nothing for the first packet; a page dates what follows by the first packet, Node by the second. The page's way is taken
 * for both.
 */
export async function* decodeSound(stream: AudioStream, warn: Warn): AsyncGenerator<SoundPiece> {
  let decodedTo = Number.NEGATIVE_INFINITY;
  let lag: number | null = null;
  for (let from = Number.NEGATIVE_INFINITY; from < stream.endTime; ) {
    try {
      for await (const sample of new AudioSampleSink(stream.track).samples(from)) {
        try {
          lag ??= stream.info.codec === 'vorbis' ? sample.timestamp - stream.firstTime : 0;
          const time = sample.timestamp - lag;
          decodedTo = Math.max(decodedTo, time + sample.duration);
          const channels = Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
            const plane = new Float32Array(sample.numberOfFrames);
            sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
            return plane;
          });
          const { samples, repaired } = mixDown(channels);
          if (repaired > 0) {
            warn({
              code: 'invalid-samples',
              message: `The sound holds samples that are no numbers, first at ${time.toFixed(2)} s; they count as silence.`,
            });
          }
          yield { time, sampleRate: sample.sampleRate, samples };
        } finally {
          sample.close();
        }
      }
      return;
    } catch (error) {
      if (isFinal(error)) throw error;
      warn(damaged('sound', Math.max(0, decodedTo, from)));
      from = Math.max(0, decodedTo, from) + 1;
    }
  }
}

function damaged(what: string, time: number): Warning {
  return {
    code: 'truncated',
    message: `The ${what} is damaged near ${time.toFixed(1)} s; what could not be decoded is filled in.`,
  };
}

/** Errors that the next second would meet again. */
function isFinal(error: unknown): boolean {
  return error instanceof MettleError || error instanceof InputDisposedError;
}
