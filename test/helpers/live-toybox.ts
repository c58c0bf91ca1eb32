/** A toybox clip as a running source and as arrays: the same pictures and sound both ways, at whatever pace the reader has. */
import type { LiveFeeds, LiveFrame, LiveSound } from '../../sdk/contract/live.ts';
import type { RawClip, RgbImage } from '../../sdk/index.ts';
import { composeClip, createRenderer, soundtrackOf } from '../../sdk/toybox/index.ts';

const [width, height] = [128, 96];
const frameRate = 8;
const sampleRate = 32_000;

export type ToyStream = {
  seconds: number;
  /** The first `seconds` of it. */
  clip(seconds: number): RawClip;
  /** Pieces of a quarter of a second and single frames; each comes when `gate` lets its end pass, or at once. */
  feeds(gate?: Gate): LiveFeeds;
};

export function toyStream(index: number): ToyStream {
  const clip = composeClip(5, 'llp', index);
  const { seconds } = clip;
  const renderer = createRenderer(clip, width, height);
  const frames: RgbImage[] = Array.from({ length: seconds * frameRate }, (_, i) => ({
    width,
    height,
    data: Uint8Array.from(renderer.draw(i / frameRate).rgb),
  }));
  const sound = Float32Array.from(soundtrackOf(clip, sampleRate));
  return {
    seconds,
    clip: (length) => ({
      frames: frames.slice(0, length * frameRate),
      frameRate,
      audio: { channels: [sound.slice(0, length * sampleRate)], sampleRate },
    }),
    feeds: (gate) => ({ sound: soundOf(sound, gate), frames: framesOf(frames, gate) }),
  };
}

/** Lets a source run as far as the test has come. */
export class Gate {
  #open = 0;
  #waiting: (() => void)[] = [];

  /** What lies before `time` (seconds) may come. */
  release(time: number): void {
    this.#open = Math.max(this.#open, time);
    for (const go of this.#waiting.splice(0)) go();
  }

  async until(time: number): Promise<void> {
    while (time > this.#open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

async function* soundOf(sound: Float32Array, gate: Gate | undefined): AsyncGenerator<LiveSound> {
  const step = sampleRate / 4;
  for (let at = 0; at < sound.length; at += step) {
    await gate?.until((at + step) / sampleRate);
    yield { time: at / sampleRate, channels: [sound.slice(at, at + step)], sampleRate };
  }
}

async function* framesOf(frames: readonly RgbImage[], gate: Gate | undefined): AsyncGenerator<LiveFrame> {
  for (const [index, frame] of frames.entries()) {
    await gate?.until(index / frameRate);
    yield { time: index / frameRate, frame };
  }
}
