/** Audio-visual event localization: logits per second -> which event is both seen and heard, and when. */
import type { AdapterOutputs } from '../contract/model.ts';
import { checkContext, type ResultContext, readOutput, spanOf, warningsFor } from './context.ts';
import { maximalRuns } from './runs.ts';
import type { Event, LocalizationResult, LocalizationSecond } from './types.ts';

/**
 * Reads the clip output `logits` [segments, classes + 1], background last: softmax per second, the most probable class as its label, maximal runs of
 * one label as events. A clip that lacks sound or picture can hold no event that is both seen and heard: every second is then background with
 * probability 1, whatever the adapter says, and a warning tells why.
 * @throws MettleError `incompatible` if the output is missing or has another shape
 */
export function toLocalization(outputs: AdapterOutputs, context: ResultContext): LocalizationResult {
  checkContext(context);
  const { adapter, classes, segments } = context;
  const width = classes.length + 1;
  const { data } = readOutput(adapter, outputs, 'logits', [segments, width]);
  const bothSenses = context.hasAudio && context.hasPicture;

  const labels: (number | null)[] = [];
  const seconds: LocalizationSecond[] = [];
  for (let row = 0; row < segments; row++) {
    const probabilities = bothSenses ? softmax(data.subarray(row * width, (row + 1) * width)) : backgroundOnly(width);
    const best = argmax(probabilities);
    const label = best === classes.length ? null : best;
    labels.push(label);
    seconds.push({ ...spanOf(context, row), label: label === null ? null : classes[label]!, probabilities });
  }

  const events = maximalRuns(labels).map(({ value, first, end }): Event => {
    const inside = seconds.slice(first, end);
    return {
      label: classes[value]!,
      classIndex: value,
      start: inside[0]!.start,
      end: inside.at(-1)!.end,
      confidence: inside.reduce((sum, second) => sum + second.probabilities[value]!, 0) / inside.length,
    };
  });

  return {
    task: 'localize',
    adapter,
    duration: context.duration,
    untrained: context.untrained,
    warnings: warningsFor(context, {
      noAudio: 'The clip has no sound, so no event can be both seen and heard: localization found none.',
      noPicture: 'The clip has no picture, so no event can be both seen and heard: localization found none.',
    }),
    classes: [...classes],
    events,
    seconds,
  };
}

function softmax(logits: Float32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The first of the largest. */
function argmax(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}

const backgroundOnly = (width: number) => Array.from({ length: width }, (_, index) => (index === width - 1 ? 1 : 0));
