/** Evaluates a compiled adapter on a dataset on disk, through the engine as users run it. */

import { basename } from 'node:path';
import { runtimes } from '#runtimes';
import { concatenate } from '../../arrays.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import { checkFits } from '../../contract/fits.ts';
import type { AdapterManifest, BackboneManifest } from '../../contract/manifest.ts';
import type { Split } from '../../contract/split.ts';
import { LocalEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/types.ts';
import { variantOf } from '../../engine/variant.ts';
import { MettleError } from '../../errors.ts';
import type { HubOptions } from '../../hub/access.ts';
import { openModel } from '../../hub/hub.ts';
import { backboneFor, openBackbone } from '../../load.ts';
import { evaluatePredictions, type Visit } from '../../train/adapter/evaluate.ts';
import type { DataFormat, DatasetItem } from '../../train/data/types.ts';
import { isClipFault, segmentFormatOf } from '../../train/features/clip-features.ts';
import type { EvaluationReport } from '../../train/metrics/report.ts';
import { type DiskFolder, loadDataset } from '../data/index.ts';
import { diskAccess } from './access.ts';

export type EvalRun = {
  adapter: string;
  data: string;
  format?: DataFormat;
  split: Split;
  /** Default: the one that the adapter was made for. */
  backbone?: string | readonly [string, string];
  device: DeviceRequest;
  /** How models are fetched. */
  hub?: HubOptions;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Sees what the adapter says about each item, before it is judged. */
  onPrediction?: Visit;
};

export type EvalResult = { report: EvaluationReport; skipped: { id: string; reason: string }[] };

/** Throws `invalid-argument` where the dataset is for another task or has other classes than the adapter, or the split is empty. */
export async function evaluateOnDisk(run: EvalRun): Promise<EvalResult> {
  const { signal, split } = run;
  const access = { ...run.hub, signal };
  const adapter = await openModel(run.adapter, 'adapter', access);
  const backbone = await openBackbone(run.backbone ?? (await backboneFor([adapter.manifest], access)), access);
  await checkFits(adapter.manifest, backbone.manifest);
  const { task, classes, thresholds, id } = adapter.manifest;
  const { dataset, folder } = await loadDataset(run.data, { format: run.format, task, signal });
  const strange = dataset.classes.filter((name) => !classes.includes(name));
  if (dataset.task !== task || (task !== 'segment' && strange.length > 0)) {
    const found = dataset.task === task ? `the classes ${strange.join(', ')}` : `labels for ${dataset.task}`;
    throw new MettleError(
      'invalid-argument',
      `${run.data} has ${found}, but adapter "${id}" was made for ${task} of ${classes.join(', ') || 'masks'}.`,
      {
        hint: 'Evaluate on data of the kind that the adapter was trained on.',
      },
    );
  }
  const all = dataset.items
    .filter((item) => item.split === split)
    .map((item) => ({ ...item, labels: relabel(item.labels, dataset.classes, classes) }));
  if (all.length === 0) {
    throw new MettleError('invalid-argument', `${run.data} has no usable clips in its ${split} split.`, {
      hint: 'Choose another --split, or run: mettle data check DIR',
    });
  }
  const variant = variantOf(await runtimes.chooseDevice(run.device));
  const engine = new LocalEngine(runtimes);
  try {
    const files = {
      backbone: await backbone.download(variant, { signal }),
      adapters: [await adapter.download(variant, { signal })],
    };
    await engine.load({ ...files, device: run.device });
    const skipped: EvalResult['skipped'] = [];
    const figures = await evaluatePredictions({
      config: { task, classes },
      thresholds,
      maskSize: maskSizeOf(adapter.manifest),
      readMask: diskAccess(folder).readMask,
      predict: (visit) =>
        predictAll({ engine, manifests: { backbone, adapter }, folder, items: all, run, skipped }, visit),
    });
    const report = { ...figures.report, dataset: basename(run.data), split } as EvaluationReport;
    return { report, skipped };
  } finally {
    await engine.dispose();
  }
}

/** Labels by the adapter's list of classes, which may hold more than the data's and in another order. */
function relabel(labels: DatasetItem['labels'], from: readonly string[], to: readonly string[]): DatasetItem['labels'] {
  if (labels.task === 'segment') return labels;
  const places = from.map((name) => to.indexOf(name));
  if (labels.task === 'localize') {
    return { ...labels, seconds: labels.seconds.map((label) => places[label] ?? to.length) };
  }
  const spread = (rows: Uint8Array): Uint8Array => {
    const wide = new Uint8Array((rows.length / from.length) * to.length);
    rows.forEach((on, at) => {
      wide[Math.floor(at / from.length) * to.length + places[at % from.length]!] = on;
    });
    return wide;
  };
  const { clip, audio, visual } = labels;
  return { ...labels, clip: spread(clip), audio: audio && spread(audio), visual: visual && spread(visual) };
}

type Predicting = {
  engine: Engine;
  manifests: { backbone: { manifest: BackboneManifest }; adapter: { manifest: AdapterManifest } };
  folder: DiskFolder;
  items: readonly DatasetItem[];
  run: EvalRun;
  /** Takes those that cannot be decoded. */
  skipped: EvalResult['skipped'];
};

async function predictAll({ engine, manifests, folder, items, run, skipped }: Predicting, visit: Visit): Promise<void> {
  const { signal, onProgress } = run;
  for (const [index, item] of items.entries()) {
    signal?.throwIfAborted();
    const outputs = await predict(
      engine,
      manifests.backbone.manifest,
      manifests.adapter.manifest,
      folder,
      item,
      signal,
    ).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (!(error instanceof MettleError) || !isClipFault(error)) throw error;
      skipped.push({ id: item.id, reason: error.message });
      return null;
    });
    if (outputs) {
      await run.onPrediction?.(outputs, item);
      await visit(outputs, item);
    }
    onProgress?.({ done: index + 1, total: items.length });
  }
}

