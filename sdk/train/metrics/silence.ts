/** What is told of an adapter's silence and of how its confidence fits. Not of how they are found: `train/silence` does that. */

/** Figures of a split about what is said and what is not. Shares 0 to 1; null where there is nothing to take a share of. */
export type SilenceFigures = {
  /** Clips whose truth is known second by second. */
  clips: number;
  /** Answers if nothing is withheld: a label of a second and, for parsing, of a sense; of masks a second with one. */
  answers: number;
  /** Share of the right answers that is withheld. */
  rightLost: number | null;
  /** Share of the wrong ones. */
  wrongWithheld: number | null;
  /** Expected calibration error of the answers' confidence, of masks that of their pixels: as the network says it, and as results have it. */
  calibrationError: {
    /** Of equal width. */
    bins: number;
    /** Without temperature, nothing withheld. */
    before: number | null;
    /** As results are. */
    after: number | null;
  };
};
