/** What an adapter for a dataset is like where nothing else is said. */
import { checkOptions, nested, oneOf, type Rules, required, whole } from '../../contract/options.ts';
import { MettleError } from '../../errors.ts';
import { type AdapterConfig, defaultAdapter } from '../../models/adapter.ts';
import type { Dataset } from '../data/types.ts';

/** Parts of a configuration that differ from the defaults. */
export type ConfigChange = Partial<Omit<AdapterConfig, 'task' | 'classes' | 'distill' | 'judge'>> & {
  /** Parts of `distill` that differ. */
  distill?: Partial<AdapterConfig['distill']>;
};

const amount = whole(1, 65_536);
const sense = ['audio', 'visual', 'both'] as const;
const changeRules: Rules<ConfigChange> = {
  distill: nested<Partial<AdapterConfig['distill']>>({
    tokens: amount,
    heads: amount,
    paths: oneOf('both', 'preservation', 'task', 'none'),
    form: oneOf('absorbed', 'plain'),
    width: amount,
    average: oneOf('mean', 'learned'),
  }),
  taps: oneOf('blocks', 'stage-ends', 'last-half', 'last'),
  senses: oneOf(...sense),
  segments: amount,
  layers: whole(),
  heads: amount,
  channels: amount,
  decoder: oneOf('pyramid', 'linear'),
  head: oneOf('A', 'B'),
  injection: oneOf(...sense, 'none'),
  nonLocal: nested<{ seconds: number }>({ seconds: required(amount) }),
};

/**
 * Passes over the training clips where no number is asked for. Masks are learned in half as many: on the toybox those of later passes fit the training clips
 * alone (measured on validation clips; ours).
 */
export const defaultEpochs = (task: Dataset['task']): number => (task === 'segment' ? 15 : 30);

/**
 * Layers along time where no number is asked for. Parsing has none (HAN has one): labels of clips do not say which sense they are of, and what senses tell each
 * other is taken for what they sense themselves (measured on validation clips of the toybox; ours).
 */
const defaultLayers = (task: Dataset['task']): number => (task === 'parse' ? 0 : defaultAdapter.layers);

/**
 * Decay of the moving average of the weights, which is what is judged and kept, where none is asked for. Masks have one, of about two passes over the toybox:
 * each training clip of S4 has one mask, and what is learned of it goes up and down from pass to pass (measured on validation clips; ours).
 */
export const defaultAverage = (task: Dataset['task']): number | null => (task === 'segment' ? 0.998 : null);

/** Seconds that are seen at once at most, unless more are asked for: what a step takes grows with them. */
const mostSeconds = 60;

/**
 * Task and classes of the dataset, as many seconds as its longest clip has (60 at most), {@link defaultAdapter} for the rest, and then `change`.
 * Throws `invalid-argument` where a head is chosen for another task than localization or a decoder for another than segmentation, masks are to be made of sound
 * alone, meta-tokens are counted where there are none, or the width cannot be shared by the heads.
 */
export function configFor(
  dataset: Pick<Dataset, 'task' | 'classes' | 'items'>,
  change: ConfigChange = {},
): AdapterConfig {
  checkOptions(change, changeRules, 'change');
  const { task, classes, items } = dataset;
  if (change.head && task !== 'localize') {
    throw new MettleError('invalid-argument', `A head is chosen for localize alone; this training is for ${task}.`);
  }
  if (change.decoder && task !== 'segment') {
    throw new MettleError('invalid-argument', `Masks are decoded for segment alone; this training is for ${task}.`);
  }
  if (change.senses === 'audio' && task === 'segment') {
    throw new MettleError('invalid-argument', 'Masks are decoded from pictures; there are none of sound alone.', {
      hint: 'Let segment read both senses, or visual to do without sound.',
    });
  }
  if (change.distill?.paths === 'none' && change.distill.tokens !== undefined) {
    throw new MettleError('invalid-argument', 'Without paths there are no meta-tokens to count.', {
      hint: 'Leave out the number of tokens, or choose another of the paths.',
    });
  }
  const longest = items.reduce((most, { seconds }) => Math.max(most, seconds), 1);
  const distill = { ...defaultAdapter.distill, ...change.distill };
  const config = {
    ...defaultAdapter,
    layers: defaultLayers(task),
    segments: Math.min(longest, mostSeconds),
    ...change,
    distill,
    task,
    classes,
  };
  if (distill.width % config.heads !== 0) {
    throw new MettleError(
      'invalid-argument',
      `A width of ${distill.width} cannot be shared by ${config.heads} heads; expected a multiple of ${config.heads}.`,
    );
  }
  return config;
}
