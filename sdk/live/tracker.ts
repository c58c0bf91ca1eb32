/**
 * Events of a running source, with hysteresis: one begins when the adapter has said it for long enough, and ends when it has not for long enough, so that a
 * single doubtful moment makes no label flicker.
 */
import { modalityOf } from '../tasks/timeline.ts';
import type { ParsedEvent, TaskResult } from '../tasks/types.ts';

/** An event of a running source; times are seconds since it began. */
export type LiveEvent = ParsedEvent & {
  /** The same in every moment that has the event. */
  id: number;
  /** Of the adapter that found it. */
  adapter: string;
};

/** What happens to events in one moment. */
export type LiveEvents = {
  /** Begun in this moment; `start` may lie in the one before. */
  began: LiveEvent[];
  /** Begun before, and still going on; `end` is so far. */
  ongoing: LiveEvent[];
  /** Ended; `end` is final. */
  ended: LiveEvent[];
};

/** Seconds. */
export type Steadiness = { begin: number; end: number };

type Span = { start: number; end: number };
type Tracked = { event: LiveEvent; sum: number; count: number; told: boolean };

export class EventTracker {
  readonly #steadiness: Steadiness;
  readonly #tracked = new Map<string, Tracked>();
  #lastId = 0;

  constructor(steadiness: Steadiness) {
    this.#steadiness = steadiness;
  }

  /** `results` are what adapters say of the stretch `span`, which follows the one before. */
  next(span: Span, results: readonly TaskResult[]): LiveEvents {
    const said = new Set<string>();
    for (const { adapter, event } of results.flatMap(eventsOf)) {
      const key = JSON.stringify([adapter, event.modality, event.label]);
      said.add(key);
      const tracked = this.#tracked.get(key) ?? this.#begin(adapter, event, span);
      this.#tracked.set(key, tracked);
      tracked.event.end = span.end;
      tracked.sum += event.confidence;
      tracked.count++;
      tracked.event.confidence = tracked.sum / tracked.count;
    }
    const events: LiveEvents = { began: [], ongoing: [], ended: [] };
    for (const [key, tracked] of this.#tracked) this.#tell(key, tracked, said.has(key), span, events);
    return events;
  }

  /** All that goes on ends here. */
  finish(): LiveEvents {
    const ended = [...this.#tracked.values()].filter(({ told }) => told).map(({ event }) => ({ ...event }));
    this.#tracked.clear();
    return { began: [], ongoing: [], ended };
  }

  #begin(adapter: string, event: ParsedEvent, { start, end }: Span): Tracked {
    return { event: { ...event, adapter, id: ++this.#lastId, start, end }, sum: 0, count: 0, told: false };
  }

  #tell(key: string, tracked: Tracked, isSaid: boolean, span: Span, events: LiveEvents): void {
    const { event } = tracked;
    const rounding = 1e-6;
    const isLong = event.end - event.start >= this.#steadiness.begin - rounding;
    if (!isSaid && (!tracked.told || span.end - event.end >= this.#steadiness.end - rounding)) {
      this.#tracked.delete(key);
      if (tracked.told) events.ended.push({ ...event });
      return;
    }
    if (tracked.told) events.ongoing.push({ ...event });
    else if (isLong) events.began.push({ ...event });
    tracked.told ||= isLong;
  }
}

function eventsOf(result: TaskResult): { adapter: string; event: ParsedEvent }[] {
  const { adapter } = result;
  if (result.task === 'segment') return [];
  if (result.task === 'parse') return result.events.map((event) => ({ adapter, event }));
  const modality = modalityOf(result);
  return result.events.map((event) => ({ adapter, event: { ...event, modality } }));
}
