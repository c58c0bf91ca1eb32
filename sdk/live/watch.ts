/** A running source, moment by moment: one backbone pass per moment, every adapter on it, and what it says told with hysteresis. */
import { untilAborted } from '../abort.ts';
import type { Unfamiliar } from '../contract/familiar.ts';
import type { LiveFeeds, LiveInput } from '../contract/live.ts';
import type { AdapterManifest } from '../contract/manifest.ts';
import type { AdapterOutputs } from '../contract/model.ts';
import type { Warning } from '../errors.ts';
import type { LoadedEngine } from '../load.ts';
import type { Resident } from '../residents.ts';
import type { TaskResult } from '../tasks/types.ts';
import { answerOf } from './answer.ts';
import { LiveClock } from './clock.ts';
import { RollingEvidence } from './evidence.ts';
import { startPump } from './pump.ts';
import { EventTracker, type LiveEvents } from './tracker.ts';

/** A moment of a running source. Times of media are seconds since it began and never go back. */
export type Moment = {
  /** From 0 on; moments that were left out are counted. */
  index: number;
  /** The stretch that this moment tells of, as long as the hop; the next one's begins where it ends. */
  start: number;
  /** As `start`. */
  end: number;
  /** Up to where the source was heard and seen: half a second and half a hop after `end`, because the models look at whole seconds. */
  heard: number;
  /** When all of it was there, as `Date.now()` gives it. */
  wallTime: number;
  /** Milliseconds from then until now. */
  latency: number;
  /** How many moments before this one were left out, because models or the caller were slower than the source. */
  dropped: number;
  /** What each adapter says, as in an analysis of one second. */
  results: TaskResult[];
  /** What began, goes on and ended. */
  events: LiveEvents;
  /** What there is to know about the source. */
  warnings: Warning[];
  /** Whether the source has ended: the last moment has no results, and ends all events. */
  last: boolean;
};

export type WatchPlan = {
  hop: number;
  context: number;
  begin: number;
  end: number;
  adapters: readonly AdapterManifest[];
  feeds: LiveFeeds;
  input: LiveInput;
  unfamiliar?: Unfamiliar;
  explain?: boolean;
  warnings: Warning[];
  /** The engine and its adapters, in the order of `adapters`. */
  taken: Taken;
  /** The same anew, where the engine has ended. */
  again: () => Promise<Taken>;
  signal: AbortSignal | undefined;
};

/** An engine that will not give up these adapters before `release` is called. */
export type Taken = {
  loaded: Pick<LoadedEngine, 'engine' | 'backbone'>;
  residents: readonly Resident[];
  release: () => void;
};

/** The models look at whole seconds. */
const second = 1;

/** Ends with the source. Throws `signal.reason`, and what ended the source. */
export async function* moments(plan: WatchPlan): AsyncGenerator<Moment, void, undefined> {
  const { hop, adapters, feeds, input, unfamiliar, explain, signal } = plan;
  const clock = new LiveClock();
  const pump = startPump({ feeds, input, clock, hop });
  const tracker = new EventTracker(plan);
  const bordered = adapters.filter(({ borders }) => borders);
  const evidence = new Map(bordered.map((adapter) => [adapter.id, new RollingEvidence(adapter)]));
  const models = new LiveModels(plan);
  const endOf = (index: number): number => second + index * hop;
  let index = 0;
  try {
    for (; await clock.until(endOf(index), signal); index++) {
      const planned = index;
      while (clock.has(endOf(index + 1))) index++;
      const heard = endOf(index);
      const arrived = clock.arrivalOf(heard);
      const { frame, pcm } = await untilAborted(input.cut(heard), signal);
      const outputs = await untilAborted(models.look({ frame, pcm }, heard), signal);
      const span = { start: heard - (second + hop) / 2, end: heard - (second - hop) / 2 };
      const context = { hasAudio: pcm !== null, hasPicture: frame !== null, unfamiliar, explain, ...span };
      const results = adapters.map((adapter) => answerOf(adapter, outputs[adapter.id]!, context));
      if (pcm) for (const [id, own] of evidence) own.add(heard, outputs[id]!);
      const events = tracker.next(span, results, { evidence, until: heard });
      const latency = performance.now() - arrived;
      yield {
        index,
        ...span,
        heard,
        wallTime: Date.now() - latency,
        latency,
        dropped: index - planned,
        results,
        events,
        warnings: [...plan.warnings],
        last: false,
      };
    }
    const heard = endOf(index);
    const start = heard - (second + hop) / 2;
    const rest = { dropped: 0, results: [], warnings: [...plan.warnings], last: true };
    yield {
      index,
      start,
      end: start,
      heard: start,
      wallTime: Date.now(),
      latency: 0,
      events: tracker.finish(),
      ...rest,
    };
  } finally {
    await pump.stop();
    await Promise.all([models.close(), input.close()]);
  }
}

/** A live run of the engine; begun anew where its worker ended, without what it had seen before. */
class LiveModels {
  readonly #plan: WatchPlan;
  #taken: Taken;
  #run: Promise<number> | null = null;

  constructor(plan: WatchPlan) {
    this.#plan = plan;
    this.#taken = plan.taken;
  }

  /** Outputs by the adapters' ids. */
  async look(segment: Awaited<ReturnType<LiveInput['cut']>>, end: number): Promise<Record<string, AdapterOutputs>> {
    try {
      return await this.#look(segment, end);
    } catch (error) {
      if (!this.#taken.loaded.engine.ended) throw error;
      this.#taken.release();
      this.#taken = nothing(this.#taken);
      this.#taken = await this.#plan.again();
      this.#run = null;
      return await this.#look(segment, end);
    }
  }

  async close(): Promise<void> {
    const run = await this.#run?.catch(() => null);
    if (run != null) await this.#taken.loaded.engine.cancel(run);
    this.#taken.release();
  }

  async #look(segment: Awaited<ReturnType<LiveInput['cut']>>, end: number): Promise<Record<string, AdapterOutputs>> {
    const { loaded, residents } = this.#taken;
    this.#run ??= loaded.engine.beginLive(
      residents.map(({ key }) => key),
      this.#plan.context,
      this.#plan.explain,
    );
    const outputs = await loaded.engine.look(await this.#run, segment, end);
    return Object.fromEntries(residents.map(({ key, manifest }) => [manifest.id, outputs[key]!]));
  }
}

/** What was given back already. */
const nothing = (taken: Taken): Taken => ({ ...taken, release: () => {} });
