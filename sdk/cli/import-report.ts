/** The report of an imported package: its forms beside float32, run from the files that were written. A machine that cannot run them gets a report without times. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import {
  compareForms,
  type FormReport,
  notTimed,
  type Place,
  placeOf,
  type RunnableForm,
} from '../compile/form-runs.ts';
import { type ImportPart, type ImportSource, importBackbone } from '../compile/import.ts';
import { exactForms } from '../compile/variants.ts';
import type { PackageReport } from '../compile/variants-report.ts';
import type { BackboneManifest, GraphFiles } from '../contract/manifest.ts';
import type { Runtime } from '../contract/runtime.ts';
import { MettleError } from '../errors.ts';
import type { PackageFolder } from '../node/files/package-folder.ts';
import { machineName } from '../node/host/machine.ts';
import type { Evaluate } from '../ops/index.ts';

export type Imported = {
  source: ImportSource;
  manifest: BackboneManifest;
  folder: PackageFolder;
  runtime: Runtime;
  evaluate: Evaluate;
  signal: AbortSignal;
};

/** Folder in the draft for the float32 form of a package that has none; gone before the package is finished. */
const aside = 'float32';

/** A run of a published network takes seconds on a slow machine; outputs are compared on one input alone. */
const inputs = 1;

/** What a session takes at most: the weights, and once more what the runtime makes of them. */
const memoryPerByte = 2;

/**
 * Never fails for want of memory, room or kernels: the report then says what was in the way. Throws `signal.reason` when aborted, `invalid-file` where a form gives numbers
 * that are not finite.
 */
export async function importReport(imported: Imported): Promise<PackageReport> {
  const report: PackageReport = {};
  for (const part of imported.source.parts) report[part.preset.modality] = await partReport(imported, part);
  return report;
}

async function partReport(imported: Imported, part: ImportPart): Promise<PackageReport[string]> {
  const { manifest, folder, runtime, signal } = imported;
  const { modality } = part.preset;
  const forms = formsOf(manifest, modality, folder.path, runtime);
  const place = placeOf(runtime, machineName());
  try {
    const exact =
      Object.values(forms).find(({ precision }) => precision === 'float32') ?? (await floatForm(imported, part));
    checkMemory(new Set([exact, ...Object.values(forms)]));
    return await compareForms(exact, forms, { ort: runtime.ort, seed: modality, inputs, place, signal });
  } catch (error) {
    signal.throwIfAborted();
    // A model that gives no numbers is no package; all else is a matter of this machine.
    if (error instanceof MettleError && error.code === 'invalid-file') throw error;
    return notRun(forms, place, error);
  } finally {
    await rm(join(folder.path, aside), { recursive: true, force: true });
  }
}

function formsOf(
  { variants, files }: BackboneManifest,
  modality: 'visual' | 'audio',
  folder: string,
  runtime: Runtime,
): Record<string, RunnableForm> {
  const bytesOf = (path: string): number => files.find((file) => file.path === path)!.bytes;
  const forms: Record<string, RunnableForm> = {};
  for (const graphs of [variants.webgpu, variants.wasm, variants['webgpu-f16']]) {
    const files = graphs?.[modality];
    if (!files) continue;
    const { graph, weights, precision = 'float32' } = files;
    forms[graph] ??= {
      precision,
      bytes: bytesOf(graph) + bytesOf(weights),
      open: (options) => openFrom(folder, files, runtime, options),
    };
  }
  return forms;
}

async function floatForm(
  { source, folder, runtime, evaluate, signal }: Imported,
  part: ImportPart,
): Promise<RunnableForm> {
  const { modality } = part.preset;
  const place = join(folder.path, aside);
  await mkdir(place);
  const manifest = await importBackbone(
    { ...source, parts: [part], forms: exactForms },
    evaluate,
    async (path, chunks) => ({ ...(await folder.write(join(aside, path), chunks)), path }),
    { signal, withCanary: false },
  );
  const [form] = Object.values(formsOf(manifest, modality, place, runtime));
  return form!;
}

/** Native sessions read files themselves, so that weights are in memory once. */
async function openFrom(
  folder: string,
  { graph, weights }: GraphFiles,
  { ort, device }: Runtime,
  options: Parameters<RunnableForm['open']>[0],
): ReturnType<RunnableForm['open']> {
  if (device === 'cpu') return await ort.InferenceSession.create(join(folder, graph), options);
  const [bytes, data] = [await readFile(join(folder, graph)), await readFile(join(folder, weights))];
  return await ort.InferenceSession.create(bytes, { ...options, externalData: [{ path: weights, data }] });
}

function checkMemory(forms: ReadonlySet<RunnableForm>): void {
  const needed = memoryPerByte * [...forms].reduce((sum, { bytes }) => sum + bytes, 0);
  const free = os.freemem();
  if (needed <= free) return;
  throw new Error(`all forms side by side take ${gigabytes(needed)} of memory, of which ${gigabytes(free)} are free.`);
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

function notRun(
  forms: Readonly<Record<string, RunnableForm>>,
  place: Place,
  error: unknown,
): Record<string, FormReport> {
  const why = `Could not be run here: ${error instanceof Error ? error.message : String(error)}`;
  const entries = Object.entries(forms).map(([graph, { precision, bytes }]): [string, FormReport] => [
    graph,
    { precision, bytes, outputs: {}, speed: notTimed(place, why) },
  ]);
  return Object.fromEntries(entries);
}
