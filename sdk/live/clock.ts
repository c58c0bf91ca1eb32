/** How far a running source has come: of its sound, of its pictures, and when that was known here. */

type Sense = { reached: number; done: boolean };
type Mark = { time: number; arrived: number };

/** A resampler needs a few samples beyond the end of a second. In seconds. */
const soundBeyond = 0.005;
/** Seconds of one sense after which the other is no longer waited for. */
const patience = 0.5;
const mostMarks = 256;

export class LiveClock {
  readonly #senses: Partial<Record<'sound' | 'frames', Sense>> = {};
  readonly #marks: Mark[] = [];
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;

  /** `sense` is expected from now on. */
  open(sense: 'sound' | 'frames'): void {
    this.#senses[sense] = { reached: Number.NEGATIVE_INFINITY, done: false };
  }

  /** `sense` has come to `time` seconds. */
  reach(sense: 'sound' | 'frames', time: number): void {
    const { reached } = this.#senses[sense]!;
    this.#senses[sense]!.reached = Math.max(reached, time);
    this.#marks.push({ time, arrived: performance.now() });
    if (this.#marks.length > mostMarks) this.#marks.shift();
    this.#wake?.();
  }

  /** `sense` ended, by itself or by `failure`. */
  end(sense: 'sound' | 'frames', failure?: { error: unknown }): void {
    this.#senses[sense]!.done = true;
    this.#failure ??= failure ?? null;
    this.#wake?.();
  }

  /** Whether all of the second that ends at `end` is there, as far as it will ever be: its sound, and a picture after its middle, which is shown until then. */
  has(end: number): boolean {
    const { sound, frames } = this.#senses;
    const isThere = (sense: Sense | undefined, time: number): boolean => !sense || sense.done || sense.reached >= time;
    const late = (sense: Sense | undefined): boolean => sense !== undefined && sense.reached >= end + patience;
    const anyAt = [sound, frames].some((sense) => sense && sense.reached >= end);
    const heard = isThere(sound, end + soundBeyond) || late(frames);
    const seen = isThere(frames, sound && !sound.done ? end - 0.5 : end) || late(sound);
    return anyAt && heard && seen;
  }

  get ended(): boolean {
    return Object.values(this.#senses).every(({ done }) => done);
  }

  /** Milliseconds of `performance.now()` at which `end` was reached. */
  arrivalOf(end: number): number {
    return this.#marks.find(({ time }) => time >= end)?.arrived ?? performance.now();
  }

  /** Until the second that ends at `end` is there (true) or never will be (false). Throws what ended a sense. */
  async until(end: number, signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      if (this.has(end)) return true;
      if (this.ended) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
