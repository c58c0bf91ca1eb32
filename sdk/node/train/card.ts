/** What lies beside a trained adapter's graphs, written from what was measured: the model card, and PEFT's configuration file. */
import { largestError, speedText } from '../../compile/variants-report.ts';
import type { AdapterManifest, GraphFiles, Integrity } from '../../contract/manifest.ts';
import { sdkVersion } from '../../contract/version.ts';
import type { AdapterConfig } from '../../models/adapter.ts';
import { sensesOf } from '../../tasks/silence.ts';
import type { TrainedAdapter } from '../../train/adapter/training.ts';
import { type EvaluationReport, formatReport } from '../../train/metrics/report.ts';
import { borderLines } from './borders-text.ts';
import { silenceLines } from './silence-text.ts';

export type CardFacts = {
  manifest: AdapterManifest;
  config: AdapterConfig;
  trained: TrainedAdapter;
  reports: readonly EvaluationReport[];
  dataset: {
    name: string;
    format: string;
    clips: Record<string, number>;
    /** The command that makes the same data again, where a generator made it; else null. */
    generator: string | null;
  };
  /** `digest`, of its manifest.json, is null for a pair, which has two. */
  backbone: { version: string; digest: Integrity | null; untrained: boolean };
  /** The command line that trains it again. */
  command: string;
  device: string;
  minutes: number;
  /** What else the card is to say. */
  note: string | null;
};

export function modelCard(facts: CardFacts): string {
  const { manifest, dataset } = facts;
  return [
    '---',
    `license: ${manifest.license.toLowerCase()}`,
    `base_model: ${manifest.base.id}`,
    'tags: [mettle-edge, audio-visual, meta-tokens]',
    `datasets: [${dataset.generator ? 'toybox' : JSON.stringify(dataset.name)}]`,
    '---',
    `# ${manifest.id} ${manifest.version}`,
    '',
    `A Mettle adapter for \`${manifest.task}\` on the backbone "${manifest.base.id}", which stays as it is.`,
    '',
    ...whatItDoes(facts),
    '## Measured',
    '',
    ...measured(facts),
    ...silenceLines(manifest, facts.trained.silence ?? {}),
    ...(manifest.borders ? borderLines(manifest, facts.trained.borders ?? {}) : []),
    '## Files',
    '',
    ...filesText(facts),
    '## Trained on',
    '',
    ...trainedOn(facts),
    '## Limits',
    '',
    ...limits(facts),
    ...(facts.note ? [facts.note, ''] : []),
  ].join('\n');
}

const does: Record<AdapterManifest['task'], string> = {
  localize: 'Tells of each second which one of its classes there is, or that none is.',
  parse: 'Tells of each second which of its classes are heard and which are seen.',
  segment: 'Draws for each second a mask of what makes the sound. It names nothing.',
};

const bothAtOnce = 'Tells of each second which one of its classes is seen and heard at once, or that none is.';

const cannot: Record<AdapterManifest['task'], string> = {
  localize:
    'One class per second at most, and not where in the picture. Unless one sense alone decides, what is seen and silent, or heard and out of view, counts as background.',
  parse: 'It does not tell where in the picture something is, nor two things of one class apart.',
  segment: 'One mask per second: it does not tell two things that sound at once apart.',
};

const sees = { both: 'one picture and the sound', visual: 'one picture', audio: 'the sound' };

function whatItDoes({ manifest, config }: CardFacts): string[] {
  const { task, classes, scope } = manifest;
  return [
    task === 'localize' && sensesOf(scope).length > 1 ? bothAtOnce : does[task],
    ...(classes.length > 0 ? ['', `Classes: ${classes.join(', ')}.`] : []),
    '',
    `It looks at ${sees[config.senses ?? 'both']} of each second${task === 'segment' ? '' : `, and at ${config.segments} seconds at once`}.`,
    '',
  ];
}

function measured({ manifest, reports }: CardFacts): string[] {
  const figures = reports.flatMap((report) => ['```', formatReport(report).trimEnd(), '```', '']);
  const chosen = manifest.classes.map((label, c) => `${label} ${manifest.thresholds?.[c]}`).join(', ');
  return [
    ...(figures.length > 0 ? figures : ['Nothing: the dataset has no validation or test clips.', '']),
    'The weights were selected on the validation split; the test split was used once, at the end. Figures are those of the graph that was trained, in float32; ' +
      '`mettle eval` judges the files as they are here.',
    '',
    ...(manifest.thresholds
      ? [`Probability from which a class counts, chosen on the validation split: ${chosen}.`, '']
      : []),
  ];
}

function filesText({ manifest, trained: { report, refused } }: CardFacts): string[] {
  const kilobytes = Math.round(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1000);
  const graphs = Object.values(manifest.variants).flatMap((parts) => Object.values<GraphFiles | null>(parts));
  const precisions = new Set(graphs.flatMap((graph) => (graph ? [graph.precision ?? 'float32'] : [])));
  const error = largestError(report);
  const off =
    error === 0 ? '' : ` No output differs from that of float32 by more than ${percent(error)} (report.json).`;
  const speed = speedText(report);
  return [
    `${kilobytes} kB, ${[...precisions].join(' and ')}.${off}`,
    ...(refused === null
      ? []
      : ['', `In 8 bits an output would differ by ${percent(refused)}, so weights stayed float32.`]),
    ...(speed ? ['', speed] : []),
    '',
  ];
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;

function trainedOn({ manifest, config, trained, dataset, backbone, command, device, minutes }: CardFacts): string[] {
  const { skipped, result, policy } = trained;
  const clips = Object.entries(dataset.clips).map(([split, n]) => `${n} ${split}`);
  const lost = skipped.length > 0 ? `, ${skipped.length} more could not be decoded and were left out` : '';
  const { distill } = config;
  return [
    `${dataset.name} (layout ${dataset.format}): ${clips.join(', ')} clips${lost}.`,
    '',
    '```sh',
    ...(dataset.generator ? [dataset.generator] : []),
    command,
    '```',
    '',
    `${result.last.step} steps on ${device} in ${minutes.toFixed(1)} minutes; the weights are those after step ${(result.best ?? result.last).step}. ` +
      `Features: ${policy.reason}.`,
    `${distill.paths === 'none' ? 'No meta-tokens' : `Meta-tokens per block: ${distill.tokens}`}; blocks read: ${manifest.segment.reads.length} taps ` +
      `(${config.taps}); common width ${distill.width}; seconds seen at once: ${config.segments}; paths: ${distill.paths}.`,
    '',
    `Backbone: "${manifest.base.id}" ${backbone.version}${backbone.untrained ? ', whose weights are noise' : ''}. ` +
      `What it takes, computes with and gives (the contract): \`${manifest.base.contract}\`. ` +
      `${backbone.digest ? `Its manifest.json here: \`${backbone.digest}\`. ` : ''}In another form of the same weights it serves as well; with other weights the adapter is refused.`,
    '',
  ];
}

function limits({ manifest, dataset }: CardFacts): string[] {
  return [
    cannot[manifest.task],
    '',
    dataset.generator
      ? 'Its clips are drawn figures with synthesised sounds. It knows those, and no others: of films of the real world it tells nothing that can be relied on.'
      : 'It knows only what its training clips show. Figures on other material will differ; measure with `mettle eval`.',
    '',
  ];
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
