/** Finds, on clips that were not trained on, the probability from which each class of video parsing counts. Not part of the published evaluation, which takes 0.5. */

/** What is taken where a class does not occur, and what the published evaluation takes. */
const usual = 0.5;

/** 0.05, 0.1 and so on to 0.95; those next to the usual one first, so that of two that are as good the nearer one is chosen. */
const levels = Array.from({ length: 19 }, (_, i) => (i + 1) / 20).sort(
  (a, b) => Math.abs(a - usual) - Math.abs(b - usual),
);

/** One sense of one clip: probabilities [seconds, classes] and of the whole clip [classes], and the truth of 0 and 1, [seconds, classes]. */
export type JudgedSense = { seconds: Float32Array; clip: Float32Array; truth: ArrayLike<number> };

/** Counts what each level would find and miss; holds no clips. */
export class ThresholdChoice {
  readonly #classes: number;
  /** By level and class: found rightly, found wrongly, and there. */
  readonly #right: Float64Array;
  readonly #wrong: Float64Array;
  readonly #there: Float64Array;

  constructor(classes: number) {
    this.#classes = classes;
    this.#right = new Float64Array(levels.length * classes);
    this.#wrong = new Float64Array(levels.length * classes);
    this.#there = new Float64Array(classes);
  }

  /** Adds the seconds of one sense. A class counts where both its own and the clip's probability reach the level. */
  add({ seconds, clip, truth }: JudgedSense): void {
    for (let i = 0; i < truth.length; i++) {
      const c = i % this.#classes;
      const p = Math.min(seconds[i]!, clip[c]!);
      const counts = truth[i] ? this.#right : this.#wrong;
      if (truth[i]) this.#there[c]!++;
      levels.forEach((level, l) => {
        // Outputs are float32: a probability of exactly 0.7 reaches a level of 0.7.
        if (p >= Math.fround(level)) counts[l * this.#classes + c]!++;
      });
    }
  }

  /** For each class the level with the largest F over all seconds added, of both senses together; 0.5 where the class never occurs. */
  choose(): number[] {
    return Array.from(this.#there, (there, c) => {
      if (there === 0) return usual;
      const f = levels.map((_, l) => {
        const right = this.#right[l * this.#classes + c]!;
        return (2 * right) / (right + this.#wrong[l * this.#classes + c]! + there);
      });
      return levels[f.indexOf(Math.max(...f))]!;
    });
  }
}
