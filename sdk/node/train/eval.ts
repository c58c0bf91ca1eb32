/** Evaluates a compiled adapter on a dataset on disk, through the engine as users run it. */

import { basename } from 'node:path';
import { platform } from '#platform';
import type { DeviceRequest, Engine } from '../../engine/types.ts';
import { variantOf } from '../../engine/variant.ts';
import { MettleError } from '../../errors.ts';
import { checkFits } from '../../hub/contract.ts';
import { openModel } from '../../hub/hub.ts';
import type { AdapterManifest, BackboneManifest } from '../../hub/manifest.ts';
import { concatenate } from '../../train/arrays.ts';
import type { DataFormat, DatasetItem, Split } from '../../train/data/types.ts';
import { evaluatePredictions } from '../../train/evaluate.ts';
import type { EvaluationReport } from '../../train/metrics/report.ts';
import { type DiskFolder, loadDataset } from '../data/index.ts';
import { diskAccess } from './access.ts';

export type EvalRun = {
  adapter: string;
  data: string;
  format?: DataFormat;
  split: Split;
  backbone: string;
  device: DeviceRequest;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
};

export type EvalResult = { report: EvaluationReport; skipped: { id: string; reason: string }[] };

/** Throws `invalid-argument` where the dataset is for another task or has other classes than the adapter, or the split is empty. */
export async function evaluateOnDisk(run: EvalRun): Promise<EvalResult> {
  const { signal, split } = run;
  const backbone = await openModel(run.backbone, 'backbone', { signal });
  const adapter = await openModel(run.adapter, 'adapter', { signal });
  await checkFits(adapter.manifest, backbone.manifest);
  const { task, classes, id } = adapter.manifest;
  const { dataset, folder } = await loadDataset(run.data, { format: run.format, task, signal });
  if (dataset.task !== task || (task !== 'segmentation' && String(dataset.classes) !== String(classes))) {
    const found = dataset.task === task ? `the classes ${dataset.classes.join(', ')}` : `labels for ${dataset.task}`;
    throw new MettleError(
      'invalid-argument',
      `${run.data} has ${found}, but adapter "${id}" was made for ${task} of ${classes.join(', ') || 'masks'}.`,
      {
        hint: 'Evaluate on data of the kind that the adapter was trained on.',
      },
    );
  }
  const all = dataset.items.filter((item) => item.split === split);
  if (all.length === 0) {
    throw new MettleError('invalid-argument', `${run.data} has no usable clips in its ${split} split.`, {
      hint: 'Choose another --split, or run: mettle data check DIR',
    });
  }
  const variant = variantOf(await platform.chooseDevice(run.device));
  const engine = await platform.createEngine({});
  try {
    const files = {
      backbone: await backbone.download(variant, { signal }),
      adapters: [await adapter.download(variant, { signal })],
    };
    await engine.load({ ...files, device: run.device });
    const outcome = await predictAll(engine, backbone.manifest, adapter.manifest, folder, all, run);
    const figures = await evaluatePredictions({
      config: { task, classes, segments: Number.POSITIVE_INFINITY },
      items: outcome.items,
      maskSize: maskSizeOf(adapter.manifest),
      readMask: diskAccess(folder).readMask,
      predict: async (visit) => outcome.outputs.forEach(visit),
    });
    const report = { ...figures.report, dataset: basename(run.data), split } as EvaluationReport;
    return { report, skipped: outcome.skipped };
  } finally {
    await engine.dispose();
  }
}

type Outcome = {
  items: DatasetItem[];
  outputs: Record<string, Float32Array>[];
  skipped: { id: string; reason: string }[];
};

async function predictAll(
  engine: Engine,
  backbone: BackboneManifest,
  adapter: AdapterManifest,
  folder: DiskFolder,
  items: readonly DatasetItem[],
  { signal, onProgress }: EvalRun,
): Promise<Outcome> {
  const { visual, audio } = backbone.inputs;
  const format = {
    frame: { width: visual?.width ?? 1, height: visual?.height ?? 1 },
    sampleRate: audio?.sampleRate ?? 8000,
  };
  const access = diskAccess(folder);
  const outcome: Outcome = { items: [], outputs: [], skipped: [] };
  for (const [index, item] of items.entries()) {
    signal?.throwIfAborted();
    const run = await engine.begin([adapter.id]);
    try {
      const masks: Float32Array[] = [];
      let seconds = 0;
      for await (const { frame, pcm } of access.segments(item, format, signal)) {
        const delivered = await engine.push(run, { frame, pcm: pcm as Float32Array<ArrayBuffer> | null });
        if (adapter.task === 'segmentation') masks.push(delivered[adapter.id]!.mask!.data);
        if (++seconds === item.seconds) break;
      }
      const outputs = (await engine.finish(run))[adapter.id]!;
      outcome.outputs.push(adapter.task === 'segmentation' ? { mask: concatenate(masks) } : perClip(outputs, adapter));
      outcome.items.push(item);
    } catch (error) {
      await engine.cancel(run);
      signal?.throwIfAborted();
      if (!(error instanceof MettleError) || error.code === 'internal' || error.code === 'device') throw error;
      outcome.skipped.push({ id: item.id, reason: error.message });
    }
    onProgress?.({ done: index + 1, total: items.length });
  }
  return outcome;
}

/** The engine repeats what holds for the whole clip in every row; one is enough. */
function perClip(outputs: Record<string, { data: Float32Array }>, { task, classes }: AdapterManifest) {
  const arrays = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  if (task !== 'parsing') return arrays;
  const first = (name: string): Float32Array => arrays[name]!.subarray(0, classes.length);
  return { ...arrays, audioClip: first('audioClip'), visualClip: first('visualClip') };
}

function maskSizeOf({ task, segment }: AdapterManifest): { width: number; height: number } | undefined {
  if (task !== 'segmentation') return undefined;
  const [, , height, width] = segment.outputs.find(({ name }) => name === 'mask')!.shape as [
    number,
    number,
    number,
    number,
  ];
  return { width, height };
}
