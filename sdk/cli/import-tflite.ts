/** The part of "backbone import" that takes a TensorFlow Lite file: converts it, tells what was made of it, and taps it as "backbone tap" does. */

import { createHash } from 'node:crypto';
import type { FrontEndSource } from '../compile/tapped.ts';
import type { TfliteBackbone } from '../compile/tflite.ts';
import type { BackboneManifest } from '../contract/manifest.ts';
import { savePackage } from '../node/files/save-package.ts';
import { cardHead, cell } from './card-parts.ts';
import { type FrontEndValues, givenFrontEnd, readFrontEnd } from './front-end-options.ts';
import { usageError } from './options.ts';
import { candidatesText, tapsText } from './tapped-text.ts';
import { oneLine } from './terminal.ts';
import type { Io } from './types.ts';

export type TfliteImport = {
  bytes: Uint8Array;
  /** What the file is called. */
  where: string;
  id: string;
  license: string;
  /** Values to be tapped; none stands for the ends of its blocks. */
  taps: readonly string[];
  frontEnd: FrontEndValues;
  /** Text for the card. */
  note: string | null;
  quiet: boolean;
};

const command = 'backbone import';

/** Prints what could be a tap. Throws what `openTflite` and `listTaps` throw. */
export async function listTflite(source: Pick<TfliteImport, 'bytes' | 'where' | 'frontEnd'>, io: Io): Promise<void> {
  const opened = await open(source);
  const { listTaps, shapeFed } = await import('../compile/tapped.ts');
  const { network } = opened;
  const shape = shapeFed(network, await frontEndOf(opened, source.frontEnd));
  io.stdout.write(candidatesText(await listTaps({ network, ort: await loadOrt() }, shape)));
  io.stdout.write(untranslatedText(opened));
}

/** Writes the package into `out`, whole or not at all. Throws what `openTflite` and `tapBackbone` throw. */
export async function importTflite(source: TfliteImport, out: string, io: Io): Promise<BackboneManifest> {
  const opened = await open(source);
  const { chooseTaps } = await import('../compile/tflite.ts');
  const { tapBackbone } = await import('../compile/tapped.ts');
  const { manifestText, withDocuments } = await import('../compile/package.ts');
  const { id, license, bytes, where, note } = source;
  const taps = chooseTaps(opened, source.taps);
  const frontEnd = await frontEndOf(opened, source.frontEnd);
  io.signal.throwIfAborted();
  const made = { ...frontEnd, id, version: '1.0.0', license, taps };
  const { manifest, files } = await tapBackbone(made, { network: opened.network, ort: await loadOrt() });
  const told = await replacedText(opened);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const card = new TextEncoder().encode(cardText(manifest, { where, sha256, told, note }));
  const finished = await withDocuments(manifest, { 'README.md': card });
  const text = new TextEncoder().encode(manifestText(finished));
  io.signal.throwIfAborted();
  await savePackage(out, { ...files, 'README.md': card, 'manifest.json': text });
  if (!source.quiet) {
    io.stdout.write(`${oneLine(where)}, SHA-256 ${sha256}\n${told}${untranslatedText(opened)}${tapsText(finished)}`);
    io.stdout.write(`Written: ${oneLine(out)}\n`);
    if (license === 'unknown') io.stdout.write('Its licence is noted as unknown; name it with --license.\n');
  }
  return finished;
}

async function open({ bytes, where }: Pick<TfliteImport, 'bytes' | 'where'>): Promise<TfliteBackbone> {
  const { openTflite } = await import('../compile/tflite.ts');
  return openTflite(bytes, where);
}

async function loadOrt() {
  const { runtimes } = await import('../node/runtimes.ts');
  return (await runtimes.loadRuntime({ device: 'auto' })).ort;
}

/** What the file says of itself, where no option does; of pictures that it takes as floats an option must. */
async function frontEndOf(opened: TfliteBackbone, values: FrontEndValues): Promise<FrontEndSource> {
  const given = givenFrontEnd(values);
  if (opened.frontEnd && given.length === 0) return opened.frontEnd;
  if (opened.replaced) {
    throw usageError(`--${given[0]}: the file has an audio front end, which says all of its input.`, command);
  }
  const { picture } = opened;
  const known = opened.frontEnd?.modality === 'visual' ? opened.frontEnd.frontEnd : null;
  const isSaid = values['front-end'] ?? (values.mean && values.std);
  if (picture && !known && !isSaid) {
    throw usageError(
      'The file takes pictures as floats and does not say how they are scaled: give --mean and --std, e.g. 0.5,0.5,0.5 for values from -1 to 1.',
      command,
    );
  }
  const size = (): [number, number] => {
    if (picture) return [picture.width, picture.height];
    throw usageError(
      'The file does not take RGB pictures: say what it takes with --modality and --front-end.',
      command,
    );
  };
  return await readFrontEnd(values, { size, mean: String(known?.mean), std: String(known?.std) }, command);
}

async function replacedText({ replaced, frontEnd }: TfliteBackbone): Promise<string> {
  if (!replaced || frontEnd?.modality !== 'audio') return '';
  const { frontEndText } = await import('../compile/tflite.ts');
  return `The audio front end in the file was recognised and is left out; this package's own takes its place: ${frontEndText(frontEnd.frontEnd)}.\n`;
}

const untranslatedText = ({ untranslated }: TfliteBackbone): string =>
  untranslated.length === 0
    ? ''
    : `Left out, with what depends on them, since they have no translation: ${oneLine([...new Set(untranslated)].join(', '))}.\n`;

type Told = { where: string; sha256: string; told: string; note: string | null };

function cardText(manifest: BackboneManifest, { where, sha256, told, note }: Told): string {
  return [
    ...cardHead(manifest),
    '',
    '| | |',
    '|---|---|',
    `| TensorFlow Lite file | ${cell(where)} |`,
    `| Its SHA-256 | \`${sha256}\` |`,
    `| Licence | ${cell(manifest.license)} |`,
    '',
    'Its constants were brought to float32 and its operators to ONNX, channels first. Values keep within the range of the integers that the file gives them; they are not rounded.',
    ...(told ? ['', told.trim()] : []),
    ...(note ? ['', note] : []),
    '',
  ].join('\n');
}
