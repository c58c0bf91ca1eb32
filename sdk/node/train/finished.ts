/** A finished adapter folder that is worked on with a data set on disk: what that needs, opened and closed, and the folder that comes of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimes } from '#runtimes';
import { manifestText, withDocuments } from '../../compile/package.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import { checkFits } from '../../contract/fits.ts';
import type { AdapterManifest, BackboneManifest } from '../../contract/manifest.ts';
import type { ModelPackage, VariantName } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { LocalEngine } from '../../engine/engine.ts';
import { variantOf } from '../../engine/variant.ts';
import { MettleError } from '../../errors.ts';
import { openModel } from '../../hub/hub.ts';
import { backboneFor, openBackbone } from '../../load.ts';
import type { DataFormat, Dataset } from '../../train/data/types.ts';
import { type ClipFeatures, type FeatureProgress, openClipFeatures } from '../../train/features/clip-features.ts';
import type { EvaluationReport } from '../../train/metrics/report.ts';
import { loadDataset } from '../data/index.ts';
import { DiskStore } from '../files/file-store.ts';
import { savePackage } from '../files/save-package.ts';
import { diskAccess } from './access.ts';

/** What is worked on, and where. */
export type FinishedWork = {
  /** A folder: its card and figures are written anew beside its graphs. */
  adapter: string;
  data: string;
  format?: DataFormat;
  backbone?: string | readonly [string, string];
  device: DeviceRequest;
  threads?: number;
  out: string;
  cache: string;
  cacheBytes: number;
  signal?: AbortSignal;
};

/** An adapter with all its files, its backbone, and features of the clips. */
export type FinishedParts = {
  adapter: ModelPackage<AdapterManifest>;
  base: BackboneManifest;
  dataset: Dataset;
  runtime: Runtime;
  features: ClipFeatures;
};

/**
 * Calls `work` with everything open. `reads` names the taps that it wants. Throws `invalid-argument` where the data is for another task or has other classes, and what
 * `loadDataset`, `openModel` and `work` throw.
 */
export async function withFinished<T>(
  run: FinishedWork,
  reads: (adapter: AdapterManifest, base: BackboneManifest) => readonly string[],
  onProgress: ((progress: FeatureProgress) => void) | undefined,
  work: (parts: FinishedParts) => Promise<T>,
): Promise<T> {
  const { signal } = run;
  const opened = await openModel(run.adapter, 'adapter', { signal });
  const backbone = await openBackbone(run.backbone ?? (await backboneFor([opened.manifest], { signal })), { signal });
  await checkFits(opened.manifest, backbone.manifest);
  const { task, classes, id, clip } = opened.manifest;
  const { dataset, folder } = await loadDataset(run.data, { format: run.format, task, signal });
  if (dataset.task !== task || String(dataset.classes) !== String(classes)) {
    throw new MettleError(
      'invalid-argument',
      `${run.data} is not of the task and the classes of adapter "${id}", in its order.`,
      { hint: 'Take the data that the adapter was trained on.' },
    );
  }
  const device = await runtimes.chooseDevice(run.device);
  const runtime = await runtimes.loadRuntime({ device: run.device, threads: run.threads });
  const engine = new LocalEngine(runtimes);
  try {
    const files: ModelPackage<AdapterManifest>['files'] = {};
    for (const variant of Object.keys(opened.manifest.variants) as VariantName[]) {
      Object.assign(files, (await opened.download(variant, { signal })).files);
    }
    const features = await openClipFeatures(
      {
        ...{ dataset, engine, runtime, signal, onProgress },
        access: diskAccess(folder),
        backbone: await backbone.download(variantOf(device), { signal }),
        device: run.device,
        cache: { store: new DiskStore(run.cache), budget: run.cacheBytes },
      },
      { names: reads(opened.manifest, backbone.manifest), segments: clip?.segments ?? 60 },
    );
    return await work({
      adapter: { manifest: opened.manifest, files },
      base: backbone.manifest,
      dataset,
      runtime,
      features,
    });
  } finally {
    await engine.dispose();
    runtime.dispose();
  }
}

/** What changes of the documents. */
export type DocumentChange = { card(text: string): string; reports(reports: EvaluationReport[]): EvaluationReport[] };

/**
 * Writes the package into a new folder, with the documents of the adapter's own, changed. A shipped id or a URL has no folder to read them from, and gets none. Throws what
 * `savePackage` throws.
 */
export async function saveFinished(
  { adapter, out }: Pick<FinishedWork, 'adapter' | 'out'>,
  made: ModelPackage<AdapterManifest>,
  change: DocumentChange,
): Promise<AdapterManifest> {
  const documents: Record<string, Uint8Array> = {};
  const own = async (name: string): Promise<string | null> =>
    await readFile(join(adapter, name), 'utf8').catch(() => null);
  const keep = (name: string, text: string | null): void => {
    if (text !== null) documents[name] = new TextEncoder().encode(text);
  };
  for (const name of ['report.json', 'adapter_config.json']) keep(name, await own(name));
  const card = await own('README.md');
  keep('README.md', card && change.card(card));
  const reports = await own('evaluation.json');
  if (reports !== null) {
    keep('evaluation.json', `${JSON.stringify(change.reports(JSON.parse(reports) as EvaluationReport[]), null, 2)}\n`);
  }
  const manifest = await withDocuments(made.manifest, documents);
  const listed = { 'manifest.json': new TextEncoder().encode(manifestText(manifest)) };
  await savePackage(out, { ...made.files, ...documents, ...listed });
  return manifest;
}

/** Clips that could not be used, and why. */
export const skippedOf = ({ failed }: Pick<ClipFeatures, 'failed'>): { id: string; reason: string }[] =>
  [...failed].map(([id, reason]) => ({ id, reason }));
