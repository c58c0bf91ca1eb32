/** Calibrates a finished adapter folder from a data set on disk, into a new folder: its graphs, a measure of familiarity, temperatures, a scope, and figures of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimes } from '#runtimes';
import { manifestText, withDocuments } from '../../compile/package.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import { checkFits } from '../../contract/fits.ts';
import type { AdapterManifest, Scope } from '../../contract/manifest.ts';
import type { ModelPackage, VariantName } from '../../contract/model.ts';
import type { Split } from '../../contract/split.ts';
import { LocalEngine } from '../../engine/engine.ts';
import { variantOf } from '../../engine/variant.ts';
import { MettleError } from '../../errors.ts';
import { openModel } from '../../hub/hub.ts';
import { backboneFor, openBackbone } from '../../load.ts';
import type { DataFormat } from '../../train/data/types.ts';
import { type FeatureProgress, openClipFeatures } from '../../train/features/clip-features.ts';
import type { EvaluationReport } from '../../train/metrics/report.ts';
import type { SilenceFigures } from '../../train/metrics/silence.ts';
import { calibrateAdapter } from '../../train/silence/calibrate.ts';
import { loadDataset } from '../data/index.ts';
import { DiskStore } from '../files/file-store.ts';
import { savePackage } from '../files/save-package.ts';
import { diskAccess } from './access.ts';
import { withSilence, withSilenceSection } from './silence-text.ts';

export type CalibrateRun = {
  /** A folder: its card and figures are written anew beside its graphs. */
  adapter: string;
  data: string;
  format?: DataFormat;
  /** Default: the one that the adapter was made for. */
  backbone?: string | readonly [string, string];
  device: DeviceRequest;
  threads?: number;
  out: string;
  /** Replaces the adapter's. */
  scope?: Scope;
  cache: string;
  cacheBytes: number;
  signal?: AbortSignal;
  onProgress?: (progress: FeatureProgress | { phase: 'calibration'; done: number; total: number }) => void;
};

export type CalibrateResult = {
  manifest: AdapterManifest;
  figures: Partial<Record<Split, SilenceFigures>>;
  skipped: { id: string; reason: string }[];
};

/** Throws `invalid-argument` where the data is for another task or has other classes, and what `calibrateAdapter`, `loadDataset`, `openModel` and `savePackage` throw. */
export async function calibrateOnDisk(run: CalibrateRun): Promise<CalibrateResult> {
  const { signal, onProgress } = run;
  const opened = await openModel(run.adapter, 'adapter', { signal });
  const backbone = await openBackbone(run.backbone ?? (await backboneFor([opened.manifest], { signal })), { signal });
  await checkFits(opened.manifest, backbone.manifest);
  const { task, classes, id } = opened.manifest;
  const { dataset, folder } = await loadDataset(run.data, { format: run.format, task, signal });
  if (dataset.task !== task || String(dataset.classes) !== String(classes)) {
    throw new MettleError(
      'invalid-argument',
      `${run.data} is not of the task and the classes of adapter "${id}", in its order.`,
      {
        hint: 'Calibrate with the data that the adapter was trained on.',
      },
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
        dataset,
        access: diskAccess(folder),
        backbone: await backbone.download(variantOf(device), { signal }),
        engine,
        device: run.device,
        runtime,
        cache: { store: new DiskStore(run.cache), budget: run.cacheBytes },
        signal,
        onProgress,
      },
      { names: opened.manifest.segment.reads, segments: opened.manifest.clip?.segments ?? 60 },
    );
    const { package: calibrated, figures } = await calibrateAdapter({
      adapter: { manifest: opened.manifest, files },
      base: backbone.manifest,
      runtime,
      features,
      scope: run.scope,
      signal,
      onProgress: (progress) => onProgress?.({ phase: 'calibration', ...progress }),
    });
    const documents = await documentsFor(run.adapter, calibrated.manifest, figures);
    const manifest = await withDocuments(calibrated.manifest, documents);
    const listed = { 'manifest.json': new TextEncoder().encode(manifestText(manifest)) };
    await savePackage(run.out, { ...calibrated.files, ...documents, ...listed });
    return { manifest, figures, skipped: [...features.failed].map(([id, reason]) => ({ id, reason })) };
  } finally {
    await engine.dispose();
    runtime.dispose();
  }
}

/** The adapter's own documents, with what was measured now in card and figures. A shipped id or a URL has no folder to read them from, and gets none. */
async function documentsFor(
  folder: string,
  manifest: AdapterManifest,
  figures: CalibrateResult['figures'],
): Promise<Record<string, Uint8Array>> {
  const documents: Record<string, Uint8Array> = {};
  const own = async (name: string): Promise<string | null> =>
    await readFile(join(folder, name), 'utf8').catch(() => null);
  const keep = (name: string, text: string | null): void => {
    if (text !== null) documents[name] = new TextEncoder().encode(text);
  };
  for (const name of ['report.json', 'adapter_config.json']) keep(name, await own(name));
  const card = await own('README.md');
  keep('README.md', card && withSilenceSection(card, manifest, figures));
  const reports = await own('evaluation.json');
  if (reports !== null) {
    const all = withSilence(JSON.parse(reports) as EvaluationReport[], figures);
    keep('evaluation.json', `${JSON.stringify(all, null, 2)}\n`);
  }
  return documents;
}
