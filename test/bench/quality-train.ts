/** One run of the quality bench: trained as `mettle train` does, selected on the validation split, judged once on the test split. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimes } from '#runtimes';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { evaluate } from '../../sdk/compile/evaluate.ts';
import { exactForms } from '../../sdk/compile/variants.ts';
import type { DeviceRequest } from '../../sdk/contract/device.ts';
import type { AdapterManifest, BackboneManifest } from '../../sdk/contract/manifest.ts';
import type { Weights } from '../../sdk/models/params.ts';
import { type DiskFolder, loadDataset, readMask } from '../../sdk/node/data/index.ts';
import { savePackage } from '../../sdk/node/files/save-package.ts';
import { findGpu } from '../../sdk/node/host/gpu.ts';
import { evaluateOnDisk } from '../../sdk/node/train/eval.ts';
import { trainOnDisk } from '../../sdk/node/train/run.ts';
import { composeClip } from '../../sdk/toybox/index.ts';
import { type ConfigChange, configFor } from '../../sdk/train/adapter/config.ts';
import type { AdapterProgress } from '../../sdk/train/adapter/training.ts';
import type { Dataset } from '../../sdk/train/data/types.ts';
import type { EvaluationReport } from '../../sdk/train/metrics/report.ts';
import { QuietArea, SilentArea } from './quality-areas.ts';
import { constantAnswer } from './quality-chance.ts';
import { type Finished, takeFinished } from './quality-finished.ts';
import {
  type Budget,
  changeFor,
  type FormResult,
  type RunResult,
  type RunSpec,
  type TaskSpec,
} from './quality-runs.ts';

/** Where a task's clips lie and its results go. */
export type Place = {
  task: TaskSpec;
  data: string;
  dataset: Dataset;
  folder: DiskFolder;
  /** Of the clips. */
  seed: number;
  work: string;
  /** Features, shared by all runs of the task. */
  features: string;
  backbone: { name: string; manifest: BackboneManifest };
  budget: Budget;
  /** Folder of adapters by id that `mettle train` finished: the default one of a task is taken from there, not trained again. */
  adapters: string | null;
  /** Of each training. */
  threads: number;
  signal: AbortSignal;
  say: (text: string) => void;
};

export async function openPlace(
  data: string,
  task: TaskSpec,
  signal: AbortSignal,
): Promise<Pick<Place, 'data' | 'dataset' | 'folder' | 'task'>> {
  const path = join(data, task.folder);
  return { task, data: path, ...(await loadDataset(path, { format: task.format, task: task.task, signal })) };
}

/** Room for every tap of every clip, so that all runs share one set of features. */
const cacheBytes = 200e9;

export async function runOnce(place: Place, run: RunSpec): Promise<RunResult> {
  const started = performance.now();
  const change = changeFor(run, place.task);
  const result = change ? await trained(place, run, change) : await chance(place);
  return {
    minutes: (performance.now() - started) / 60_000,
    ...result,
    date: new Date().toISOString().slice(0, 10),
  };
}

type Unstamped = Omit<RunResult, 'minutes' | 'date'> & Partial<Pick<RunResult, 'minutes'>>;

async function chance({ dataset, folder }: Place): Promise<Unstamped> {
  const { test, validation, note } = await constantAnswer(dataset, folder);
  return { figures: figuresOf(test.report as EvaluationReport), validation, parameters: 0, note };
}

async function trained(place: Place, run: RunSpec, change: ConfigChange): Promise<Unstamped> {
  const { task, work, adapters } = place;
  const out = join(work, run.id);
  const taken = run.kind === 'ours' && adapters ? await takeFinished(place, join(adapters, task.id), out) : null;
  const { reports, validation, weights, manifest } = taken ?? (await train(place, run, change, out));
  if (run.kind === 'ours') await saveExact(place, change, manifest, weights);
  return {
    figures: figuresOf(reports.find(({ split }) => split === 'test')!),
    validation,
    parameters: [...weights.values()].reduce((sum, { length }) => sum + length, 0),
    ...(taken && { minutes: null }),
    ...(task.dark && run.kind !== 'ablation' && (await darkShare(place, out))),
  };
}

/** An interrupted training goes on from its checkpoint. */
async function train(place: Place, run: RunSpec, change: ConfigChange, out: string): Promise<Finished> {
  const { task, budget, backbone, threads, signal } = place;
  await rm(out, { recursive: true, force: true });
  const { trained: adapter, reports } = await trainOnDisk({
    ...budget,
    seed: run.seed ?? budget.seed,
    data: place.data,
    format: task.format,
    backbone: backbone.name,
    device: 'cpu',
    threads,
    softwareGpu: false,
    out,
    id: `${task.id}-${run.id.replace('@', '-')}`,
    license: 'MIT',
    config: change,
    cache: place.features,
    cacheBytes,
    resume: true,
    command: `npm run bench:quality (${task.id}, ${run.id})`,
    signal,
    onProgress: reporter(place, run),
  });
  return {
    reports,
    validation: adapter.result.best?.evaluation.score ?? null,
    weights: adapter.weights,
    manifest: adapter.package.manifest,
  };
}

