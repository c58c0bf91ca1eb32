/**
 * What a live run keeps of the seconds that lie behind: the tokens of each look back, as far as an adapter's window reaches. The window of the newest look is made of it and
 * of looks that lie whole seconds before, as adapters learned it; where none does (a look was left out), the second is missing from the window.
 */

/** A look at the second that ends at `end`: rows by output name. */
type Look = { end: number; rows: ReadonlyMap<string, Float32Array> };

/** How far a look may lie from a whole second before the newest, as a share of the time between two looks. */
const tolerance = 0.5;

export class RecentLooks {
  readonly #seconds: number;
  #looks: Look[] = [];
  #hop = 1;

  /** Keeps looks of the last `seconds` seconds. */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** `end` in seconds, later than that of the look before. */
  add(end: number, rows: ReadonlyMap<string, Float32Array>): void {
    const last = this.#looks.at(-1);
    if (last) this.#hop = Math.min(this.#hop, end - last.end);
    this.#looks.push({ end, rows });
    this.#looks = this.#looks.filter((look) => look.end > end - this.#seconds);
  }

  /** The newest look and those 1, 2, ... seconds before it, at most `size`, the oldest first: their rows of one output. */
  window(name: string, size: number): Float32Array[] {
    const newest = this.#looks.at(-1);
    if (!newest) return [];
    const found: Float32Array[] = [];
    for (let back = 0; back < Math.min(size, Math.ceil(this.#seconds)); back++) {
      const look = this.#nearest(newest.end - back);
      if (look) found.unshift(look.rows.get(name)!);
    }
    return found;
  }

  #nearest(end: number): Look | undefined {
    return this.#looks.find((look) => Math.abs(look.end - end) < this.#hop * tolerance);
  }
}
