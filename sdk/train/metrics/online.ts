/**
 * Figures of events as the protocol of online parsing gives them (PreFM, NeurIPS 2025): F per second, F per event at an overlap of one half, and the mean of F per event
 * over the overlaps 0.1, 0.2 ... 0.9. It knows nothing of how an answer came about.
 */
import { type Activity, type ParsingFigures, ParsingScore } from './parsing.ts';

/** Tenths of intersection over union. */
const tenths = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** F in percent: of what is heard, of what is seen, of what is both at once. */
export type SenseFigures = Pick<ParsingFigures, 'audio' | 'visual' | 'audioVisual'>;

/** Means over clips. */
export type EventFigures = {
  /** Second by second. */
  segment: SenseFigures;
  /** By events that overlap by half. */
  event: SenseFigures;
  /** By events, the mean over overlaps of 0.1 to 0.9. */
  eventMean: SenseFigures;
};

/** What an adapter says without what comes later, beside what it says of whole clips; each decoded in two ways. */
export type OnlineFigures = {
  /** Seconds that the adapter remembers. */
  context: number;
  /** Decoded as published: one half for every class, the most probable label; nothing withheld. */
  published: {
    /** Of whole clips. */
    offline: EventFigures;
    /** Of each second at its end. */
    online: EventFigures;
  };
  /** As users are told: the adapter's own thresholds, unfamiliar seconds withheld. */
  told: {
    /** What an analysis of the whole clip tells. */
    offline: EventFigures;
    /** What `watch` with a hop of a second tells, with its hysteresis. */
    online: EventFigures;
  };
};

/** Averages over clips. */
export class EventScore {
  readonly #scores: ReadonlyMap<number, ParsingScore>;

  /** `classes` is their number. */
  constructor(classes: number) {
    this.#scores = new Map(tenths.map((tenth) => [tenth, new ParsingScore(classes, tenth / 10)]));
  }

  /** Adds one clip. Throws `invalid-argument` as {@link ParsingScore} does. */
  add(predicted: Activity, truth: Activity): void {
    for (const score of this.#scores.values()) score.add(predicted, truth);
  }

  /** In percent; 0 if nothing was added. */
  figures(): EventFigures {
    const { segment, event } = this.#scores.get(5)!.figures();
    const all = [...this.#scores.values()].map((score) => score.figures().event);
    const mean = (sense: keyof SenseFigures): number => all.reduce((sum, f) => sum + f[sense], 0) / all.length;
    return {
      segment: sensesOf(segment),
      event: sensesOf(event),
      eventMean: { audio: mean('audio'), visual: mean('visual'), audioVisual: mean('audioVisual') },
    };
  }
}

const sensesOf = ({ audio, visual, audioVisual }: ParsingFigures): SenseFigures => ({ audio, visual, audioVisual });
