/** The answer of an adapter, whatever its task. */
import type { AdapterManifest } from '../contract/manifest.ts';
import type { AdapterOutputs } from '../contract/model.ts';
import type { ResultContext } from './context.ts';
import { toLocalization } from './localization.ts';
import { toParsing } from './parsing.ts';
import { toSegmentation } from './segmentation.ts';
import type { Mask, TaskResult } from './types.ts';

/** `outputs` are those of the clip graph; of `segment` the masks of all seconds count alone. Throws as the tasks do. */
export function toAnswer(
  { task, thresholds }: AdapterManifest,
  outputs: AdapterOutputs,
  masks: readonly Mask[],
  context: ResultContext,
): TaskResult {
  if (task === 'segment') return toSegmentation(masks, context);
  if (task === 'localize') return toLocalization(outputs, context);
  return toParsing(outputs, context, { threshold: thresholds ?? undefined });
}
