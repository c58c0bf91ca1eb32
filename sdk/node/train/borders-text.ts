/** What a card and figures say of borders inside of seconds. */
import type { AdapterManifest } from '../../contract/manifest.ts';
import type { Bordered } from '../../train/borders/train-borders.ts';
import type { EvaluationReport } from '../../train/metrics/report.ts';
import { withSection } from './card-section.ts';

const heading = '## How finely it tells times';

/** Reports with the borders of their split. */
export const withBorders = (reports: readonly EvaluationReport[], figures: Bordered['figures']): EvaluationReport[] =>
  reports.map((report) => ({ ...report, borders: figures[report.split] }));

/** The card with this section in place of an earlier one, else before its files. */
export const withBorderSection = (card: string, manifest: AdapterManifest, figures: Bordered['figures']): string =>
  withSection(card, heading, borderLines(manifest, figures));

/** The section, with an empty line at its end. */
export function borderLines({ borders }: AdapterManifest, figures: Bordered['figures']): string[] {
  if (!borders) return [heading, '', 'In whole seconds: it has no border head.', ''];
  const time = (value: number | null): string => (value === null ? '-' : `${value.toFixed(3)} s`);
  const rows = (['val', 'test'] as const).flatMap((split) => {
    const found = figures[split];
    if (!found) return [];
    const { onsets, onset, ends, end } = found;
    const cells = [split, onsets, time(onset.coarse), time(onset.fine), ends, time(end.coarse), time(end.fine)];
    return [`| ${cells.join(' | ')} |`];
  });
  return [
    heading,
    '',
    `What is heard begins and ends on ${borders.steps} parts of a second where a small head over ${borders.reads.join(', ')} hears it begin and end, else on whole seconds; each event says` +
      ' its `resolution`. What is seen is told in whole seconds.',
    '',
    '| split | onsets | median error in whole seconds | with the head | ends | in whole seconds | with the head |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    'Of heard events that it found by itself, against exact times; borders at the edges of clips do not count.',
    '',
  ];
}
