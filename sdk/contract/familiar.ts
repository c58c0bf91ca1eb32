/** What is told of how familiar a second is, and what a caller may ask to become of answers about seconds that are not. */
import type { Sense } from './manifest.ts';
import type { AdapterOutputs } from './model.ts';

/** What becomes of answers about unfamiliar seconds: they are left out and counted, or given all the same. */
export type Unfamiliar = 'withhold' | 'show';
export const UNFAMILIAR: readonly Unfamiliar[] = ['withhold', 'show'];

/**
 * Familiarity of a second by sense, 0 to 1: the share of the seconds of validation clips that are less like what the adapter learned from. Null where the
 * adapter has no measure of the sense, or the clip lacks it.
 */
export type SensesFamiliarity = {
  /** Of what is heard. */
  audio: number | null;
  /** Of what is seen. */
  visual: number | null;
};

/** The senses in the order of {@link familiarityOutput}. */
export const senses: readonly Sense[] = ['audio', 'visual'];

/** Name of the output that the engine adds for adapters that measure familiarity: [1, 2], -1 where nobody knows. */
export const familiarityOutput = 'familiarity';

/** That output by the names of the senses. */
export function sensesFamiliarity(outputs: AdapterOutputs): SensesFamiliarity {
  const [audio, visual] = outputs[familiarityOutput]!.data;
  const known = (share: number): number | null => (share < 0 ? null : share);
  return { audio: known(audio!), visual: known(visual!) };
}
