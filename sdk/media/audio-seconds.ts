/**
 * Sound in pieces with timestamps in, seconds of mono PCM out. It lays the pieces on the clip's time line (gaps are silence, what lies before 0 s is cut), resamples, and
 * cuts the result into segments. It decodes nothing.
 */
import { MettleError } from '../errors.ts';
import { createResampler, type Resampler } from './resampler.ts';

/** Mono samples that start at `time` seconds. */
export type SoundPiece = { time: number; sampleRate: number; samples: Float32Array };

/** Containers round timestamps (Matroska to a millisecond); a piece this near to the end of the last one follows it directly. In seconds. */
const jitter = 0.03;
/** Silence is fed in steps of this many samples. */
const silenceStep = 65_536;

/** Yields `sampleRate` samples per second of clip, for as long as it is asked; silence after the last piece. */
export async function* secondsOf(
  pieces: AsyncIterable<SoundPiece>,
  sampleRate: number,
): AsyncGenerator<Float32Array<ArrayBuffer>, void, undefined> {
  let second = new Float32Array(sampleRate);
  let filled = 0;
  for await (const samples of resampled(pieces, sampleRate)) {
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + sampleRate - filled);
      second.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === sampleRate) {
        yield second;
        second = new Float32Array(sampleRate);
        filled = 0;
      }
    }
  }
  while (true) {
    yield second;
    second = new Float32Array(sampleRate);
  }
}

async function* resampled(pieces: AsyncIterable<SoundPiece>, outputRate: number): AsyncGenerator<Float32Array> {
  let resampler: Resampler | null = null;
  let rate = 0;
  /** Input samples since 0 s. */
  let written = 0;
  for await (const { time, sampleRate, samples } of pieces) {
    if (!resampler) {
      rate = sampleRate;
      resampler = createResampler(rate, outputRate);
    } else if (sampleRate !== rate) {
      throw new MettleError(
        'unsupported-codec',
        `The sound changes its sample rate from ${rate} to ${sampleRate} Hz at ${time.toFixed(2)} s; expected one rate throughout.`,
        {
          hint: 'Re-encode the sound at one rate, for example: ffmpeg -i clip.mp4 -c:v copy -c:a aac -ar 48000 out.mp4',
        },
      );
    }
    let start = Math.round(time * rate);
    if (Math.abs(start - written) <= jitter * rate && written > 0) start = written;
    for (; written < start; ) {
      const silence = Math.min(silenceStep, start - written);
      yield resampler.push(new Float32Array(silence));
      written += silence;
    }
    const fresh = samples.subarray(Math.min(samples.length, written - start));
    if (fresh.length === 0) continue;
    yield resampler.push(fresh);
    written += fresh.length;
  }
  if (resampler) yield resampler.finish();
}
