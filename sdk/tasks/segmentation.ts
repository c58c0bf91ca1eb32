/** Audio-visual segmentation: mask logits per second -> which pixels make the sound. */
import type { AdapterOutputs } from '../contract/model.ts';
import { checkContext, type ResultContext, readOutput, spanOf, warningsFor } from './context.ts';
import type { Mask, SegmentationResult } from './types.ts';

/**
 * Reads the segment output `mask` [1, 1, height, width] (logits) of second `index` as a mask. `data` is 255 times the sigmoid, one half rounded down, so
 * that `data > 127` and probability > 0.5 are the same thing. Without sound nothing makes any, and without picture there is nothing to mark: the mask is
 * then empty, whatever the adapter says.
 * @throws MettleError `incompatible` if the output is missing or has another shape
 */
export function toMask(outputs: AdapterOutputs, context: ResultContext, index: number): Mask {
  const { shape, data: logits } = readOutput(context.adapter, outputs, 'mask', [1, 1, 'height', 'width']);
  const height = shape[2]!;
  const width = shape[3]!;
  const data = new Uint8Array(height * width);
  let above = 0;
  if (context.hasAudio && context.hasPicture) {
    for (let pixel = 0; pixel < data.length; pixel++) {
      const value = Math.ceil(255 / (1 + Math.exp(-logits[pixel]!)) - 0.5);
      data[pixel] = value;
      if (value > 127) above++;
    }
  }
  return { ...spanOf(context, index), width, height, data, area: above / data.length };
}

/** The masks of all seconds, in order, as the clip's result. */
export function toSegmentation(masks: readonly Mask[], context: ResultContext): SegmentationResult {
  checkContext(context);
  return {
    task: 'segment',
    adapter: context.adapter,
    duration: context.duration,
    untrained: context.untrained,
    warnings: warningsFor(context, {
      noAudio: 'The clip has no sound, so no pixel makes any: all masks are empty.',
      noPicture: 'The clip has no picture, so there is nothing to mark: all masks are empty.',
    }),
    masks: [...masks],
  };
}
