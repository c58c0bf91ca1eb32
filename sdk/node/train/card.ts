/** What lies beside a trained adapter's graphs, written from what was measured: the model card, and PEFT's configuration file. */
import type { AdapterManifest } from '../../hub/manifest.ts';
import { sdkVersion } from '../../hub/version.ts';
import type { AdapterConfig } from '../../models/adapter.ts';
import { type EvaluationReport, formatReport } from '../../train/metrics/report.ts';
import type { TrainedAdapter } from '../../train/train-adapter.ts';

export type CardFacts = {
  manifest: AdapterManifest;
  config: AdapterConfig;
  trained: TrainedAdapter;
  reports: readonly EvaluationReport[];
  dataset: { name: string; format: string; clips: Record<string, number> };
  /** The command line that trains it again. */
  command: string;
  device: string;
  minutes: number;
};

export function modelCard(facts: CardFacts): string {
  const { manifest, config, trained, reports, dataset, command, device, minutes } = facts;
  const { skipped, result, policy } = trained;
  const lines = [
    '---',
    `license: ${manifest.license.toLowerCase()}`,
    `base_model: ${manifest.base.id}`,
    'tags: [mettle-edge, audio-visual, meta-tokens]',
    `datasets: [${dataset.name}]`,
    '---',
    `# ${manifest.id} ${manifest.version}`,
    '',
    `A Mettle adapter for ${manifest.task} on the backbone "${manifest.base.id}", which stays as it is.`,
    '',
    '## Measured',
    '',
    ...(reports.length > 0
      ? reports.flatMap((report) => ['```', formatReport(report).trimEnd(), '```', ''])
      : ['Nothing: the dataset has no validation or test clips.', '']),
    'The weights were selected on the validation split; the test split was used once, at the end.',
    ...(manifest.thresholds
      ? [
          '',
          'Probability from which a class counts, chosen on the validation split: ' +
            `${manifest.classes.map((label, c) => `${label} ${manifest.thresholds![c]}`).join(', ')}.`,
        ]
      : []),
    '',
    '## Trained on',
    '',
    `${dataset.name} (layout ${dataset.format}): ${Object.entries(dataset.clips)
      .map(([split, n]) => `${n} ${split}`)
      .join(', ')} clips` +
      `${skipped.length > 0 ? `, ${skipped.length} more could not be decoded and were left out` : ''}.`,
    '',
    '```sh',
    command,
    '```',
    '',
    `${result.last.step} steps on ${device} in ${minutes.toFixed(1)} minutes. Features: ${policy.reason}.`,
    `Meta-tokens per block: ${config.distill.tokens}; blocks read: ${manifest.segment.reads.length} taps (${config.taps}); common width ${config.distill.width}; ` +
      `seconds seen at once: ${config.segments}; paths: ${config.distill.paths}.`,
    '',
    '## Limits',
    '',
    'It knows only what its training clips show. Figures on other material will differ; measure with `mettle eval`.',
    '',
  ];
  return lines.join('\n');
}

/** The three keys that tools of Hugging Face PEFT look for, and ours. */
export function adapterConfigJson({ manifest, config, trained }: CardFacts): string {
  const fields = {
    peft_type: 'METTLE',
    base_model_name_or_path: manifest.base.id,
    task_type: manifest.task,
    sdk_version: sdkVersion,
    config,
    taps: manifest.segment.reads,
    thresholds: manifest.thresholds,
    best: trained.result.best,
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}
