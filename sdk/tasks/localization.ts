/** Audio-visual event localization: logits per second -> which event there is, and when. */
import type { AdapterOutputs } from '../contract/model.ts';
import { wholeSecond, withBorders } from './borders.ts';
import { softmax, temperatureOf } from './calibration.ts';
import { checkContext, type ResultContext, readOutput, resultBase, spanOf } from './context.ts';
import { maximalRuns } from './runs.ts';
import { familiarityOf, hasSenses, isWithheld, leastConfidence, sensesOf } from './silence.ts';
import type { Event, LocalizationResult, LocalizationSecond } from './types.ts';

/**
 * Reads the clip output `logits` [segments, classes + 1], background last: softmax per second, the most probable class as its label, maximal runs of
 * one label as events. A clip that lacks a sense that decides the answer (`scope.senses`, else both) can hold no event: every second is then background with
 * probability 1, whatever the adapter says, and a warning tells why. So is an unfamiliar second, unless the caller wants to see it.
 * @throws MettleError `incompatible` if the output is missing or has another shape
 */
export function toLocalization(outputs: AdapterOutputs, context: ResultContext): LocalizationResult {
  checkContext(context);
  const { adapter, classes, segments } = context;
  const width = classes.length + 1;
  const { data } = readOutput(adapter, outputs, 'logits', [segments, width]);
  const answers = hasSenses(context);
  const temperature = temperatureOf(context.calibration);

  const labels: (number | null)[] = [];
  const seconds: LocalizationSecond[] = [];
  for (let row = 0; row < segments; row++) {
    const familiarity = familiarityOf(context, row);
    const said = answers ? softmax(data.subarray(row * width, (row + 1) * width), temperature) : backgroundOnly(width);
    const best = argmax(said);
    const named = best < classes.length && said[best]! >= leastConfidence;
    const silent = isWithheld(context, familiarity);
    const label = named && !silent ? best : null;
    labels.push(label);
    seconds.push({
      ...spanOf(context, row),
      label: label === null ? null : classes[label]!,
      probabilities: silent ? backgroundOnly(width) : said,
      familiarity,
      withheld: named && silent,
    });
  }

  const runs = maximalRuns(labels).map(({ value, first, end }): Event => {
    const inside = seconds.slice(first, end);
    return {
      label: classes[value]!,
      classIndex: value,
      start: inside[0]!.start,
      end: inside.at(-1)!.end,
      resolution: wholeSecond,
      confidence: inside.reduce((sum, second) => sum + second.probabilities[value]!, 0) / inside.length,
    };
  });
  const withheld = seconds.map((second) => second.withheld);
  const events = sensesOf(context.scope).includes('audio') ? withBorders(runs, context, withheld) : runs;

  return {
    task: 'localize',
    ...resultBase(context, missingTexts(context), withheld.filter(Boolean).length),
    classes: [...classes],
    events,
    seconds,
  };
}

/** What a missing sense means; nothing of one that does not count. */
function missingTexts({ scope }: ResultContext): { noAudio?: string; noPicture?: string } {
  const senses = sensesOf(scope);
  const event =
    senses.length > 1
      ? 'no event can be both seen and heard'
      : `nothing can be ${senses[0] === 'audio' ? 'heard' : 'seen'}`;
  return {
    ...(senses.includes('audio') && { noAudio: `The clip has no sound, so ${event}: localization found none.` }),
    ...(senses.includes('visual') && { noPicture: `The clip has no picture, so ${event}: localization found none.` }),
  };
}

/** The first of the largest. */
function argmax(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}

const backgroundOnly = (width: number) => Array.from({ length: width }, (_, index) => (index === width - 1 ? 1 : 0));
