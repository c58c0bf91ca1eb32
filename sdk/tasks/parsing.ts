/** Audio-visual video parsing: probabilities per second and modality -> which events are heard, which seen, which both. */
import type { AdapterOutputs } from '../contract/model.ts';
import { MettleError } from '../errors.ts';
import { checkContext, type ResultContext, readOutput, spanOf, warningsFor } from './context.ts';
import { maximalRuns } from './runs.ts';
import type { ParsedEvent, ParsingResult, ParsingSecond } from './types.ts';

export type ParsingOptions = {
  /** Probability from which a class counts, 0 to 1: one for all, or one per class in the order of `classes`. Default 0.5. */
  threshold?: number | readonly number[];
};

/**
 * Reads the clip outputs `audio`, `visual` (probability per second) and `audioClip`, `visualClip` (probability for the whole clip, repeated per second),
 * each [segments, classes]. A class is active in a second where both its own and the clip's probability reach the threshold, as the evaluation of LLP
 * prescribes; maximal runs are events. Where a class is active in both modalities it also gives an `audio-visual` event, whose probability per second is
 * the product of the two. A modality that the clip lacks has probability 0 and no event.
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
  };

  const seconds = audio.probabilities.map(
    (row, second): ParsingSecond => ({
      ...spanOf(context, second),
      audio: row,
      visual: visual.probabilities[second]!,
    }),
  );
  const events = [
    ...eventsOf(audio, 'audio', context),
    ...eventsOf(visual, 'visual', context),
    ...eventsOf(both, 'audio-visual', context),
  ].sort((a, b) => a.start - b.start || ORDER[a.modality] - ORDER[b.modality] || a.classIndex - b.classIndex);

  return {
    task: 'parse',
    adapter: context.adapter,
    duration: context.duration,
    untrained: context.untrained,
    warnings: warningsFor(context, {
      noAudio: 'The clip has no sound: parsing found only what is seen.',
      noPicture: 'The clip has no picture: parsing found only what is heard.',
    }),
    classes: [...classes],
    events,
    seconds,
  };
}

/** Both [segments][classes]. */
type Modality = { probabilities: number[][]; active: boolean[][] };

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
  if (!present) {
    return {
      probabilities: rows.map(() => thresholds.map(() => 0)),
      active: rows.map(() => thresholds.map(() => false)),
    };
  }
  return {
    probabilities: rows.map((row) => thresholds.map((_, c) => toProbability(frame[row * width + c]!))),
    active: rows.map((row) =>
      thresholds.map((limit, c) => frame[row * width + c]! >= limit && clip[row * width + c]! >= limit),
    ),
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
        confidence: inside.reduce((a, b) => a + b, 0) / inside.length,
      };
    }),
  );
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

/** Some heads weight their sigmoid and leave the range. */
const toProbability = (value: number) => Math.min(1, Math.max(0, value));
