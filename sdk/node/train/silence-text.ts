/** What a card and figures say of familiarity, calibration and scope. */
import type { AdapterManifest } from '../../contract/manifest.ts';
import type { Split } from '../../contract/split.ts';
import { leastConfidence } from '../../tasks/silence.ts';
import type { EvaluationReport } from '../../train/metrics/report.ts';
import type { SilenceFigures } from '../../train/metrics/silence.ts';
import { withSection } from './card-section.ts';

type BySplit = Partial<Record<Split, SilenceFigures>>;

const heading = '## What it answers for, and when it keeps silent';

/** Reports with the silence of their split. */
export const withSilence = (reports: readonly EvaluationReport[], figures: BySplit): EvaluationReport[] =>
  reports.map((report) => ({ ...report, silence: figures[report.split] }));

/** The card with this section in place of an earlier one, else before its files. */
export const withSilenceSection = (card: string, manifest: AdapterManifest, figures: BySplit): string =>
  withSection(card, heading, silenceLines(manifest, figures));

/** The section, with an empty line at its end. */
export function silenceLines({ scope, familiarity, task }: AdapterManifest, figures: BySplit): string[] {
  const senses = { audio: 'what is heard', visual: 'what is seen' };
  const rows = (['val', 'test'] as const).flatMap((split) => (figures[split] ? [row(split, figures[split])] : []));
  return [
    heading,
    '',
    ...(scope
      ? [
          `**Its world.** ${scope.world}`,
          '',
          `**What decides.** ${scope.senses.map((sense) => senses[sense]).join(' and ')}.`,
          '',
          `**What it does not know.** ${scope.unknown}`,
          '',
        ]
      : []),
    ...(familiarity
      ? [
          `A second is _familiar_ by the share of validation seconds that are less like the training clips; below ${familiarity.least.toFixed(3)} its answers are withheld` +
            ` and counted, unless the caller asks for them${task === 'parse' ? ', each sense by itself' : ''}.${task === 'segment' ? '' : ` Labels below a confidence of ${leastConfidence} are not given.`}`,
          '',
        ]
      : ['It has no measure of familiarity: what is unlike its training clips is answered all the same.', '']),
    ...(rows.length > 0
      ? [
          '| split | clips | answers | right ones withheld | wrong ones withheld | calibration error before | after |',
          '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
          ...rows,
          '',
          'Calibration error: expected, 15 bins of equal width, of the answers that are given; _before_ is what the network says, with nothing withheld.',
          '',
        ]
      : []),
  ];
}

function row(split: Split, { clips, answers, rightLost, wrongWithheld, calibrationError }: SilenceFigures): string {
  const share = (value: number | null): string => (value === null ? '-' : `${(100 * value).toFixed(1)} %`);
  const cells = [split, clips, answers, share(rightLost), share(wrongWithheld)];
  return `| ${[...cells, share(calibrationError.before), share(calibrationError.after)].join(' | ')} |`;
}
