/** What the engine calls the outputs that it adds to an adapter's where it is asked to explain: what `tasks` makes typed results of. */
import type { Sense } from './manifest.ts';
import type { AdapterOutputs } from './model.ts';

const prefix = 'attention/';

export const attentionOutput = {
  /** Of a layer: where its tokens were attended to, [rows, columns]; [0, 0] where rows and columns of the layer cannot be told. */
  map: (sense: Sense, tap: string): string => `${prefix}map/${sense}/${tap}`,
  /** Of a layer: its share of the sense's meta-tokens, [1]. */
  weight: (sense: Sense, tap: string): string => `${prefix}weight/${sense}/${tap}`,
  /** Of a sense: the maps of all its layers in one, [rows, columns]; [0, 0] where there is none. */
  whole: (sense: Sense): string => `${prefix}whole/${sense}`,
  /** The sound as the backbone is fed it, [steps, bands]. */
  spectrum: `${prefix}spectrum`,
};

/** Those of an adapter's outputs that explain. */
export function attentionOutputs(outputs: AdapterOutputs): AdapterOutputs {
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => name.startsWith(prefix)));
}

/** The taps of a sense that were read, in their order. */
export function explainedTaps(outputs: AdapterOutputs, sense: Sense): string[] {
  const before = attentionOutput.map(sense, '');
  return Object.keys(outputs).flatMap((name) => (name.startsWith(before) ? [name.slice(before.length)] : []));
}
