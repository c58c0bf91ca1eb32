/** A pretraining on this machine: teachers and material from disk, work in `OUT.work`, and at the end the weights as one file. */
import { basename, dirname } from 'node:path';
import { runtimes } from '#runtimes';
import type { DeviceRequest } from '../../contract/device.ts';
import { contractOf } from '../../contract/fits.ts';
import type { BackboneManifest } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { MettleError } from '../../errors.ts';
import { loadModel } from '../../hub/hub.ts';
import { backboneParams } from '../../models/backbone.ts';
import type { Weights } from '../../models/params.ts';
import { type PresetName, presets } from '../../models/presets.ts';
import { readSafetensors, toFloat32, writeSafetensors } from '../../onnx/safetensors.ts';
import { checkpointName, type TrainProgress } from '../../train/loop/trainer.ts';
import { fractals, shapeHeaps, toyboxPictures } from '../../train/pretrain/made-pictures.ts';
import { tonesAndNoise, toyboxSounds } from '../../train/pretrain/made-sounds.ts';
import type { PictureSource } from '../../train/pretrain/pictures.ts';
import { type Material, type Pretrained, pretrain } from '../../train/pretrain/pretrain.ts';
import type { SoundSource } from '../../train/pretrain/sounds.ts';
import { Teacher } from '../../train/pretrain/teacher.ts';
import { DiskStore, exists } from '../files/file-store.ts';
import { listMaterial, readPictures, readSounds } from './material.ts';

export type PretrainRun = {
  preset: PresetName;
  /** Backbones by id, path or URL. */
  teachers: readonly string[];
  /** Folders. */
  material: readonly string[];
  exclude: RegExp | null;
  steps: number;
  batch: number;
  seed: number;
  rate: number;
  /** A file of weights to start from, or null. */
  from: string | null;
  /** See `PretrainOptions`. */
  teachersOnly: boolean;
  out: string;
  device: DeviceRequest;
  threads?: number;
  resume: boolean;
  signal?: AbortSignal;
  onProgress?: (
    progress:
      | { phase: 'material'; done: number; total: number; problem: string | null }
      | { phase: 'drawn'; files: number; resumes: boolean }
      | { phase: 'training'; progress: TrainProgress },
  ) => void;
};

/** Seed of the toybox scenes that are learned from, apart from those of data sets. */
const toyboxSeed = 1_000_003;
/** Made pictures and soundtracks of each kind. */
const [scenes, drawings, soundtracks] = [6000, 400, 600];
const checkpointEvery = 100;

/** Throws what `pretrain`, `loadModel` and `listMaterial` throw, and `write` where `out` is there already or cannot be written. */
export async function pretrainOnDisk(run: PretrainRun): Promise<Pretrained> {
  const { signal, out } = run;
  if (await exists(out)) {
    throw new MettleError('write', `${out} exists already.`, { hint: 'Choose another --out, or move the file away.' });
  }
  const preset = presets[run.preset];
  const packages = await Promise.all(run.teachers.map((name) => loadModel(name, 'backbone', 'wasm', { signal })));
  const { material, digest, files } = await readMaterial(run);
  const from = run.from === null ? undefined : await readWeights(run.from);
  const runtime = await runtimes.loadRuntime({ device: run.device, threads: run.threads });
  const teachers = await openTeachers(runtime, packages, preset.modality);
  const work = new DiskStore(`${out}.work`);
  const resumes = run.resume && (await work.load(checkpointName)) !== null;
  run.onProgress?.({ phase: 'drawn', files, resumes });
  try {
    const result = await pretrain({
      ...run,
      runtime,
      preset,
      teachers,
      material,
      from,
      checkpoint: { store: work, resume: run.resume, every: checkpointEvery },
      identity: {
        preset: run.preset,
        material: digest,
        from: run.from,
        teachersOnly: run.teachersOnly,
        teachers: await namesOf(packages),
      },
      onProgress: (progress) => run.onProgress?.({ phase: 'training', progress }),
    });
    await new DiskStore(dirname(out)).save(basename(out), writeWeights(result, run));
    return result;
  } finally {
    for (const teacher of teachers) await teacher.dispose();
    runtime.dispose();
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

async function readMaterial({ preset: name, material: folders, exclude, seed, signal, onProgress }: PretrainRun) {
  const preset = presets[name];
  const { paths, digest } = await listMaterial(folders, preset.modality, exclude);
  const onFile = (done: number, problem: string | null): void =>
    onProgress?.({ phase: 'material', done, total: paths.length, problem });
  let material: Material;
  if (preset.modality === 'visual') {
    const pictures = await readPictures(paths, { signal, onFile });
    const found: PictureSource = { draw: (dice) => dice.pick(pictures) };
    const toybox = toyboxPictures(toyboxSeed, scenes);
    const [dots, heaps] = [fractals(seed, drawings), shapeHeaps(seed, drawings)];
    const drawn: PictureSource = { draw: (dice) => dice.pick([dots, heaps]).draw(dice) };
    // Scenes of the toybox are half of what is seen, photographs a third.
    material = { pictures: [found, found, toybox, toybox, toybox, drawn] };
  } else {
    const { sampleRate } = preset.frontEnd;
    const sounds = await readSounds(paths, sampleRate, { signal, onFile });
    const found: SoundSource = { draw: (dice) => ({ wave: dice.pick(sounds) }) };
    const toybox = toyboxSounds(toyboxSeed, soundtracks, sampleRate);
    material = { sounds: [found, found, found, toybox, toybox, toybox, tonesAndNoise(sampleRate)] };
  }
  return { material, digest, files: paths.length };
}

async function readWeights(path: string): Promise<Weights> {
  const bytes = await new DiskStore(dirname(path)).load(basename(path));
  if (!bytes) throw new MettleError('not-found', `There is no file ${path}.`, { hint: 'Correct --from.' });
  const { tensors } = readSafetensors(bytes, path);
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
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
