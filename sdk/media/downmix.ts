/**
 * From any number of channels to one, by the coefficients of ITU-R BS.775-3 (annex 4, to one channel), all of them times √½: so stereo is the mean of its two channels, as it
 * is for everyone else. The low-frequency channel is left out, as there. It also notices what mixing loses, and samples that are no numbers.
 */
import type { Warning } from '../errors.ts';

/** Mixes the channels of one piece that begins at `time` seconds. */
export type Downmix = (channels: readonly Float32Array[], sampleRate: number, time: number) => Float32Array;

const [front, centre, surround, lowFrequency] = [0.5, Math.SQRT1_2, Math.SQRT1_2 / 2, 0];

/** By number of channels, in the order of WebCodecs and FFmpeg: left, right, centre, low frequency, rear (left, right), side (left, right). */
const coefficients: Record<number, readonly number[]> = {
  1: [1],
  2: [front, front],
  3: [front, front, centre],
  4: [front, front, surround, surround],
  5: [front, front, centre, surround, surround],
  6: [front, front, centre, lowFrequency, surround, surround],
  7: [front, front, centre, lowFrequency, front, surround, surround],
  8: [front, front, centre, lowFrequency, surround, surround, surround, surround],
};

/** A second whose mixture holds less than this share of the mean power of its channels has lost its sound. */
const leastShare = 0.01;
/** Mean power below which it counts as silent: -60 dB of full scale. */
const silence = 1e-6;

/** `warn` gets `cancelled-sound` and `invalid-samples`, perhaps often. More than eight channels are averaged. */
export function createDownmix(warn: (warning: Warning) => void): Downmix {
  const second = { frames: 0, mixed: 0, channels: 0 };
  return (channels, sampleRate, time) => {
    if (countRepaired(channels) > 0) {
      warn({
        code: 'invalid-samples',
        message: `The sound holds samples that are no numbers, first at ${time.toFixed(2)} s; they count as silence.`,
      });
    }
    if (channels.length === 1) return channels[0]!;
    const mixed = mix(channels);
    second.frames += mixed.length;
    second.mixed += power(mixed);
    for (const channel of channels) second.channels += power(channel) / channels.length;
    if (second.frames >= sampleRate) {
      const isLost = second.channels > silence * second.frames && second.mixed < leastShare * second.channels;
      if (isLost) warn(cancelled(channels.length, time));
      Object.assign(second, { frames: 0, mixed: 0, channels: 0 });
    }
    return mixed;
  };
}

function mix(channels: readonly Float32Array[]): Float32Array {
  const weights = coefficients[channels.length] ?? channels.map(() => 1 / channels.length);
  const mixed = new Float32Array(channels[0]!.length);
  if (channels.length === 2) {
    const [left, right] = channels as [Float32Array, Float32Array];
    for (let i = 0; i < mixed.length; i++) mixed[i] = (left[i]! + right[i]!) * front;
    return mixed;
  }
  for (let i = 0; i < mixed.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels.length; c++) sum += weights[c]! * channels[c]![i]!;
    mixed[i] = sum;
  }
  return mixed;
}

function power(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  return sum;
}

/** Sets samples that are no numbers to 0, and counts them. */
function countRepaired(channels: readonly Float32Array[]): number {
  let repaired = 0;
  for (const channel of channels) {
    if (Number.isFinite(power(channel))) continue;
    for (let i = 0; i < channel.length; i++) {
      if (Number.isFinite(channel[i])) continue;
      channel[i] = 0;
      repaired++;
    }
  }
  return repaired;
}

function cancelled(channels: number, time: number): Warning {
  return {
    code: 'cancelled-sound',
    message: `Near ${time.toFixed(1)} s the ${channels} channels of the sound cancel each other when they are mixed to one (they lie in opposite phase, or only the low-frequency channel sounds): little or nothing of it is analysed.`,
  };
}
