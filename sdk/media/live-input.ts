/** The last seconds of a running source, ready for a backbone: sound mixed, resampled and kept in a ring, pictures made small as they come. */
import type { RgbImage, SegmentFormat } from '../contract/clip.ts';
import type { LiveFrame, LiveInput, LiveSecond, LiveSound } from '../contract/live.ts';
import { MettleError, type Warning } from '../errors.ts';
import { isBrowserFrame, pixelsOf } from './browser-frame.ts';
import { createDownmix, type Downmix } from './downmix.ts';
import { scale } from './raw-clip.ts';
import { createResampler, type Resampler } from './resampler.ts';

/** Seconds of sound that are kept: a cut looks one back, and comes late by a few at most. */
const kept = 8;
/** A piece that begins this near to the end of the last one follows it directly. In seconds. */
const jitter = 0.03;
/** Pictures that wait for a cut. */
const mostFrames = 64;

export function openLiveInput(format: SegmentFormat, warn: (warning: Warning) => void): LiveInput {
  return new RollingInput(format, warn);
}

class RollingInput implements LiveInput {
  readonly #format: SegmentFormat;
  readonly #downmix: Downmix;
  readonly #frames: { time: number; image: RgbImage }[] = [];
  #sound: RollingSound | null = null;

  constructor(format: SegmentFormat, warn: (warning: Warning) => void) {
    this.#format = format;
    this.#downmix = createDownmix(warn);
  }

  async sound({ time, channels, sampleRate }: LiveSound): Promise<void> {
    this.#sound ??= new RollingSound(sampleRate, this.#format.sampleRate);
    this.#sound.push(time, sampleRate, this.#downmix(channels, sampleRate, time));
  }

  async frame({ time, frame }: LiveFrame): Promise<void> {
    const { width, height } = this.#format.frame;
    try {
      this.#frames.push({ time, image: scale(pixelsOf(frame), width, height) });
    } finally {
      if (isBrowserFrame(frame)) frame.close();
    }
    if (this.#frames.length > mostFrames) this.#frames.shift();
  }

  async cut(end: number): Promise<LiveSecond> {
    const middle = end - 0.5;
    while (this.#frames.length > 1 && this.#frames[1]!.time <= middle) this.#frames.shift();
    return { frame: this.#frames[0]?.image ?? null, pcm: this.#sound?.second(end) ?? null };
  }

  async close(): Promise<void> {
    this.#frames.length = 0;
    this.#sound = null;
  }
}

/** A ring of mono samples at the backbone's rate, laid on the source's clock: gaps are silence, what comes too late is left out. */
class RollingSound {
  readonly #inputRate: number;
  readonly #rate: number;
  readonly #resampler: Resampler;
  readonly #ring: Float32Array;
  /** Input samples since 0 s, null before the first piece. */
  #written: number | null = null;
  /** Number of the output sample that the resampler gives next, since 0 s. */
  #next = 0;
  /** Where the source began. */
  #first = 0;

  constructor(inputRate: number, rate: number) {
    this.#inputRate = inputRate;
    this.#rate = rate;
    this.#resampler = createResampler(inputRate, rate);
    this.#ring = new Float32Array(kept * rate);
  }

  push(time: number, sampleRate: number, samples: Float32Array): void {
    if (sampleRate !== this.#inputRate) {
      throw new MettleError(
        'unsupported-codec',
        `The sound changes its sample rate from ${this.#inputRate} to ${sampleRate} Hz; expected one rate throughout.`,
        { hint: 'Watch the source anew after the device has changed.' },
      );
    }
    let start = Math.round(time * sampleRate);
    if (this.#written === null) {
      this.#written = start;
      this.#first = Math.round((start / sampleRate) * this.#rate);
      this.#next = this.#first;
    }
    if (Math.abs(start - this.#written) <= jitter * sampleRate) start = this.#written;
    // A gap longer than the ring says nothing more than one of its length.
    const gap = Math.min(start - this.#written, kept * sampleRate);
    if (gap > 0) {
      this.#next += Math.floor(((start - this.#written - gap) / sampleRate) * this.#rate);
      this.#store(this.#resampler.push(new Float32Array(gap)));
      this.#written = start;
    }
    const fresh = samples.subarray(Math.min(samples.length, this.#written - start));
    this.#store(this.#resampler.push(fresh));
    this.#written += fresh.length;
  }

  second(end: number): Float32Array<ArrayBuffer> {
    const pcm = new Float32Array(this.#rate);
    const from = Math.round(end * this.#rate) - this.#rate;
    const oldest = Math.max(this.#first, this.#next - this.#ring.length);
    for (let i = Math.max(0, oldest - from); i < pcm.length && from + i < this.#next; i++) {
      pcm[i] = this.#ring[(from + i) % this.#ring.length]!;
    }
    return pcm;
  }

  #store(samples: Float32Array): void {
    const { length } = this.#ring;
    for (const sample of samples) {
      this.#ring[this.#next % length] = sample;
      this.#next++;
    }
  }
}
