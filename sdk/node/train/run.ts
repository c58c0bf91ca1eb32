/** A training on this machine: dataset and models from disk, work in `OUT.work`, and at the end the finished adapter folder, whole or not at all. */

import { mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { runtimes } from '#runtimes';
import { placeOf } from '../../compile/form-runs.ts';
import { manifestText, withDocuments } from '../../compile/package.ts';
import type { Forms } from '../../compile/variants.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import type { BackboneManifest, Scope } from '../../contract/manifest.ts';
import { idPattern } from '../../contract/manifest-form.ts';
import type { Split } from '../../contract/split.ts';
import { LocalEngine } from '../../engine/engine.ts';
import { variantOf } from '../../engine/variant.ts';
import { MettleError } from '../../errors.ts';
import type { HubOptions } from '../../hub/access.ts';
import { openBackbone } from '../../load.ts';
import { type ConfigChange, configFor, defaultEpochs } from '../../train/adapter/config.ts';
import { trainAdapter } from '../../train/adapter/train-adapter.ts';
import type { AdapterProgress, TrainedAdapter } from '../../train/adapter/training.ts';
import type { DataFormat, Dataset } from '../../train/data/types.ts';
import { checkpointName } from '../../train/loop/trainer.ts';
import type { EvaluationReport } from '../../train/metrics/report.ts';
import { formatReport } from '../../train/metrics/report.ts';
import { loadDataset } from '../data/index.ts';
import { DiskStore, exists } from '../files/file-store.ts';
import { removeStale, stagingName } from '../files/staging.ts';
import { findGpu } from '../host/gpu.ts';
import { machineName } from '../host/machine.ts';
import { toyboxOrigin } from '../toybox/origin.ts';
import { diskAccess } from './access.ts';
import { withBorders } from './borders-text.ts';
import { adapterConfigJson, type CardFacts, modelCard } from './card.ts';
import { curvesHtml, type LogLine } from './curves.ts';
import { withSilence } from './silence-text.ts';

export type TrainRun = {
  data: string;
  format?: DataFormat;
  task?: Dataset['task'];
  backbone: string | readonly [string, string];
  device: DeviceRequest;
  softwareGpu: boolean;
  threads?: number;
  out: string;
  id: string;
  license: string;
  /** Null for `defaultEpochs`. */
  epochs: number | null;
  batch: number;
  seed: number;
  rate: number;
  config: ConfigChange;
  /** How each device gets the adapter; see `AdapterTraining`. */
  forms?: Forms;
  /** Folder and bytes for cached features. */
  cache: string;
  cacheBytes: number;
  /** How the backbone is fetched. */
  hub?: HubOptions;
  resume: boolean;
  /** The command line, for the card. */
  command: string;
  /** What else the card is to say. */
  note?: string | null;
  /** What the adapter answers for. */
  scope?: Scope;
  signal?: AbortSignal;
  onProgress?: (
    progress:
      | AdapterProgress
      | { phase: 'device'; name: string }
      | { phase: 'data'; dataset: Dataset }
      | { phase: 'start'; resumes: boolean; checkpoint: string | null },
  ) => void;
};

export type FinishedRun = { trained: TrainedAdapter; dataset: Dataset; reports: EvaluationReport[] };

/** Throws what `trainAdapter`, `loadDataset` and `loadModel` throw, `device` for a software GPU that was not allowed, and `write`. */
export async function trainOnDisk(run: TrainRun): Promise<FinishedRun> {
  const { signal, onProgress } = run;
  await checkTarget(run);
  const device = await checkDevice(run);
  onProgress?.({ phase: 'device', name: device });
  const { dataset, folder } = await loadDataset(run.data, { format: run.format, task: run.task, signal });
  onProgress?.({ phase: 'data', dataset });
  const request = { device: run.device, threads: run.threads };
  const variant = variantOf(await runtimes.chooseDevice(run.device));
  const opened = await openBackbone(run.backbone, { ...run.hub, signal });
  const backbone = await opened.download(variant, { signal });
  const config = configFor(dataset, run.config);
  const work = new DiskStore(workFolder(run));
  const path = join(workFolder(run), checkpointName);
  const checkpoint = (await exists(path)) ? path : null;
  onProgress?.({ phase: 'start', resumes: run.resume, checkpoint });
  const log = new TrainingLog(work, run.id);
  const started = performance.now();
  await makeFolder(workFolder(run));
  const engine = new LocalEngine(runtimes);
  const runtime = await runtimes.loadRuntime(request);
  try {
    const { id, license, scope, device, batch, seed, forms } = run;
    const trained = await trainAdapter({
      ...{ id, license, scope, device, batch, seed, forms, signal },
      epochs: run.epochs ?? defaultEpochs(dataset.task),
      dataset,
      access: diskAccess(folder),
      place: ['cpu', 'wasm'].includes(runtime.device) ? placeOf(runtime, machineName()) : undefined,
      backbone,
      engine,
      runtime,
      config,
      schedule: { rate: run.rate },
      cache: { store: new DiskStore(run.cache), budget: run.cacheBytes },
      checkpoint: { store: work, resume: run.resume },
      onProgress(progress) {
        if (progress.phase === 'training') log.add(progress.progress);
        onProgress?.(progress);
      },
    });
    await log.write();
    const reports = reportsOf(trained, run);
    const facts = {
      manifest: trained.package.manifest,
      config,
      trained,
      reports,
      dataset: await dataFacts(run.data, dataset),
      backbone: await backboneFacts(backbone.manifest),
      command: run.command,
      note: run.note ?? null,
      device,
      minutes: (performance.now() - started) / 60_000,
    };
    const documents = encoded({
      'README.md': modelCard(facts),
      'adapter_config.json': adapterConfigJson(facts),
      'evaluation.json': `${JSON.stringify(reports, null, 2)}\n`,
      'report.json': `${JSON.stringify(trained.report, null, 2)}\n`,
    });
    const manifest = await withDocuments(trained.package.manifest, documents);
    const listed = encoded({ 'manifest.json': manifestText(manifest) });
    await writeWhole(run.out, { ...trained.package.files, ...documents, ...listed });
    return { trained, dataset, reports };
  } catch (error) {
    await log.write().catch(() => {});
    // Goes only where it is empty.
    await rmdir(workFolder(run)).catch(() => {});
    throw error;
  } finally {
    await engine.dispose();
    runtime.dispose();
  }
}

const encoded = (texts: Record<string, string>): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, new TextEncoder().encode(text)]));

