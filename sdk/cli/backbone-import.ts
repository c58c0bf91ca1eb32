/** `mettle backbone import`: published checkpoints, of one sense or of both, as a backbone package. */
import { basename, resolve } from 'node:path';
import type { ImportPart, ImportSource } from '../compile/import.ts';
import type { Forms } from '../compile/variants.ts';
import { limits } from '../contract/limits.ts';
import type { BackboneManifest } from '../contract/manifest.ts';
import { idPattern } from '../contract/manifest-form.ts';
import { MettleError } from '../errors.ts';
import { accountFor, checkAccounting } from '../models/checkpoints/account.ts';
import { type BackbonePreset, type PresetName, presets } from '../models/presets.ts';
import { readSmall } from '../node/disk.ts';
import type { FileByteSource } from '../node/files/byte-source.ts';
import type { Evaluate } from '../ops/index.ts';
import { FRONT_END_OPTIONS, type FrontEndValues, givenFrontEnd } from './front-end-options.ts';
import { importCard, type Origin } from './import-card.ts';
import { FORMS_HELP, formsText, readForms } from './import-forms.ts';
import { accountText } from './import-text.ts';
import { readNote, readOptions, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

export const IMPORT_HELP = `Usage
  mettle backbone import CHECKPOINT --preset NAME --out DIR [options]
  mettle backbone import PICTURES SOUNDS --preset NAME --preset NAME --id ID --out DIR [options]
  mettle backbone import MODEL.tflite --out DIR [options]
  mettle backbone import MODEL.tflite --list

CHECKPOINT is a .safetensors file or a PyTorch file (.pth, .ckpt, .bin) of Swin-V2, HTS-AT or CLAP's audio side. Nothing in it is
run. Every tensor in it is used, left out for a reason that is printed, or the import stops. Of two checkpoints, and presets in the
same order, one is for pictures and one for sounds: the package then has both senses.

MODEL.tflite is a TensorFlow Lite file of a vision or sound network, in floats or integers, which become floats. Its blocks' ends are
the taps. An audio front end inside it is recognised and replaced by the one of this package.

Options of MODEL.tflite
  --list              print values that could be taps, with their shapes, and write nothing
  --tap NAME          value that adapters shall read; may be repeated (default: the ends of its blocks)
  --mean R,G,B --std R,G,B
                      pictures that it takes as floats: how they are scaled (default: what the file says of its integers)
  --modality NAME --front-end FILE
                      other inputs, as in "mettle backbone tap"
  --out, --id, --license, --note, --quiet as below (default of --id: the name of DIR)

Options of CHECKPOINT
  --preset NAME       the network that the weights are for, once per checkpoint; see below
  --pretrained-windows LIST
                      windows that the stages of a Swin-V2 were trained with before it was tuned to larger ones, e.g.
                      8,8,8,8 or 12,12,12,6 (default: the preset's; 0 for its own)
  --out DIR           folder of the package
  --id ID             id of the package (default of one checkpoint: the preset's name)
  --license TEXT      licence of the weights, as their authors give it (default: unknown)
  --forms LIST        forms to write, e.g. wasm=int8,webgpu=block8,webgpu-f16=float16 (default: float32); see below
  --note FILE         text for the card, such as where the weights come from
  --force             replace the package in DIR
  --dry-run           print what would become of each tensor, and write nothing
  --quiet             print nothing but errors
  --verbose           print the names of all tensors that are left out

${FORMS_HELP}
Presets
${columns(Object.keys(presets))}
`;

const command = 'backbone import';

/**
 * Returns the exit code. Throws `not-found` for a file that is not there, `invalid-file` for one that is no checkpoint, `incompatible` where it does not fit the
 * preset, `write` where DIR cannot be made; DIR is then as it was.
 */
export async function backboneImport(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions(command, {
    args: argv,
    allowPositionals: true,
    options: {
      preset: { type: 'string', multiple: true },
      'pretrained-windows': { type: 'string' },
      out: { type: 'string' },
      id: { type: 'string' },
      license: { type: 'string' },
      forms: { type: 'string' },
      list: { type: 'boolean' },
      tap: { type: 'string', multiple: true },
      ...FRONT_END_OPTIONS,
      note: { type: 'string' },
      force: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      quiet: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(IMPORT_HELP);
    return 0;
  }
  if (positionals.length < 1 || positionals.length > 2) {
    throw usageError(`Expected one CHECKPOINT or two, got ${positionals.length}.`, command);
  }
  if (await isTfliteFile(positionals[0]!)) return await fromTflite(positionals, values, io);
  const foreign = ['list', 'tap', ...givenFrontEnd(values)].find((name) => values[name as keyof typeof values]);
  if (foreign) throw usageError(`--${foreign} is for TensorFlow Lite files; ${positionals[0]} is none.`, command);
  const presetNames = readPresets(values.preset ?? [], positionals);
  if (presetNames.length > 1 && !values.id) throw usageError('--id ID is missing; two checkpoints need it.', command);
  const id = readId(values.id ?? presetNames[0]!);
  if (values.license === '') throw usageError('--license must not be empty.', command);
  const forms = readForms(values.forms, command);
  const windows = readWindows(values['pretrained-windows'], presetNames);
  if (!values.out && !values['dry-run']) throw usageError('--out DIR is missing; or say --dry-run.', command);

  const files: FileByteSource[] = [];
  try {
    const parts: Part[] = [];
    for (const [index, path] of positionals.entries()) {
      const part = await openPart(path, presetNames[index]!, windows, (file) => files.push(file));
      const { where, file, checkpoint, accounting, presetName, preset } = part;
      const facts = { where, bytes: file.size, checkpoint, accounting, presetName, verbose: values.verbose };
      if (!values.quiet) io.stdout.write(accountText(facts));
      checkAccounting(accounting, preset, presetName, where);
      parts.push(part);
    }
    if (values['dry-run']) return 0;
    const source = { id, version: '1.0.0', license: values.license ?? 'unknown', parts, forms };
    const note = await readNote(values.note);
    const target = { out: values.out!, note, force: values.force === true, quiet: values.quiet === true };
    await writePackage(source, target, io);
    return 0;
  } finally {
    for (const file of files) await file[Symbol.asyncDispose]();
  }
}

/** Told by how it begins. A file that is not there is for others to say. */
async function isTfliteFile(path: string): Promise<boolean> {
  const { FileByteSource } = await import('../node/files/byte-source.ts');
  const { isTflite } = await import('../tflite/reader.ts');
  await using file = await FileByteSource.open(path);
  return isTflite(await file.read(0, 8));
}

type TfliteValues = FrontEndValues & {
  list?: boolean;
  tap?: string[];
  out?: string;
  id?: string;
  license?: string;
  note?: string;
  quiet?: boolean;
};

async function fromTflite([path, ...more]: string[], values: TfliteValues, io: Io): Promise<number> {
  for (const name of ['preset', 'pretrained-windows', 'forms', 'force', 'dry-run']) {
    if (name in values) throw usageError(`--${name} is for checkpoints; ${path} is a TensorFlow Lite file.`, command);
  }
  if (more.length > 0) throw usageError(`${path} is a TensorFlow Lite file and is imported by itself.`, command);
  if (!values.out && !values.list) throw usageError('--out DIR is missing; or say --list.', command);
  const { importTflite, listTflite } = await import('./import-tflite.ts');
  const bytes = await readSmall(path!, 'a TensorFlow Lite model', limits.fileBytes, io.signal);
  const where = basename(path!);
  if (values.list) {
    await listTflite({ bytes, where, frontEnd: values }, io);
    return 0;
  }
  const out = resolve(values.out!);
  const { license = 'unknown', tap: taps = [], quiet = false } = values;
  if (license === '') throw usageError('--license must not be empty.', command);
  const source = { bytes, where, id: readId(values.id ?? basename(out).toLowerCase()), license, taps, quiet };
  await importTflite({ ...source, frontEnd: values, note: await readNote(values.note) }, out, io);
  return 0;
}

type Part = ImportPart & { presetName: PresetName; file: FileByteSource };
type Source = ImportSource & { parts: Part[]; forms: Forms };
type Target = { out: string; note: string | null; force: boolean; quiet: boolean };

/** `onOpen` gets the file as soon as it must be closed. */
async function openPart(
  path: string,
  presetName: PresetName,
  pretrainedWindows: number[] | undefined,
  onOpen: (file: FileByteSource) => void,
): Promise<Part> {
  const { FileByteSource } = await import('../node/files/byte-source.ts');
  const { openCheckpoint } = await import('../onnx/checkpoint/checkpoint.ts');
  const where = basename(path);
  const named: BackbonePreset = presets[presetName];
  const preset: BackbonePreset =
    named.modality === 'visual' && pretrainedWindows
      ? { ...named, network: { ...named.network, pretrainedWindows } }
      : named;
  const file = await FileByteSource.open(path);
  onOpen(file);
  const checkpoint = await openCheckpoint(file, where);
  return { file, where, preset, presetName, checkpoint, accounting: await accountFor(checkpoint, preset, where) };
}

async function writePackage(source: Source, target: Target, io: Io): Promise<void> {
  const { PackageFolder } = await import('../node/files/package-folder.ts');
  const { canaryRefusal, importBackbone, importBytes, withFrontEnd } = await import('../compile/import.ts');
  const { runtimes } = await import('../node/runtimes.ts');
  const { evaluate } = await import('../compile/evaluate.ts');
  const { importReport } = await import('./import-report.ts');
  const { parts } = source;
  const bar = new ProgressBar(io.stderr, !target.quiet);
  const show = (title: string, total: number) => (done: number) =>
    bar.update(title, done, total, `${(done / 1e6).toFixed(0)}/${(total / 1e6).toFixed(0)} MB`);
  const folder = await PackageFolder.create(target.out, { force: target.force });
  try {
    const { signal } = io;
    const origins: Origin[] = [];
    for (const { file, where, preset, presetName, checkpoint, accounting } of parts) {
      const sha256 = await file.sha256({ signal, onBytes: show('Checking', file.size) });
      const { style } = accounting;
      const fed = withFrontEnd(preset, style.frontEnd);
      origins.push({ file: where, sha256, style, preset: fed, presetName, notes: checkpoint.notes ?? {} });
    }
    const onBytes = show('Writing weights', importBytes(parts));
    const write = folder.write.bind(folder);
    const runtime = await runtimes.loadRuntime({ device: 'cpu' });
    const onCpu: Evaluate = (values) => evaluate(runtime.ort, values);
    const forms = formsText(source.forms);
    let canary: string | null = null;
    const documents = async (manifest: BackboneManifest): Promise<Record<string, Uint8Array>> => {
      bar.update('Measuring', 0, 1, `${Object.keys(source.forms).length} forms`);
      const report = await importReport({ source, manifest, folder, runtime, evaluate: onCpu, signal });
      canary = manifest.canary ? null : (canaryRefusal(parts) ?? 'a form is too far from float32 for one');
      const card = importCard(manifest, origins, { forms, report, canary, note: target.note });
      const text = new TextEncoder();
      return { 'README.md': text.encode(card), 'report.json': text.encode(`${JSON.stringify(report, null, 2)}\n`) };
    };
    const manifest = await importBackbone(source, onCpu, write, { signal, onBytes, documents });
    signal.throwIfAborted();
    await folder.finish();
    bar.clear();
    if (target.quiet) return;
    const megabytes = (manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1);
    const digests = origins.map(({ sha256 }) => sha256).join(', ');
    io.stdout.write(
      `\nWritten: ${oneLine(target.out)}, ${megabytes} MB, ${forms}, SHA-256 of the checkpoint ${digests}.\n`,
    );
    if (canary) io.stdout.write(`It has no canary, so devices that compute wrongly are not found out: ${canary}.\n`);
    if (manifest.license === 'unknown') io.stdout.write('Its licence is noted as unknown; name it with --license.\n');
  } finally {
    bar.clear();
    await folder[Symbol.asyncDispose]();
  }
}

/** One for each file; of two, one for pictures and one for sounds. */
function readPresets(given: readonly string[], files: readonly string[]): PresetName[] {
  if (given.length === 0) readPreset(undefined);
  const names = given.map(readPreset);
  if (names.length !== files.length) {
    throw usageError(
      `Got ${files.length} checkpoints and ${names.length} presets; expected a preset for each.`,
      command,
    );
  }
  const [one, other] = names;
  if (other && presets[one!].modality === presets[other].modality) {
    throw usageError(`${one} and ${other} are networks for the same sense.`, command);
  }
  return names;
}

/** One for each stage of the network for pictures. */
function readWindows(text: string | undefined, names: readonly PresetName[]): number[] | undefined {
  if (text === undefined) return undefined;
  const preset = names.map((name): BackbonePreset => presets[name]).find(({ modality }) => modality === 'visual');
  if (!preset)
    throw usageError('--pretrained-windows is for Swin-V2; the presets have no network for pictures.', command);
  const windows = text.split(',').map((word) => (/^\s*\d{1,3}\s*$/.test(word) ? Number(word) : Number.NaN));
  const stages = preset.network.depths.length;
  if (windows.length === stages && windows.every((window) => window >= 0 && window <= 64)) return windows;
  throw usageError(
    `--pretrained-windows "${text}": expected ${stages} whole numbers from 0 to 64 with commas between.`,
    command,
  );
}

function readPreset(name: string | undefined): PresetName {
  const names = Object.keys(presets) as PresetName[];
  const found = names.find((known) => known === name);
  if (found) return found;
  const problem = name === undefined ? '--preset NAME is missing.' : `--preset "${name}" is unknown.`;
  throw new MettleError('invalid-argument', problem, { hint: `Choose one of ${names.join(', ')}.` });
}

function readId(id: string): string {
  if (idPattern.test(id)) return id;
  throw usageError(`--id "${id}" must be made of a-z, 0-9, ".", "_" and "-".`, command);
}

function columns(names: readonly string[]): string {
  const rows: string[] = [];
  for (let i = 0; i < names.length; i += 3) {
    rows.push(
      `  ${names
        .slice(i, i + 3)
        .map((name) => name.padEnd(28))
        .join('')}`.trimEnd(),
    );
  }
  return rows.join('\n');
}
