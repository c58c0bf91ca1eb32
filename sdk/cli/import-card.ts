/** The card of an imported backbone: what it is, where its weights come from, and what who uses them must know. */
import { type PackageReport, speedText } from '../compile/variants-report.ts';
import type { BackboneManifest } from '../hub/manifest.ts';
import type { KeyStyle } from '../models/checkpoints/key-styles.ts';
import { presetSizes, sizesText } from '../models/checkpoints/sizes.ts';
import type { BackbonePreset } from '../models/presets.ts';

export type Origin = { file: string; sha256: string; style: KeyStyle; presetName: string; forms: string };

/** The text of README.md. */
export function importCard(
  manifest: BackboneManifest,
  preset: BackbonePreset,
  origin: Origin,
  report: PackageReport,
): string {
  const { id, version, license, files } = manifest;
  const megabytes = (files.reduce((sum, file) => sum + file.bytes, 0) / 1e6).toFixed(1);
  const network = preset.modality === 'visual' ? 'Swin-V2' : 'HTS-AT';
  return [
    '---',
    `license: ${JSON.stringify(license)}`,
    'tags: [mettle-edge, audio-visual]',
    '---',
    `# ${id} ${version}`,
    '',
    `${network} (preset \`${origin.presetName}\`): ${sizesText(presetSizes(preset))}. Input: ${inputText(preset)}.`,
    '',
    ...(origin.style.caveat ? [`**Note.** ${origin.style.caveat}`, ''] : []),
    '## Weights',
    '',
    '| | |',
    '|---|---|',
    `| Checkpoint | ${cell(origin.file)} |`,
    `| Its SHA-256 | \`${origin.sha256}\` |`,
    `| Names of its tensors | ${origin.style.title} |`,
    `| Licence | ${cell(license)} |`,
    '',
    `They are those of the checkpoint, brought into the form that the graph reads (${origin.forms}); the classification head is left out.`,
    `Files: ${megabytes} MB.`,
    '',
    speedText(report),
    '',
  ].join('\n');
}

function inputText({ modality, frontEnd }: BackbonePreset): string {
  if (modality === 'visual') return `pictures of ${frontEnd.width} x ${frontEnd.height} pixels`;
  const { sampleRate, repeat, hop, mels, minHz, maxHz, frames } = frontEnd;
  const repeated = repeat > 1 ? `, repeated ${repeat} times` : '';
  return `a second of sound at ${sampleRate} Hz${repeated}, as ${frames} frames of ${mels} mel bins (${minHz} to ${maxHz} Hz, hop ${hop})`;
}

/** Text from outside in a table. */
const cell = (text: string): string => text.replace(/[\p{Cc}|`<>[\]\\]/gu, ' ').trim() || 'unnamed';