const workFolder = ({ out }: TrainRun): string => `${out}.work`;

/** Finds out before hours of work what would be refused after them. */
async function checkTarget({ out, id, license }: TrainRun): Promise<void> {
  if (await exists(out)) {
    throw new MettleError('write', `${out} exists already.`, {
      hint: 'Choose another --out, or move the folder away.',
    });
  }
  if (!idPattern.test(id)) {
    throw new MettleError('invalid-argument', `"${id}" is no id of an adapter.`, {
      hint: 'Give one of a-z, 0-9, ".", "_" and "-" with --id.',
    });
  }
  if (license.trim() === '') throw new MettleError('invalid-argument', 'The licence has no name.');
}

/** The name of what will compute. Throws `device` where that cannot be had, or is a software GPU that was not asked for. */
async function checkDevice({ device, softwareGpu }: TrainRun): Promise<string> {
  const chosen = await runtimes.chooseDevice(device);
  if (chosen === 'wasm' || chosen === 'cpu') return chosen === 'wasm' ? 'WASM' : 'the CPU';
  const gpu = await findGpu();
  if (chosen === 'cuda') return `CUDA on ${gpu.software ? 'a GPU that tells no name' : gpu.name}`;
  if (gpu.software && !softwareGpu) {
    throw new MettleError('device', `WebGPU would run on ${gpu.name}, which is far slower than the CPU.`, {
      hint: 'Use --device cpu, or add --software-gpu to try it all the same.',
    });
  }
  return gpu.name;
}

async function dataFacts(path: string, dataset: Dataset): Promise<CardFacts['dataset']> {
  const { format, items } = dataset;
  const facts = { name: basename(path), format, clips: countClips(dataset), generator: null };
  const origin = await toyboxOrigin(path);
  if (!origin) return facts;
  const { seed, layout } = origin;
  const out = isAbsolute(path) ? '.' : dirname(path);
  return {
    ...facts,
    name: `Toybox of seed ${seed}`,
    generator: `mettle data toybox --out ${out} --seed ${seed} --clips ${items.length} --layouts ${layout}`,
  };
}

/** A pair, whose id no single backbone can have, has no manifest.json of its own. */
async function backboneFacts(manifest: BackboneManifest): Promise<CardFacts['backbone']> {
  const { id, version, untrained } = manifest;
  const text = new TextEncoder().encode(manifestText(manifest));
  return { version, untrained, digest: idPattern.test(id) ? await sha256Integrity(text) : null };
}

const countClips = ({ items }: Dataset): Record<Split, number> => {
  const counts = { train: 0, val: 0, test: 0 };
  for (const { split } of items) counts[split]++;
  return counts;
};

function reportsOf({ figures, silence, borders }: TrainedAdapter, { data }: TrainRun): EvaluationReport[] {
  const reports = (['val', 'test'] as const).flatMap((split) => {
    const found = figures[split];
    return found ? [{ ...found.report, dataset: basename(data), split } as EvaluationReport] : [];
  });
  return withBorders(withSilence(reports, silence ?? {}), borders ?? {});
}

/** Curves and numbers of every step, kept beside the checkpoint; a resumed run goes on after its last line. */
class TrainingLog {
  readonly #store: DiskStore;
  readonly #title: string;
  readonly #lines: LogLine[] = [];

  constructor(store: DiskStore, title: string) {
    this.#store = store;
    this.#title = title;
  }

  add({ step, epoch, loss, rate, evaluation }: Extract<AdapterProgress, { phase: 'training' }>['progress']): void {
    this.#lines.push({ step, epoch, loss, rate, ...(evaluation ? { score: evaluation.score } : {}) });
  }

  async write(): Promise<void> {
    if (this.#lines.length === 0) return;
    const before = new TextDecoder().decode((await this.#store.load('log.jsonl')) ?? new Uint8Array());
    const first = this.#lines[0]!.step;
    const earlier = before
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
    const all = [...earlier.filter(({ step }) => step < first), ...this.#lines];
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    await this.#store.save('log.jsonl', encode(all.map((line) => `${JSON.stringify(line)}\n`).join('')));
    await this.#store.save('training.html', encode(curvesHtml(this.#title, all)));
  }
}

/** Writes a folder beside its place and moves it there. */
async function writeWhole(path: string, files: Record<string, Uint8Array>): Promise<void> {
  const draft = join(dirname(path), stagingName(basename(path)));
  await removeStale(dirname(path), basename(path));
  try {
    await mkdir(draft, { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(draft, name), content);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => {});
    throw unwritable(path, cause);
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
}

const unwritable = (path: string, cause: unknown): MettleError =>
  new MettleError('write', `${path} cannot be written: ${(cause as Error).message}`, {
    hint: 'Check the folder, its permissions and the room on the disk.',
    cause,
  });

/** The figures of all splits, for a terminal. */
export const figuresText = (reports: readonly EvaluationReport[]): string =>
  reports.map((r) => formatReport(r)).join('\n');
