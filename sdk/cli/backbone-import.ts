/** `mettle backbone import`: a published checkpoint as a backbone package. */
import { basename } from 'node:path';
import type { ImportSource } from '../compile/import.ts';
import type { Forms } from '../compile/variants.ts';
import { MettleError } from '../errors.ts';
import { idPattern } from '../hub/parse-manifest.ts';
import { type PresetName, presets } from '../models/presets.ts';
import type { FileByteSource } from '../node/byte-source.ts';
import type { Evaluate } from '../ops/index.ts';
import { importCard } from './import-card.ts';
import { FORMS_HELP, formsText, readForms } from './import-forms.ts';
import { accountText } from './import-text.ts';
import { readOptions, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

export const IMPORT_HELP = `Usage
  mettle backbone import CHECKPOINT --preset NAME --out DIR [options]

CHECKPOINT is a .safetensors file or a PyTorch file (.pth, .ckpt, .bin) of Swin-V2, HTS-AT or CLAP's audio side. Nothing in it is
run. Every tensor in it is used, left out for a reason that is printed, or the import stops.

Options
  --preset NAME       the network that the weights are for; see below
  --out DIR           folder of the package
  --id ID             id of the package (default: the preset's name)
  --license TEXT      licence of the weights, as their authors give it (default: unknown)
  --forms LIST        forms to write, e.g. wasm=int8,webgpu=block8,webgpu-f16=float16 (default: float32); see below
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
      preset: { type: 'string' },
      out: { type: 'string' },
      id: { type: 'string' },
      license: { type: 'string' },
      forms: { type: 'string' },
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
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0)
    throw usageError(`Expected one CHECKPOINT, got ${positionals.length}.`, command);
  const presetName = readPreset(values.preset);
  const id = readId(values.id ?? presetName);
  if (values.license === '') throw usageError('--license must not be empty.', command);
  const forms = readForms(values.forms, command);
  if (!values.out && !values['dry-run']) throw usageError('--out DIR is missing; or say --dry-run.', command);

  const { FileByteSource } = await import('../node/byte-source.ts');
  const { openCheckpoint } = await import('../onnx/checkpoint/checkpoint.ts');
  const { accountFor, checkAccounting } = await import('../models/checkpoints/account.ts');
  const preset = presets[presetName];
  const where = basename(path);
  const file = await FileByteSource.open(path);
  try {
    const checkpoint = await openCheckpoint(file, where);
    const accounting = await accountFor(checkpoint, preset, where);
    if (!values.quiet) {
      const text = accountText({
        where,
        bytes: file.size,
        checkpoint,
        accounting,
        presetName,
        verbose: values.verbose,
      });
      io.stdout.write(text);
    }
    checkAccounting(accounting, preset, presetName, where);
    if (values['dry-run']) return 0;
    const license = values.license ?? 'unknown';
    const source = { id, version: '1.0.0', license, preset, presetName, where, checkpoint, accounting, forms };
    await writePackage(
      source,
      file,
      { out: values.out!, force: values.force === true, quiet: values.quiet === true },
      io,
    );
    return 0;
  } finally {
    await file[Symbol.asyncDispose]();
  }
}

type Source = ImportSource & { forms: Forms };
type Target = { out: string; force: boolean; quiet: boolean };

async function writePackage(source: Source, file: FileByteSource, target: Target, io: Io): Promise<void> {
  const { PackageFolder } = await import('../node/package-folder.ts');
  const { importBackbone, importBytes, withFrontEnd } = await import('../compile/import.ts');
  const { loadRuntime } = await import('../node/runtime.ts');
  const { evaluate } = await import('../compile/evaluate.ts');
  const { importReport } = await import('./import-report.ts');
  const { accounting, checkpoint } = source;
  const bar = new ProgressBar(io.stderr, !target.quiet);
  const show = (title: string, total: number) => (done: number) =>
    bar.update(title, done, total, `${(done / 1e6).toFixed(0)}/${(total / 1e6).toFixed(0)} MB`);
  const folder = await PackageFolder.create(target.out, { force: target.force });
  try {
    const { signal } = io;
    const sha256 = await file.sha256({ signal, onBytes: show('Checking', file.size) });
    const onBytes = show('Writing weights', importBytes(accounting, checkpoint));
    const write = folder.write.bind(folder);
    const runtime = await loadRuntime({ device: 'cpu' });
    const onCpu: Evaluate = (values) => evaluate(runtime.ort, values);
    const manifest = await importBackbone(source, onCpu, write, { signal, onBytes });
    bar.update('Measuring', 0, 1, `${Object.keys(source.forms).length} forms`);
    const report = await importReport({ source, manifest, folder, runtime, evaluate: onCpu, signal });
    const forms = formsText(source.forms);
    const origin = { file: source.where, sha256, style: accounting.style, presetName: source.presetName, forms };
    const card = importCard(manifest, withFrontEnd(source.preset, accounting.style.frontEnd), origin, report);
    const text = new TextEncoder();
    await folder.write('README.md', [text.encode(card)]);
    await folder.write('report.json', [text.encode(`${JSON.stringify(report, null, 2)}\n`)]);
    signal.throwIfAborted();
    await folder.finish();
    bar.clear();
    if (target.quiet) return;
    const megabytes = (manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1);
    io.stdout.write(
      `\nWritten: ${oneLine(target.out)}, ${megabytes} MB, ${forms}, SHA-256 of the checkpoint ${sha256}.\n`,
    );
    if (manifest.license === 'unknown') io.stdout.write('Its licence is noted as unknown; name it with --license.\n');
  } finally {
    bar.clear();
    await folder[Symbol.asyncDispose]();
  }
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
