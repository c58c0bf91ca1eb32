/** A pretraining on this machine: teachers and material from disk, views made by threads, work in `OUT.work`, and at the end the weights as one file. */
import { appendFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { runtimes } from '#runtimes';
import type { DeviceRequest } from '../../contract/device.ts';
import { contractOf } from '../../contract/fits.ts';
import type { BackboneManifest } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { MettleError } from '../../errors.ts';
import type { HubOptions } from '../../hub/access.ts';
import { loadModel } from '../../hub/hub.ts';
import { backboneParams } from '../../models/backbone.ts';
import type { Weights } from '../../models/params.ts';
import { type PresetName, presets } from '../../models/presets.ts';
import { readSafetensors, toFloat32, writeSafetensors } from '../../onnx/safetensors.ts';
import { checkpointName, type TrainProgress } from '../../train/loop/trainer.ts';
import { type Pretrained, pretrain } from '../../train/pretrain/pretrain.ts';
import { Teacher } from '../../train/pretrain/teacher.ts';
import { DiskStore, exists } from '../files/file-store.ts';
import { headOf, ViewBank } from './bank.ts';
import { listMaterial, type MaterialFolder, type MaterialPlan, openMaterial } from './material.ts';
import { ViewPool } from './view-pool.ts';

export type PretrainRun = {
  preset: PresetName;
  /** Backbones by id, path or URL. */
  teachers: readonly string[];
  /** How they are fetched. */
  hub?: HubOptions;
  material: readonly MaterialFolder[];
  /** Share of what is made up, 0 to 1. */
  made: number;
  exclude: RegExp | null;
  steps: number;
  batch: number;
  seed: number;
  rate: number;
  /** Files of weights to start from; none for noise. */
  from: readonly string[];
  /** See `PretrainOptions`. */
  teachersOnly: boolean;
  start: number;
  reuse: number;
  chapter?: number;
  half: boolean;
  fall: number;
  probes?: number;
  out: string;
  device: DeviceRequest;
  threads?: number;
  /** Threads that make views; default: one of each two cores. */
  makers?: number;
  resume: boolean;
  signal?: AbortSignal;
  onProgress?: (
    progress:
      | { phase: 'problem'; problem: string }
      | { phase: 'drawn'; files: number; resumes: boolean }
      | { phase: 'training'; progress: TrainProgress },
  ) => void;
};

const checkpointEvery = 100;

/** Throws what `pretrain`, `loadModel` and `listMaterial` throw, and `write` where `out` is there already or cannot be written. */
export async function pretrainOnDisk(run: PretrainRun): Promise<Pretrained> {
  const { signal, out } = run;
  if (await exists(out)) {
    throw new MettleError('write', `${out} exists already.`, { hint: 'Choose another --out, or move the file away.' });
  }
  const preset = presets[run.preset];
  const packages = await Promise.all(
    run.teachers.map((name) => loadModel(name, 'backbone', 'wasm', { ...run.hub, signal })),
  );
  const { groups, files, digest } = await listMaterial(run.material, preset.modality, run.exclude);
  const folder = `${out}.work`;
  const plan: MaterialPlan = {
    modality: preset.modality,
    groups,
    made: run.made,
    seed: run.seed,
    sampleRate: preset.modality === 'audio' ? preset.frontEnd.sampleRate : 0,
    cache: join(folder, 'sounds'),
  };
  const told = new Set<string>();
  const onProblem = (problem: string): void => {
    if (!told.has(problem)) run.onProgress?.({ phase: 'problem', problem });
    told.add(problem);
  };
  const from = run.from.length > 0 ? await readWeights(run.from) : undefined;
  const runtime = await runtimes.loadRuntime({ device: run.device, threads: run.threads });
  const teachers = await openTeachers(runtime, packages, preset.modality);
  const work = new DiskStore(folder);
  const resumes = run.resume && (await work.load(checkpointName)) !== null;
  run.onProgress?.({ phase: 'drawn', files, resumes });
  const views = {
    preset: run.preset,
    seed: run.seed,
    made: run.made,
    material: digest,
    teachers: await namesOf(packages),
  };
  const threads = new Threads();
  try {
    const result = await pretrain({
      ...run,
      runtime,
      preset,
      teachers,
      material: openMaterial(plan, onProblem),
      from,
      supply: async ({ fields }, scales) => {
        const numbers = scales.flat().map(({ mean, deviation }) => [[...mean], [...deviation]]);
        const head = headOf({ ...views, fields, numbers });
        const makers = run.makers ?? Math.max(1, Math.floor(availableParallelism() / 2));
        const { preset, teachers, hub, seed } = run;
        const pool = new ViewPool(makers, { preset, teachers, hub, scales, material: plan, seed, head }, onProblem);
        threads.pool = pool;
        const make = (first: number, path: string): Promise<void> => pool.make(first, path);
        threads.bank = await ViewBank.open({ folder: join(folder, 'views'), fields, head, make });
        return threads.bank;
      },
      checkpoint: { store: work, resume: run.resume, every: checkpointEvery },
      identity: { ...views, from: run.from, teachersOnly: run.teachersOnly },
      onProgress: (progress) => {
        logStep(folder, progress);
        run.onProgress?.({ phase: 'training', progress });
      },
    });
    await new DiskStore(dirname(out)).save(basename(out), writeWeights(result, run));
    return result;
  } finally {
    await threads.close();
    for (const teacher of teachers) await teacher.dispose();
    runtime.dispose();
  }
}

const logEvery = 25;

/** A line of some steps in `log.jsonl`, and of each that was judged. */
function logStep(folder: string, { step, loss, metrics, rate, samplesPerSecond, evaluation }: TrainProgress): void {
  if (step % logEvery !== 0 && !evaluation) return;
  const line = { time: new Date().toISOString(), step, loss, ...metrics, rate, samplesPerSecond, evaluation };
  appendFileSync(join(folder, 'log.jsonl'), `${JSON.stringify(line)}\n`);
}

/** What was started for a supply of views. */
class Threads {
  pool: ViewPool | null = null;
  bank: ViewBank | null = null;

  async close(): Promise<void> {
    await this.pool?.close();
    await this.bank?.close();
  }
}

type Packages = readonly ModelPackage<BackboneManifest>[];

const namesOf = (packages: Packages): Promise<string[]> =>
  Promise.all(packages.map(async ({ manifest }) => `${manifest.id} ${manifest.version} ${await contractOf(manifest)}`));

async function openTeachers(runtime: Runtime, packages: Packages, modality: 'visual' | 'audio'): Promise<Teacher[]> {
  const teachers: Teacher[] = [];
  try {
    for (const one of packages) teachers.push(await Teacher.open(runtime, one, modality));
    return teachers;
  } catch (error) {
    for (const teacher of teachers) await teacher.dispose();
    throw error;
  }
}

const averagePrefix = 'average/';

/** Weights of all files together. Of a training's checkpoint its moving average is taken. */
async function readWeights(paths: readonly string[]): Promise<Weights> {
  const weights = new Map<string, Float32Array>();
  for (const path of paths) {
    const bytes = await new DiskStore(dirname(path)).load(basename(path));
    if (!bytes) throw new MettleError('not-found', `There is no file ${path}.`, { hint: 'Correct --from.' });
    const all = [...readSafetensors(bytes, path).tensors];
    const averages = all.filter(([name]) => name.startsWith(averagePrefix));
    for (const [name, tensor] of averages.length > 0 ? averages : all) {
      weights.set(name.replace(averagePrefix, ''), toFloat32(tensor));
    }
  }
  return weights;
}

function writeWeights({ weights, explained, told }: Pretrained, run: PretrainRun): Uint8Array {
  const tensors = [...backboneParams(presets[run.preset]).values()].map(({ name, shape }) => {
    return [name, { dtype: 'F32' as const, shape: [...shape], data: weights.get(name)! }] as const;
  });
  const { preset, steps, batch, seed, rate, teachersOnly } = run;
  const rounded = <T extends { percent: number | null }>(shares: readonly T[]) =>
    shares.map((share) => ({ ...share, percent: share.percent && Number(share.percent.toFixed(1)) }));
  const found = { explained: rounded(explained), told: rounded(told) };
  const facts = { preset, steps, batch, seed, rate, teachersOnly, ...found };
  return writeSafetensors(Object.fromEntries(tensors), { mettle: JSON.stringify(facts) });
}