/** A line per epoch. */
function reporter({ task, say }: Place, { id }: RunSpec) {
  return (progress: AdapterProgress | { phase: string }): void => {
    if ('policy' in progress) say(`${task.id} ${id}: features: ${progress.policy.reason}`);
    else if ('total' in progress) {
      const { done, total } = progress;
      if (done % 100 === 0 || done === total) say(`${task.id} ${id}: features ${done}/${total}`);
    } else if ('progress' in progress && progress.progress.evaluation) {
      const { epoch, loss, evaluation, secondsLeft } = progress.progress;
      const left = `${(secondsLeft / 60).toFixed(1)} min left`;
      say(`${task.id} ${id}: epoch ${epoch + 1} loss ${loss.toFixed(4)} val ${evaluation.score.toFixed(2)}, ${left}`);
    }
  };
}

const exactFolder = (work: string): string => join(work, 'lcd-float32');

/** The same adapter in float32, to be compared with the form that ships. */
async function saveExact(
  { dataset, backbone, work }: Place,
  change: ConfigChange,
  { id, license, version, thresholds }: AdapterManifest,
  weights: Weights,
) {
  const source = { id, license, version, thresholds, weights, config: configFor(dataset, change) };
  const runtime = await runtimes.loadRuntime({ device: 'cpu' });
  try {
    const exact = await compileAdapter({ ...source, forms: exactForms }, backbone.manifest, (values) =>
      evaluate(runtime.ort, values),
    );
    await rm(exactFolder(work), { recursive: true, force: true });
    await savePackage(exactFolder(work), exact.files);
  } finally {
    runtime.dispose();
  }
}

/** Of what should be dark: masks of the finished adapter, through the engine, on the test clips. */
async function darkShare(place: Place, adapter: string): Promise<Pick<RunResult, 'silent' | 'quiet'>> {
  const { task, data, seed, folder, backbone, signal } = place;
  const silent = new SilentArea();
  const quiet = new QuietArea(async (path) => readMask(await folder.readBytes(path), path));
  await evaluateOnDisk({
    adapter,
    data,
    format: task.format,
    split: 'test',
    backbone: backbone.name,
    device: 'cpu',
    signal,
    async onPrediction({ mask }, item) {
      if (task.dark!.where === 'silent seconds') return await quiet.add(item, mask!);
      const clip = composeClip(seed, 'avs-s4', Number(/\d+$/.exec(item.id)![0]));
      const side = Math.sqrt(mask!.length / clip.seconds);
      silent.add(clip, mask!, { width: side, height: side });
    },
  });
  return task.dark!.where === 'silent seconds' ? { quiet: quiet.share() } : { silent: silent.shares() };
}

/** The trained adapter as users run it: in the form that ships and in float32, on every device that is worth the wait. */
export async function judgeForms({ task, data, work, backbone, signal, say }: Place): Promise<FormResult[]> {
  const gpu = await findGpu();
  const devices: DeviceRequest[] = ['cpu', 'wasm', ...(gpu.software ? [] : ['webgpu' as const])];
  const results: FormResult[] = [];
  for (const [form, adapter] of [
    ['as shipped', join(work, 'lcd')],
    ['float32', exactFolder(work)],
  ] as const) {
    for (const device of devices) {
      say(`${task.id} ${form} on ${device}`);
      const run = {
        adapter,
        data,
        format: task.format,
        split: 'test' as const,
        backbone: backbone.name,
        device,
        signal,
      };
      const { report } = await evaluateOnDisk(run);
      results.push({ form, device, figures: figuresOf(report) });
    }
  }
  if (gpu.software) {
    const skipped = 'no GPU here, and a software driver is too slow for whole clips';
    results.push({ form: 'as shipped', device: 'webgpu', figures: null, skipped });
  }
  return results;
}

/** In percent, by the keys of the task's figures. */
export function figuresOf(report: EvaluationReport): Record<string, number> {
  if (report.task === 'localize') return { accuracy: report.accuracy };
  if (report.task === 'segment') return { mJ: 100 * report.mJ, mF: 100 * report.mF };
  const { segment, event, thresholded } = report;
  return {
    segmentType: segment.typeAV,
    eventType: event.typeAV,
    segmentEvent: segment.eventAV,
    eventEvent: event.eventAV,
    heard: segment.audio,
    seen: segment.visual,
    both: segment.audioVisual,
    ...(thresholded && {
      segmentTypeChosen: thresholded.segment.typeAV,
      eventTypeChosen: thresholded.event.typeAV,
    }),
  };
}
