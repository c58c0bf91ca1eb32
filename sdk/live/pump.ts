/** From a running source to what prepares it: all sound, and of the pictures those alone that a moment will show. */

import type { LiveFeeds, LiveFrame, LiveInput } from '../contract/live.ts';
import { isBrowserFrame } from '../media/browser-frame.ts';
import type { LiveClock } from './clock.ts';

export type PumpOptions = { feeds: LiveFeeds; input: LiveInput; clock: LiveClock; hop: number };

/** Runs until the feeds end or `stop` is called; failures go to the clock. */
export function startPump({ feeds, input, clock, hop }: PumpOptions): { stop(): Promise<void> } {
  const stops: (() => Promise<unknown>)[] = [];
  const run = <T>(sense: 'sound' | 'frames', feed: AsyncIterable<T>, each: (item: T) => Promise<void>): void => {
    const iterator = feed[Symbol.asyncIterator]();
    clock.open(sense);
    stops.push(async () => await iterator.return?.());
    drain(iterator, each).then(
      () => clock.end(sense),
      (error: unknown) => clock.end(sense, { error }),
    );
  };
  if (feeds.sound) {
    run('sound', feeds.sound, async (piece) => {
      await input.sound(piece);
      clock.reach('sound', piece.time + piece.channels[0]!.length / piece.sampleRate);
    });
  }
  if (feeds.frames) {
    const picker = new FramePicker(hop, input);
    stops.push(async () => picker.close());
    run('frames', feeds.frames, async (piece) => {
      await picker.take(piece);
      clock.reach('frames', piece.time);
    });
  }
  return {
    async stop() {
      await Promise.all(stops.map((stop) => stop().catch(() => {})));
    },
  };
}

async function drain<T>(iterator: AsyncIterator<T>, each: (item: T) => Promise<void>): Promise<void> {
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) return;
    await each(value);
  }
}

/** Passes on the first frame, and the frame that is on the screen at the middle of each moment's second; all others are closed at once. */
class FramePicker {
  readonly #hop: number;
  readonly #input: LiveInput;
  #held: LiveFrame | null = null;
  #isFirst = true;

  constructor(hop: number, input: LiveInput) {
    this.#hop = hop;
    this.#input = input;
  }

  async take(piece: LiveFrame): Promise<void> {
    const held = this.#held;
    this.#held = piece;
    if (!held) return;
    const isWanted = this.#isFirst || this.#middlesBefore(piece.time) > this.#middlesBefore(held.time);
    this.#isFirst = false;
    if (isWanted) await this.#input.frame(held);
    else close(held);
  }

  /** Middles lie at half a second and every hop after it. */
  #middlesBefore(time: number): number {
    return Math.ceil((time - 0.5) / this.#hop - 1e-9);
  }

  close(): void {
    if (this.#held) close(this.#held);
    this.#held = null;
  }
}

function close({ frame }: LiveFrame): void {
  if (isBrowserFrame(frame)) frame.close();
}
