/** How far told borders of heard events lie from the true ones. It knows nothing of how they were found. */

type Span = { start: number; end: number };
/** An event of one class, in seconds. */
export type BorderedEvent = Span & {
  /** Of the class. */
  classIndex: number;
};

/** Of borders inside of clips, in seconds. */
export type BorderFigures = {
  /** How many onsets were found and compared. */
  onsets: number;
  /** Their median error: as told in whole seconds, and as the border head tells them. */
  onset: {
    /** In whole seconds. */
    coarse: number | null;
    /** By the head. */
    fine: number | null;
  };
  /** How many ends. */
  ends: number;
  /** Their median error. */
  end: {
    /** In whole seconds. */
    coarse: number | null;
    /** By the head. */
    fine: number | null;
  };
};

/** An event was found where one of its class overlaps it by at least this (intersection over union). */
const leastOverlap = 0.5;
/** A border this near to the edge of its clip is none, in seconds. */
const edge = 0.05;

/** Over clips. */
export class BorderErrors {
  readonly #errors = {
    onset: { coarse: [] as number[], fine: [] as number[] },
    end: { coarse: [] as number[], fine: [] as number[] },
  };

  /** `coarse` and `fine` are the same events told in two ways, of a clip of `duration` seconds; each true event is compared with the one that overlaps it most. */
  add(
    coarse: readonly BorderedEvent[],
    fine: readonly BorderedEvent[],
    truth: readonly BorderedEvent[],
    duration: number,
  ): void {
    for (const actual of truth) {
      const overlaps = coarse.map((event) => (event.classIndex === actual.classIndex ? overlap(event, actual) : 0));
      const most = Math.max(0, ...overlaps);
      if (most < leastOverlap) continue;
      const index = overlaps.indexOf(most);
      for (const [way, event] of [
        ['coarse', coarse[index]!],
        ['fine', fine[index]!],
      ] as const) {
        const isOnset = actual.start > edge && coarse[index]!.start > 0;
        const isEnd = actual.end < duration - edge && coarse[index]!.end < duration;
        if (isOnset) this.#errors.onset[way].push(Math.abs(event.start - actual.start));
        if (isEnd) this.#errors.end[way].push(Math.abs(event.end - actual.end));
      }
    }
  }

  /** Null where nothing was compared. */
  figures(): BorderFigures {
    const { onset, end } = this.#errors;
    return {
      onsets: onset.coarse.length,
      onset: { coarse: median(onset.coarse), fine: median(onset.fine) },
      ends: end.coarse.length,
      end: { coarse: median(end.coarse), fine: median(end.fine) },
    };
  }
}

function overlap(a: Span, b: Span): number {
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return shared <= 0 ? 0 : shared / (Math.max(a.end, b.end) - Math.min(a.start, b.start));
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
