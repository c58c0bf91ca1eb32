/**
 * Events of a running source, with hysteresis: one begins when the adapter has said it for long enough, and ends when it has not for long enough, so that a
 * single doubtful moment makes no label flicker. Where an adapter has border evidence, what is heard begins and ends on parts of a second: the start is settled when the event
 * is told, the end when it is over.
 */
import { type BorderEvidence, refineEnd, refineStart } from '../tasks/borders.ts';
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
type Tracked = {
  event: LiveEvent;
  sum: number;
  count: number;
  told: boolean;
  /** Whether the start lies on a part of a second. */
  fine: boolean;
  /** How finely events are told without evidence, in seconds. */
  coarse: number;
  /** Before which it cannot have begun. */
  earliest: number;
};

/** Evidence by adapter, and up to where it is known, in seconds. */
export type KnownBorders = { evidence: ReadonlyMap<string, BorderEvidence>; until: number };

const nothingKnown: KnownBorders = { evidence: new Map(), until: 0 };

export class EventTracker {
  readonly #steadiness: Steadiness;
  readonly #tracked = new Map<string, Tracked>();
  /** When the last one of each key ended. */
  readonly #ends = new Map<string, number>();
  #lastId = 0;

  constructor(steadiness: Steadiness) {
    this.#steadiness = steadiness;
  }

  /** `results` are what adapters say of the stretch `span`, which follows the one before. */
  next(span: Span, results: readonly TaskResult[], borders = nothingKnown): LiveEvents {
    const said = new Set<string>();
    for (const { adapter, event } of results.flatMap(eventsOf)) {
      const key = JSON.stringify([adapter, event.modality, event.label]);
      said.add(key);
      const tracked = this.#tracked.get(key) ?? this.#begin(key, adapter, event, span);
      this.#tracked.set(key, tracked);
      tracked.event.end = span.end;
      tracked.sum += event.confidence;
      tracked.count++;
      tracked.event.confidence = tracked.sum / tracked.count;
    }
    const events: LiveEvents = { began: [], ongoing: [], ended: [] };
    for (const [key, tracked] of this.#tracked) {
      this.#tell(key, tracked, said.has(key), span, events, borders);
    }
    return events;
  }

  /** All that goes on ends here. */
  finish(): LiveEvents {
    const ended = [...this.#tracked.values()].filter(({ told }) => told);
    this.#tracked.clear();
    return { began: [], ongoing: [], ended: ended.map(({ event, coarse }) => ({ ...event, resolution: coarse })) };
  }

  #begin(key: string, adapter: string, event: ParsedEvent, { start, end }: Span): Tracked {
    const resolution = end - start;
    return {
      event: { ...event, adapter, id: ++this.#lastId, start, end, resolution },
      ...{ sum: 0, count: 0, told: false, fine: false, coarse: resolution },
      earliest: this.#ends.get(key) ?? 0,
    };
  }

  #tell(key: string, tracked: Tracked, isSaid: boolean, span: Span, events: LiveEvents, borders: KnownBorders): void {
    const { event } = tracked;
    const rounding = 1e-6;
    const isLong = event.end - event.start >= this.#steadiness.begin - rounding;
    if (!isSaid && (!tracked.told || span.end - event.end >= this.#steadiness.end - rounding)) {
      this.#tracked.delete(key);
      if (!tracked.told) return;
      const ended = withFineEnd(tracked, borders);
      this.#ends.set(key, ended.end);
      events.ended.push(ended);
      return;
    }
    if (tracked.told) events.ongoing.push({ ...event });
    else if (isLong) {
      settleStart(tracked, borders);
      events.began.push({ ...event });
    }
    tracked.told ||= isLong;
  }
}

/** Evidence of what is heard; of what is seen there is none. */
const evidenceFor = ({ adapter, modality }: LiveEvent, { evidence }: KnownBorders): BorderEvidence | undefined =>
  modality === 'visual' ? undefined : evidence.get(adapter);

function settleStart(tracked: Tracked, borders: KnownBorders): void {
  const { event, earliest } = tracked;
  const evidence = evidenceFor(event, borders);
  const places = { coarse: event.start, earliest, latest: borders.until };
  const start = evidence ? refineStart(evidence, event.classIndex, places) : null;
  if (start === null) return;
  event.start = start;
  event.resolution = 1 / evidence!.steps;
  tracked.fine = true;
}

/** The event with its final end, and the resolution of the coarser border. */
function withFineEnd({ event, fine, coarse }: Tracked, borders: KnownBorders): LiveEvent {
  const evidence = evidenceFor(event, borders);
  const places = { coarse: event.end, earliest: event.start, latest: borders.until };
  const found = evidence ? refineEnd(evidence, event.classIndex, places) : null;
  return { ...event, end: found ?? event.end, resolution: fine && found !== null ? event.resolution : coarse };
}

function eventsOf(result: TaskResult): { adapter: string; event: ParsedEvent }[] {
  const { adapter } = result;
  if (result.task === 'segment') return [];
  if (result.task === 'parse') return result.events.map((event) => ({ adapter, event }));
  const modality = modalityOf(result);
  return result.events.map((event) => ({ adapter, event: { ...event, modality } }));
}
