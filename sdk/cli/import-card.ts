/** The card of an imported backbone: what it is, where its weights come from, and what who uses them must know. */

import { type PackageReport, speedText } from '../compile/variants-report.ts';
import type { BackboneManifest } from '../contract/manifest.ts';
import type { KeyStyle } from '../models/checkpoints/key-styles.ts';
import { presetSizes, sizesText } from '../models/checkpoints/sizes.ts';
import type { BackbonePreset } from '../models/presets.ts';
import { cardHead, cell } from './card-parts.ts';

export type Origin = {
  file: string;
  sha256: string;
  style: KeyStyle;
  /** As these weights want it fed. */
  preset: BackbonePreset;
  presetName: string;
  /** What the file says of itself. */
  notes: Readonly<Record<string, string>>;
};

/** `canary`: why there is none, or null. `note`: what else the card is to say. */
export type Made = { forms: string; report: PackageReport; canary: string | null; note: string | null };

/** The text of README.md. */
export function importCard(manifest: BackboneManifest, origins: readonly Origin[], made: Made): string {
  const { license, files } = manifest;
  const megabytes = (files.reduce((sum, file) => sum + file.bytes, 0) / 1e6).toFixed(1);
  return [
    ...cardHead(manifest),
    '',
    ...origins.flatMap((origin) => [networkText(origin), '']),
    ...origins.flatMap(({ style }) => (style.caveat ? [`**Note.** ${style.caveat}`, ''] : [])),
    '## Weights',
    '',
    ...origins.flatMap((origin) => [...originTable(origin, license), '']),
    `They are those of the checkpoint, brought into the form that the graph reads (${made.forms}); the classification head is left out.`,
    `Files: ${megabytes} MB.${errorText(made.report)}`,
    ...(made.canary
      ? ['', `There is no canary, so devices that compute wrongly are not found out: ${made.canary}.`]
      : []),
    '',
    speedText(made.report),
    '',
    ...(made.note ? [made.note, ''] : []),
  ].join('\n');
}

function networkText({ preset, presetName }: Origin): string {
  const network = preset.modality === 'visual' ? 'Swin-V2' : 'HTS-AT';
  return `${network} (preset \`${presetName}\`): ${sizesText(presetSizes(preset))}. Input: ${inputText(preset)}.`;
}

function originTable({ file, sha256, style, notes }: Origin, license: string): string[] {
  const text = Object.entries(notes).map(([key, value]) => `${key} = ${value}`);
  return [
    '| | |',
    '|---|---|',
    `| Checkpoint | ${cell(file)} |`,
    `| Its SHA-256 | \`${sha256}\` |`,
    `| Names of its tensors | ${style.title} |`,
    `| Licence | ${cell(license)} |`,
    ...(text.length > 0 ? [`| What it says of itself | ${code(text.join('; ').slice(0, longestNotes))} |`] : []),
  ];
}

/** Characters; files of strangers may say as much as they like. */
const longestNotes = 1000;

/** How far the forms are from float32; nothing where that is not at all, or was not measured. */
function errorText(report: PackageReport): string {
  const forms = Object.values(report).flatMap((part) => Object.values(part));
  const errors = forms.flatMap(({ outputs }) => Object.values(outputs).map(({ relativeError }) => relativeError));
  const largest = Math.max(0, ...errors);
  if (largest === 0) return '';
  return ` No tap differs from that of float32 by more than ${Number((100 * largest).toPrecision(2))} % (report.json).`;
}

function inputText({ modality, frontEnd }: BackbonePreset): string {
  if (modality === 'visual') return `pictures of ${frontEnd.width} x ${frontEnd.height} pixels`;
  const { sampleRate, repeat, hop, mels, minHz, maxHz, frames } = frontEnd;
  const repeated = repeat > 1 ? `, repeated ${repeat} times` : '';
  return `a second of sound at ${sampleRate} Hz${repeated}, as ${frames} frames of ${mels} mel bins (${minHz} to ${maxHz} Hz, hop ${hop})`;
}

/** Text from outside in a table, letter for letter but for what would end it. */
const code = (text: string): string => `\`${text.replace(/[\p{Cc}|`]/gu, ' ').trim() || 'nothing'}\``;
