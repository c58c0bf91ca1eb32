/** Where an adapter's meta-tokens attended in one second, from the arrays that the engine adds where it is asked. */
import { attentionOutput, explainedTaps } from '../contract/attention.ts';
import type { Sense } from '../contract/manifest.ts';
import type { AdapterOutputs } from '../contract/model.ts';
import type { Span } from './context.ts';
import type { ExplainedSecond, ExplainedSense, NumberGrid } from './types.ts';

/** What the outputs of a second say; of a sense that was not there they say nothing. */
export function toExplained(outputs: AdapterOutputs, { start, end }: Span): ExplainedSecond {
  const sound = senseOf(outputs, 'audio');
  const spectrum = gridOf(outputs, attentionOutput.spectrum);
  return { start, end, picture: senseOf(outputs, 'visual'), sound: sound && spectrum && { ...sound, spectrum } };
}

function senseOf(outputs: AdapterOutputs, sense: Sense): ExplainedSense | null {
  const taps = explainedTaps(outputs, sense);
  if (taps.length === 0) return null;
  const layers = taps.map((tap) => ({
    tap,
    weight: outputs[attentionOutput.weight(sense, tap)]!.data[0]!,
    map: gridOf(outputs, attentionOutput.map(sense, tap)),
  }));
  return { layers, map: gridOf(outputs, attentionOutput.whole(sense)) };
}

function gridOf(outputs: AdapterOutputs, name: string): NumberGrid | null {
  const output = outputs[name];
  if (!output || output.data.length === 0) return null;
  const [rows, columns] = output.shape as [number, number];
  return { rows, columns, data: output.data };
}
