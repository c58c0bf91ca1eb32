/** What teaching is told, what it tells meanwhile, and what it gives. */
import type { ClipSource } from '../../contract/clip.ts';
import type { AdapterManifest, Scope, Sense } from '../../contract/manifest.ts';
import { idPattern } from '../../contract/manifest-form.ts';
import {
  callback,
  checkOptions,
  list,
  oneOf,
  type Rules,
  record,
  required,
  text,
  whole,
} from '../../contract/options.ts';
import { MettleError } from '../../errors.ts';
import { type CreateOptions, type CreateProgress, createRules } from '../../load.ts';

/** A short recording of an event, or of nothing. */
export type TeachExample = {
  /** The event; null for what is none of them: the empty room, the noise of the street, whatever must not be taken for an event. */
  label: string | null;
  /** A clip, a sound or a picture, as for `mettle.parse`; of what is longer than ten seconds the first ten are taken. */
  source: ClipSource;
  /** What messages and `skipped` call it. Default: its label and number. */
  name?: string;
};

/** Where progress is kept, so that a page that was closed goes on where it was: `lessons.progress`, or anything with these three. */
export type ProgressStore = {
  /** Null where there is nothing of that name. */
  get(name: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Whole or not at all. */
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What is not there is no fault. */
  delete(name: string): Promise<void>;
};

/** What `teach` takes: the options of `createMettle` for the backbone, and these. */
export type TeachOptions = Omit<CreateOptions, 'adapters' | 'budget' | 'onProgress'> & {
  /** Three or more of each event; events are labelled in the order in which they first come. A dozen of nothing make it more silent. */
  examples: readonly TeachExample[];
  /** Id of the new adapter: lower-case letters, digits, dots, dashes and underscores. Default `taught`. */
  id?: string;
  /** SPDX id or a sentence, for its manifest. Default: `own examples`. */
  license?: string;
  /** What decides: what is heard, what is seen, or each for itself. Default: every sense that all examples of events have. */
  senses?: Sense | 'both';
  /** Decides how examples are varied. Default 1. */
  seed?: number;
  /** Keeps what was seen of each example, as long as it has room. An abort removes what this call put there. */
  progress?: ProgressStore;
  /** Called as often as there is something new. */
  onProgress?: (progress: TeachProgress) => void;
};

/** How far teaching is, told apart by `phase`. */
export type TeachProgress =
  | CreateProgress
  | {
      /** Seconds of examples, as they are and varied, and of made-up sounds and pictures that are none of the events, run through the backbone. */
      phase: 'examples';
      /** Seconds, of `total`. */
      done: number;
      /** Seconds. */
      total: number;
    }
  | {
      /** The head is computed and packed. */
      phase: 'learning';
    };

/** How many examples a head was right about that did not learn from them; each was left out once. */
export type LeftOut = {
  /** Examples of events whose own event was named, and no other was surer. */
  right: number;
  /** Examples of events that were silent. */
  silent: number;
  /** Examples of events. */
  examples: number;
  /** Examples of nothing that were silent, of `nothing`. */
  quiet: number;
  /** Examples of nothing. */
  nothing: number;
};

/** A finished adapter: `mettle.load(taught)`, or `createMettle({ adapters: [taught] })`. */
export type TaughtAdapter = {
  /** What it is. */
  manifest: AdapterManifest;
  /** Every file of the adapter's folder by its path, `manifest.json` included. */
  files: Record<string, Uint8Array<ArrayBuffer>>;
  /** By sense; null for one that does not decide. */
  leftOut: Record<Sense, LeftOut | null>;
  /** Examples that could not be used, and why. */
  skipped: {
    /** Of the example. */
    name: string;
    /** Message of the error. */
    reason: string;
  }[];
  /** The folder as a zip file. */
  zip(): Blob;
};

const { adapters: _, budget: __, onProgress: ___, ...backboneRules } = createRules;

const teachRules: Rules<TeachOptions> = {
  ...backboneRules,
  examples: required(list),
  id: text,
  license: text,
  senses: oneOf('audio', 'visual', 'both'),
  seed: whole(),
  progress: record,
  onProgress: callback,
};

const exampleRules: Rules<TeachExample> = {
  label: {
    expected: 'a text, or null for nothing',
    fits: (value) => value === null || text.fits(value),
    required: true,
  },
  source: {
    expected: 'a clip, a sound or a picture',
    fits: (value) => value !== null && value !== undefined,
    required: true,
  },
  name: text,
};

/** Fewest examples of an event: each is left out once, and one more must be left to vary. */
export const fewestExamples = 3;
/** A head of more events than this is no lesson of a few minutes. */
const mostEvents = 50;
const mostExamples = 200;

/** The events in the order of their first example. Throws `invalid-argument` for what cannot be taught. */
export function checkLesson(options: TeachOptions): string[] {
  checkOptions(options, teachRules);
  const { examples, id } = options;
  if (id !== undefined && !idPattern.test(id)) {
    throw new MettleError('invalid-argument', `options.id "${id.slice(0, 60)}" is no id.`, {
      hint: 'Use lower-case letters, digits, dots, dashes and underscores.',
    });
  }
  if (examples.length > mostExamples) {
    throw new MettleError('invalid-argument', `${examples.length} examples; expected at most ${mostExamples}.`, {
      hint: 'Train an adapter on a whole data set with trainAdapter, or mettle train.',
    });
  }
  for (const [index, example] of examples.entries()) checkOptions(example, exampleRules, `options.examples[${index}]`);
  const counts = new Map<string, number>();
  for (const { label } of examples) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size === 0 || counts.size > mostEvents) {
    throw new MettleError('invalid-argument', `The examples show ${counts.size} events; expected 1 to ${mostEvents}.`, {
      hint: 'Give each example of an event its label; null stands for nothing.',
    });
  }
  for (const [label, count] of counts) if (count < fewestExamples) throw tooFew(label, count);
  return [...counts.keys()];
}

export const tooFew = (label: string, count: number, why = ''): MettleError =>
  new MettleError(
    'invalid-argument',
    `There ${count === 1 ? 'is 1 example' : `are ${count} examples`} of "${label}"${why}; expected at least ${fewestExamples}.`,
    { hint: 'Record or pick more of it: five or more, each a little different, teach best.' },
  );

/** What a taught adapter answers for. */
export function scopeOf(events: readonly string[], counts: readonly number[], senses: readonly Sense[]): Scope {
  const told = events.map((event, i) => `${counts[i]} of ${event}`).join(', ');
  return {
    senses: [...senses],
    world: `A few examples that its maker gave: ${told}.`,
    unknown: 'Everything else. What is like one of its events may be taken for it.',
  };
}
