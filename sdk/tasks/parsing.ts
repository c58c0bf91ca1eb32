/** Audio-visual video parsing: probabilities per second and modality -> which events are heard, which seen, which both. */
import type { AdapterOutputs } from '../contract/model.ts';
import { MettleError } from '../errors.ts';
import { wholeSecond, withBorders } from './borders.ts';
import { calibrated, temperatureOf } from './calibration.ts';
import { checkContext, type ResultContext, readOutput, resultBase, spanOf } from './context.ts';
import { maximalRuns } from './runs.ts';
import { familiarityOf, isWithheld, leastConfidence } from './silence.ts';
import type { ParsedEvent, ParsingResult, ParsingSecond } from './types.ts';

export type ParsingOptions = {
  /** Probability, as the network says it, from which a class counts, 0 to 1: one for all, or one per class in the order of `classes`. Default 0.5. */
  threshold?: number | readonly number[];
};

/**
 * Reads the clip outputs `audio`, `visual` (probability per second) and `audioClip`, `visualClip` (probability for the whole clip, repeated per second),
 * each [segments, classes]. A class is active in a second where both its own and the clip's probability reach the threshold, as the evaluation of LLP
 * prescribes; maximal runs are events. Where a class is active in both modalities it also gives an `audio-visual` event, whose probability per second is
 * the product of the two. A modality that the clip lacks has probability 0 and no event, and so has one of an unfamiliar second, unless the caller wants to see it.
 * @throws MettleError `incompatible` if an output is missing or has another shape, `invalid-argument` for a wrong threshold
 */
export function toParsing(
  outputs: AdapterOutputs,
  context: ResultContext,
  options: ParsingOptions = {},
): ParsingResult {
  checkContext(context);
  const { classes } = context;
  const thresholds = thresholdsFor(classes, options.threshold ?? 0.5);
  const audio = readModality(outputs, context, 'audio', context.hasAudio, thresholds);
  const visual = readModality(outputs, context, 'visual', context.hasPicture, thresholds);
  const both: Modality = {
    probabilities: audio.probabilities.map((row, second) => row.map((p, c) => p * visual.probabilities[second]![c]!)),
    active: audio.active.map((row, second) => row.map((on, c) => on && visual.active[second]![c]!)),
    familiarity: [],
    withheld: [],
  };

  const seconds = audio.probabilities.map(
    (row, second): ParsingSecond => ({
      ...spanOf(context, second),
      audio: row,
      visual: visual.probabilities[second]!,
      familiarity: { audio: audio.familiarity[second]!, visual: visual.familiarity[second]! },
      withheld: { audio: audio.withheld[second]!, visual: visual.withheld[second]! },
    }),
  );
  const heard = withBorders(eventsOf(audio, 'audio', context), context, audio.withheld);
  const events = [
    ...heard,
    ...eventsOf(visual, 'visual', context),
    ...eventsOf(both, 'audio-visual', context).map((event) => whileHeard(event, heard)),
  ].sort((a, b) => a.start - b.start || ORDER[a.modality] - ORDER[b.modality] || a.classIndex - b.classIndex);

  return {
    task: 'parse',
    ...resultBase(
      context,
      {
        noAudio: 'The clip has no sound: parsing found only what is seen.',
        noPicture: 'The clip has no picture: parsing found only what is heard.',
      },
      seconds.filter(({ withheld }) => withheld.audio || withheld.visual).length,
    ),
    classes: [...classes],
    events,
    seconds,
  };
}

/** `probabilities` and `active` [segments][classes], the others [segments]. */
type Modality = { probabilities: number[][]; active: boolean[][]; familiarity: (number | null)[]; withheld: boolean[] };

const ORDER: Record<ParsedEvent['modality'], number> = { audio: 0, visual: 1, 'audio-visual': 2 };

function readModality(
  outputs: AdapterOutputs,
  context: ResultContext,
  name: 'audio' | 'visual',
  present: boolean,
  thresholds: readonly number[],
): Modality {
  const { adapter, segments } = context;
  const width = context.classes.length;
  const frame = readOutput(adapter, outputs, name, [segments, width]).data;
  const clip = readOutput(adapter, outputs, `${name}Clip`, [segments, width]).data;
  const rows = Array.from({ length: segments }, (_, row) => row);
  const silence = { probabilities: thresholds.map(() => 0), active: thresholds.map(() => false) };
  const temperature = temperatureOf(context.calibration, name);
  const said = rows.map((row) => {
    if (!present) return { ...silence, familiarity: null, withheld: false };
    const familiarity = familiarityOf(context, row, name);
    const probabilities = thresholds.map((_, c) => calibrated(frame[row * width + c]!, temperature));
    const active = thresholds.map(
      (limit, c) =>
        Math.min(frame[row * width + c]!, clip[row * width + c]!) >= limit && probabilities[c]! >= leastConfidence,
    );
    if (!isWithheld(context, familiarity)) return { probabilities, active, familiarity, withheld: false };
    return { ...silence, familiarity, withheld: active.includes(true) };
  });
  return {
    probabilities: said.map(({ probabilities }) => probabilities),
    active: said.map(({ active }) => active),
    familiarity: said.map(({ familiarity }) => familiarity),
    withheld: said.map(({ withheld }) => withheld),
  };
}

function eventsOf(modality: Modality, name: ParsedEvent['modality'], context: ResultContext): ParsedEvent[] {
  return context.classes.flatMap((label, classIndex) =>
    maximalRuns(modality.active.map((row) => (row[classIndex] ? true : null))).map(({ first, end }): ParsedEvent => {
      const inside = modality.probabilities.slice(first, end).map((row) => row[classIndex]!);
      return {
        modality: name,
        label,
        classIndex,
        start: spanOf(context, first).start,
        end: spanOf(context, end - 1).end,
        resolution: wholeSecond,
        confidence: inside.reduce((a, b) => a + b, 0) / inside.length,
      };
    }),
  );
}

/** What is seen and heard lasts no longer than what is heard; when it is seen is known in whole seconds. */
function whileHeard(event: ParsedEvent, heard: readonly ParsedEvent[]): ParsedEvent {
  const middle = (event.start + event.end) / 2;
  const own = heard.find(
    ({ classIndex, start, end }) => classIndex === event.classIndex && start <= middle && middle <= end,
  );
  return own ? { ...event, start: Math.max(event.start, own.start), end: Math.min(event.end, own.end) } : event;
}

function thresholdsFor(classes: readonly string[], threshold: number | readonly number[]): readonly number[] {
  const list = typeof threshold === 'number' ? classes.map(() => threshold) : threshold;
  if (list.length !== classes.length) {
    throw new MettleError(
      'invalid-argument',
      `options.threshold must hold one number per class, ${classes.length} in all, got ${list.length}.`,
    );
  }
  const bad = list.find((value) => !(value >= 0 && value <= 1));
  if (bad !== undefined) {
    throw new MettleError('invalid-argument', `options.threshold must lie between 0 and 1, got ${bad}.`);
  }
  // Outputs are float32: a probability of exactly 0.7 must reach a threshold of 0.7.
  return list.map(Math.fround);
}
