/**
 * Pretraining of a backbone: it learns to predict what frozen networks see and hear in pieces of pictures and sounds that are drawn, mixed and changed without
 * end, and what those that were made up are known to show or play (after Asano and Saeed, "Extrapolating from a Single Image to a Thousand Classes using Distillation", ICLR 2023).
 */

import type { Runtime } from '../../contract/runtime.ts';
import { createLogMel } from '../../front-end/log-mel.ts';
import { pictureToTensor } from '../../front-end/picture.ts';
import type { Weights } from '../../models/params.ts';
import type { BackbonePreset } from '../../models/presets.ts';
import { toyboxClasses } from '../../toybox/index.ts';
import type { BatchSource } from '../loop/batches.ts';
import type { CheckpointStore } from '../loop/checkpoint.ts';
import { Predictor } from '../loop/predict.ts';
import { type TrainProgress, train } from '../loop/trainer.ts';
import { type Judgement, judge, scoreOf } from './judge.ts';
import { type PictureSource, pictureSample } from './pictures.ts';
import { type SoundSource, soundSample } from './sounds.ts';
import { exampleOf, headPrefix, studentModel, targetFor, truthFor } from './student.ts';
import type { Sample, Teacher } from './teacher.ts';
import { truthsOf } from './truth.ts';

/** What is drawn from: each source as often as another. */
export type Material = { pictures: readonly PictureSource[] } | { sounds: readonly SoundSource[] };

export type PretrainOptions = {
  runtime: Runtime;
  preset: BackbonePreset;
  /** Of the preset's sense, opened; they are not disposed. */
  teachers: readonly Teacher[];
  material: Material;
  /** Steps of so many samples. */
  steps: number;
  batch: number;
  seed: number;
  rate: number;
  /** Weights to start from. */
  from?: Weights;
  /** Leaves out what made samples are known to show or play: then nothing has a label. */
  teachersOnly?: boolean;
  /** Samples that the teachers' scales are learned from, and as many others that the result is judged by; default 256. */
  probes?: number;
  checkpoint?: { store: CheckpointStore; resume: boolean; every: number };
  /** What else must be the same for a resumed run. */
  identity?: Record<string, unknown>;
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
};

/** Judged on samples that were not trained on. */
export type Pretrained = Judgement & {
  /** The backbone's parameters by their published names: a moving average over the last steps. */
  weights: Weights;
};

/** Numbers of samples that are not trained on, far beyond those that are. */
const scaleSamples = 1e9;
const judgedSamples = 2e9;

/** Throws what `train` throws. */
export async function pretrain(options: PretrainOptions): Promise<Pretrained> {
  const { runtime, preset, teachers, steps, batch, seed, rate, probes = 256, checkpoint, signal } = options;
  const targets = teachers.map(({ taps }) => taps.map((tap) => targetFor(preset, tap)));
  const draw = drawing(options);
  for (const teacher of teachers) await teacher.measure(samples(draw, scaleSamples, probes), signal);
  signal?.throwIfAborted();
  const truth = truthFor(preset, options.teachersOnly ? 0 : toyboxClasses.length);
  const model = studentModel(preset, targets.flat(), truth);
  const input = inputOf(preset);
  const example = async (index: number) => {
    const sample = draw(index);
    const wanted: Float32Array[][] = [];
    for (const [i, teacher] of teachers.entries()) wanted.push(await teacher.targets(sample, targets[i]!));
    return exampleOf(input(sample), wanted.flat(), truthsOf(sample, truth));
  };
  const sourceOf = (size: number, first: number): BatchSource => ({
    size,
    id: (index) => `sample ${first + index}`,
    read: (index) => example(first + index),
  });
  const held: Record<string, Float32Array>[] = [];
  for (let index = 0; index < probes; index++) held.push(await example(judgedSamples + index));
  const predictor = await Predictor.open(runtime, model, batch);
  try {
    const judged = (weights: Weights) => judge(predictor, weights, held, targets.flat(), truth, signal);
    const { weights } = await train({
      runtime,
      model,
      data: sourceOf(steps * batch, 0),
      batch,
      steps,
      seed,
      optimizer: { decay: 0.05, average: 0.998 },
      schedule: { rate, warmup: 0.05, floor: 0.01 },
      from: options.from,
      evaluate: async (weights) => ({ score: scoreOf(await judged(weights)) }),
      evaluateEvery: Math.min(steps, 250),
      checkpoint: checkpoint && { store: checkpoint.store, every: checkpoint.every },
      resume: checkpoint?.resume,
      identity: options.identity,
      signal,
      onProgress: options.onProgress,
    });
    return {
      weights: new Map([...weights].filter(([name]) => !name.startsWith(headPrefix))),
      ...(await judged(weights)),
    };
  } finally {
    await predictor.dispose();
  }
}

function drawing({ material, preset, seed }: PretrainOptions): (index: number) => Sample {
  if ('pictures' in material) {
    const side = preset.modality === 'visual' ? preset.frontEnd.width : 0;
    return (index) => ({ picture: pictureSample(material.pictures, side, seed, index) });
  }
  const rate = preset.modality === 'audio' ? preset.frontEnd.sampleRate : 0;
  return (index) => ({ ...soundSample(material.sounds, rate, seed, index), rate });
}

function* samples(draw: (index: number) => Sample, first: number, count: number): Iterable<Sample> {
  for (let index = 0; index < count; index++) yield draw(first + index);
}

/** The backbone's own front end. */
function inputOf({ modality, frontEnd }: BackbonePreset): (sample: Sample) => Float32Array {
  if (modality === 'visual') return (sample) => pictureToTensor((sample as { picture: never }).picture, frontEnd);
  const logMel = createLogMel(frontEnd);
  return (sample) => logMel((sample as { pcm: Float32Array }).pcm);
}
