/** Clips as rows of vectors, and the seconds in them that are most like another. */
import { checkArgument, checkOptions, oneOf, type Rules, record, whole } from '../contract/options.ts';
import type { Warning } from '../errors.ts';

/** Where one second lies among all that an adapter learned from. Vectors have length 1; the more alike two seconds, the larger their product. */
export type EmbeddedSecond = {
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** Of what is heard; null where there is no sound. */
  audio: Float32Array | null;
  /** Of what is seen; null where there is no picture. */
  visual: Float32Array | null;
};

/** A clip, second by second, as `embed` gives it. */
export type Embedding = {
  /** Id of the adapter whose meta-tokens they are: only vectors of one adapter can be compared. */
  adapter: string;
  /** Seconds. */
  duration: number;
  /** One per second. */
  seconds: EmbeddedSecond[];
  /** What there is to know about the clip. */
  warnings: Warning[];
};

/** How to search. */
export type SimilarOptions = {
  /** What must be alike; `both` (the default) is the mean of the two, or of the one that both seconds have. */
  sense?: 'audio' | 'visual' | 'both';
  /** How many are given at most; default 10. */
  top?: number;
};

/** A second that was found. */
export type Match = {
  /** Its clip's place in the list. */
  clip: number;
  /** Its place in the clip. */
  second: number;
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** Cosine of the angle between the two, -1 to 1. */
  similarity: number;
};

const rules: Rules<SimilarOptions> = { sense: oneOf('audio', 'visual', 'both'), top: whole(1) };

/** The seconds of `clips` that are most like `query`, the most alike first. Throws `invalid-argument`. */
export function findSimilar(query: EmbeddedSecond, clips: readonly Embedding[], options: SimilarOptions = {}): Match[] {
  checkArgument(query, { ...record, expected: 'a second of what embed() gave' }, 'query');
  checkArgument(clips, { expected: 'a list of what embed() gave', fits: Array.isArray }, 'clips');
  checkOptions(options, rules);
  const { sense = 'both', top = 10 } = options;
  const senses = sense === 'both' ? (['audio', 'visual'] as const) : [sense];
  const matches = clips.flatMap(({ seconds }, clip) =>
    seconds.flatMap((second, index): Match[] => {
      const alike = senses.flatMap((name) => cosine(query[name], second[name]));
      if (alike.length === 0) return [];
      const similarity = alike.reduce((sum, x) => sum + x, 0) / alike.length;
      return [{ clip, second: index, start: second.start, end: second.end, similarity }];
    }),
  );
  return matches.sort((a, b) => b.similarity - a.similarity).slice(0, top);
}

/** None where one of the two is missing, or they are of different adapters. */
function cosine(one: Float32Array | null, other: Float32Array | null): number[] {
  if (!one || !other || one.length !== other.length) return [];
  return [one.reduce((sum, x, i) => sum + x * other[i]!, 0)];
}
