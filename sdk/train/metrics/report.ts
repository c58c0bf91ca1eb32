/** A finished evaluation as the tables of the papers, as text for a terminal or as JSON. */

import { jsonText } from '../../contract/plain-text.ts';
import type { Split } from '../../contract/split.ts';
import { MettleError } from '../../errors.ts';
import { meanAveragePrecision } from './average-precision.ts';
import type { BorderFigures } from './borders.ts';
import type { EventFigures, OnlineFigures, SenseFigures } from './online.ts';
import type { ParsingFigures } from './parsing.ts';
import type { SegmentationFigures } from './segmentation.ts';
import type { SilenceFigures } from './silence.ts';

type Common = {
  /** Name of the data set, for people. */
  dataset: string;
  split: Split;
  clips: number;
  /** Average precision per class, 0 to 1, null where the class does not occur. */
  averagePrecision?: { label: string; value: number | null }[];
  /** What the finished adapter keeps silent about, and how its confidence fits. */
  silence?: SilenceFigures;
  /** How far its borders are off, where the data has finer ones than whole seconds. */
  borders?: BorderFigures;
  /** What it says of a running source, where that was asked for. */
  online?: OnlineFigures;
};

/** Figures of one split of a dataset, told apart by `task`. */
export type EvaluationReport = Common &
  (
    | {
        /** Tells reports apart. */
        task: 'localize';
        /** How labels were decoded: `argmax` over classes and background, or `gated` by an event score per second. */
        decoding: 'argmax' | 'gated';
        /** Percent of seconds. */
        accuracy: number;
      }
    | {
        /** Tells reports apart. */
        task: 'parse';
        /** Second by second, decoded with 0.5 for every class, as published. */
        segment: ParsingFigures;
        /** By events, decoded in the same way. */
        event: ParsingFigures;
        /** The same with a threshold per class that was chosen on the validation split; not comparable with published figures. */
        thresholded?: {
          /** One per class. */
          thresholds: {
            /** Of the class. */
            label: string;
            /** A probability, 0 to 1. */
            value: number;
          }[];
          /** Second by second. */
          segment: ParsingFigures;
          /** By events. */
          event: ParsingFigures;
        };
      }
    | ({
        /** Tells reports apart. */
        task: 'segment';
        /** Clips per batch; M_F depends on it. */
        batchClips: number;
      } & SegmentationFigures)
  );

/**
 * The report as text (tables with one decimal, as printed in papers) or as JSON with all digits.
 *
 * @example
 * console.log(formatReport({ task: 'segment', dataset: 'S4', split: 'test', clips: 740, batchClips: 4, mJ: 0.5, mF: 0.6 }));
 */
export function formatReport(report: EvaluationReport, format: 'text' | 'json' = 'text'): string {
  if (format === 'json') return jsonText(report, 2);
  if (format !== 'text') {
    throw new MettleError('invalid-argument', `format must be "text" or "json", got "${String(format)}".`);
  }
  const { dataset, split, clips, averagePrecision = [] } = report;
  const lines = [`${dataset}, ${split} split, ${clips} clips`, '', ...figures(report)];
  if (averagePrecision.length > 0) {
    const mean = meanAveragePrecision(averagePrecision.map(({ value }) => value));
    lines.push(
      '',
      ...table([
        ['Average precision', ''],
        ...averagePrecision.map(({ label, value }) => [label, share(value)]),
        ['mean', share(mean)],
      ]),
    );
  }
  if (report.silence) lines.push('', ...silenceTable(report.silence));
  if (report.borders) lines.push('', ...bordersTable(report.borders));
  if (report.online) lines.push('', ...onlineTable(report.online, report.task === 'parse'));
  return `${lines.join('\n')}\n`;
}

function silenceTable({ clips, rightLost, wrongWithheld, calibrationError }: SilenceFigures): string[] {
  return [
    ...table([
      ['Right answers withheld', share(rightLost)],
      ['Wrong answers withheld', share(wrongWithheld)],
      ['Calibration error', share(calibrationError.after)],
      ['as the network says it', share(calibrationError.before)],
    ]),
    `(${clips} clips; expected calibration error of ${calibrationError.bins} bins)`,
  ];
}

function bordersTable({ onsets, onset, ends, end }: BorderFigures): string[] {
  const time = (value: number | null): string => (value === null ? '-' : `${value.toFixed(3)} s`);
  return [
    ...table([
      ['Median error of', 'whole seconds', 'border head'],
      ['onsets', time(onset.coarse), time(onset.fine)],
      ['ends', time(end.coarse), time(end.fine)],
    ]),
    `(of ${onsets} onsets and ${ends} ends of events that were found)`,
  ];
}

/** Of localization only what is both at once is told: it has no other events. */
function onlineTable({ context, published, told }: OnlineFigures, bySense: boolean): string[] {
  const cells = ({ audio, visual, audioVisual }: SenseFigures): string[] =>
    (bySense ? [audio, visual, audioVisual] : [audioVisual]).map(percent);
  const kinds = { segment: 'Segments', event: 'Events', eventMean: 'Events, mean' } as const;
  const headers = Object.values(kinds).flatMap((kind) => (bySense ? [`${kind}: A`, 'V', 'AV'] : [kind]));
  const row = (name: string, figures: EventFigures): string[] => [
    name,
    ...(Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) => cells(figures[kind])),
  ];
  return [
    ...table([
      ['', ...headers],
      row('Offline, as published', published.offline),
      row('Online, as published', published.online),
      row('Offline, as told', told.offline),
      row('Online, as told', told.online),
    ]),
    `(F in percent; online: of each second at its end, ${context} s remembered; events overlap by half, mean: by 0.1 to 0.9)`,
  ];
}

function figures(report: EvaluationReport): string[] {
  if (report.task === 'localize') {
    const how = report.decoding === 'gated' ? 'gated by the event score' : 'argmax over classes and background';
    return [...table([['Accuracy', percent(report.accuracy)]]), `(${how})`];
  }
  if (report.task === 'segment') {
    return [
      ...table([
        ['M_J', share(report.mJ)],
        ['M_F', share(report.mF)],
      ]),
      `(M_F: best threshold per batch of ${report.batchClips} clips)`,
    ];
  }
  const row = (name: string, f: ParsingFigures) => [
    name,
    ...[f.audio, f.visual, f.audioVisual, f.typeAV, f.eventAV].map(percent),
  ];
  const tableOf = ({ segment, event }: { segment: ParsingFigures; event: ParsingFigures }): string[] =>
    table([
      ['', 'Audio', 'Visual', 'Audio-Visual', 'Type@AV', 'Event@AV'],
      row('Segment-level', segment),
      row('Event-level', event),
    ]);
  const { thresholded, split } = report;
  if (!thresholded) return tableOf(report);
  return [
    ...tableOf(report),
    '(threshold 0.5 for every class, as published)',
    '',
    ...tableOf(thresholded),
    `(a threshold per class, chosen on the validation split${split === 'val' ? ', which this is, so it flatters' : ''}; not the published evaluation)`,
  ];
}

const percent = (value: number) => value.toFixed(1);
const share = (value: number | null) => (value === null ? '-' : percent(100 * value));

/** Columns side by side: the first to the left, the others to the right. */
export function table(rows: string[][]): string[] {
  const widths = rows.reduce<number[]>((widest, row) => {
    row.forEach((cell, column) => {
      widest[column] = Math.max(widest[column] ?? 0, cell.length);
    });
    return widest;
  }, []);
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
