/** Audio-visual segmentation: mask logits per second -> which pixels make the sound. */
import type { AdapterOutputs } from '../contract/model.ts';
import { sigmoid, temperatureOf } from './calibration.ts';
import { checkContext, type ResultContext, readOutput, resultBase, spanOf } from './context.ts';
import { familiarityOf, hasSenses, isWithheld } from './silence.ts';
import type { Mask, SegmentationResult } from './types.ts';

/**
 * Reads the segment output `mask` [1, 1, height, width] (logits) of second `index` as a mask. `data` is 255 times the sigmoid, one half rounded down, so
 * that `data > 127` and probability > 0.5 are the same thing. Without sound nothing makes any, and without picture there is nothing to mark: the mask is
 * then empty, whatever the adapter says. So it is where the second is not familiar, unless the caller wants to see it.
 * @throws MettleError `incompatible` if the output is missing or has another shape
 */
export function toMask(outputs: AdapterOutputs, context: ResultContext, index: number): Mask {
  const { shape, data: logits } = readOutput(context.adapter, outputs, 'mask', [1, 1, 'height', 'width']);
  const height = shape[2]!;
  const width = shape[3]!;
  const data = new Uint8Array(height * width);
  let above = 0;
  if (hasSenses(context)) {
    const { temperature } = temperatureOf(context.calibration);
    for (let pixel = 0; pixel < data.length; pixel++) {
      const value = Math.ceil(255 * sigmoid(logits[pixel]! / temperature) - 0.5);
      data[pixel] = value;
      if (value > 127) above++;
    }
  }
  const familiarity = familiarityOf(context, index);
  const withheld = above > 0 && isWithheld(context, familiarity);
  const mask = { ...spanOf(context, index), width, height, familiarity, withheld };
  return withheld ? { ...mask, data: data.fill(0), area: 0 } : { ...mask, data, area: above / data.length };
}

/** The masks of all seconds, in order, as the clip's result. */
export function toSegmentation(masks: readonly Mask[], context: ResultContext): SegmentationResult {
  checkContext(context);
  return {
    task: 'segment',
    ...resultBase(
      context,
      {
        noAudio: 'The clip has no sound, so no pixel makes any: all masks are empty.',
        noPicture: 'The clip has no picture, so there is nothing to mark: all masks are empty.',
      },
      masks.filter(({ withheld }) => withheld).length,
    ),
    masks: [...masks],
  };
}
