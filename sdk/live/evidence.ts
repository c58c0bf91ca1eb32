/** Border evidence of a running source: the mean of what an adapter's border head said of each part of the last seconds, however many looks saw it. */
import { bordersOutput } from '../contract/borders.ts';
import type { AdapterManifest } from '../contract/manifest.ts';
import type { AdapterOutputs } from '../contract/model.ts';
import type { BorderEvidence } from '../tasks/borders.ts';

/** Seconds that are kept: borders move by one, and ends are told a while after they are found. */
const kept = 70;

type Part = { sums: Float32Array; looks: number };

export class RollingEvidence implements BorderEvidence {
  readonly steps: number;
  readonly #classes: number;
  readonly #parts = new Map<number, Part>();

  /** Of an adapter with a border head. */
  constructor({ borders, classes }: Pick<AdapterManifest, 'borders' | 'classes'>) {
    this.steps = borders!.steps;
    this.#classes = classes.length;
  }

  /** What was said of the second that ends at `end`. */
  add(end: number, outputs: AdapterOutputs): void {
    const { data } = outputs[bordersOutput]!;
    const first = Math.round((end - 1) * this.steps);
    for (let step = 0; step < this.steps; step++) {
      const part = this.#parts.get(first + step) ?? { sums: new Float32Array(this.#classes), looks: 0 };
      part.looks++;
      for (let c = 0; c < this.#classes; c++) part.sums[c]! += data[step * this.#classes + c]!;
      this.#parts.set(first + step, part);
    }
    for (const part of this.#parts.keys()) {
      if (part >= first - kept * this.steps) break;
      this.#parts.delete(part);
    }
  }

  at(part: number, classIndex: number): number {
    const found = this.#parts.get(part);
    return found ? found.sums[classIndex]! / found.looks : 0;
  }
}