/** What the adapter says about one clip, by output name. */
async function predict(
  engine: Engine,
  backbone: BackboneManifest,
  adapter: AdapterManifest,
  folder: DiskFolder,
  item: DatasetItem,
  signal?: AbortSignal,
): Promise<Record<string, Float32Array>> {
  const run = await engine.begin([adapter.id]);
  try {
    const masks: Float32Array[] = [];
    let seconds = 0;
    for await (const { frame, pcm } of diskAccess(folder).segments(item, segmentFormatOf(backbone), signal)) {
      const delivered = await engine.push(run, { frame, pcm: pcm as Float32Array<ArrayBuffer> | null });
      if (adapter.task === 'segment') masks.push(delivered[adapter.id]!.mask!.data);
      if (++seconds === item.seconds) break;
    }
    if (adapter.task === 'segment') return { mask: concatenate(masks) };
    return perClip((await engine.finish(run))[adapter.id]!, adapter);
  } finally {
    await engine.cancel(run);
  }
}

/** The engine repeats what holds for a whole window in each of its rows; a clip has what any of its windows has. */
function perClip(outputs: Record<string, { data: Float32Array }>, { task, classes }: AdapterManifest) {
  const arrays = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  if (task !== 'parse') return arrays;
  const largest = (name: string): Float32Array => {
    const most = new Float32Array(classes.length);
    arrays[name]!.forEach((p, at) => {
      most[at % classes.length] = Math.max(most[at % classes.length]!, p);
    });
    return most;
  };
  return { ...arrays, audioClip: largest('audioClip'), visualClip: largest('visualClip') };
}

function maskSizeOf({ task, segment }: AdapterManifest): { width: number; height: number } | undefined {
  if (task !== 'segment') return undefined;
  const [, , height, width] = segment.outputs.find(({ name }) => name === 'mask')!.shape as [
    number,
    number,
    number,
    number,
  ];
  return { width, height };
}
