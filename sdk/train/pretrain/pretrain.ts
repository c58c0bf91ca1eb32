/**
 * Pretraining of a backbone: it learns to predict what frozen networks see and hear in pieces of pictures and sounds that are drawn, mixed and changed without
 * end, and what those that were made up are known to show or play (after Asano and Saeed, "Extrapolating from a Single Image to a Thousand Classes using Distillation", ICLR 2023).
 */
import type { Runtime } from '../../contract/runtime.ts';
import type { Weights } from '../../models/params.ts';
import type { BackbonePreset } from '../../models/presets.ts';
import { toyboxClasses } from '../../toybox/index.ts';
import type { CheckpointStore } from '../loop/checkpoint.ts';
import { Predictor } from '../loop/predict.ts';
import { type TrainProgress, train } from '../loop/trainer.ts';
import { heldSample, type Judgement, judge, scoreOf } from './judge.ts';
import { type Maker, type Material, makerOf } from './maker.ts';
import { halfOf } from './sizes.ts';
import { headPrefix, studentModel, truthFor } from './student.ts';
import { gridsOf } from './targets.ts';
import type { Sample, Scale, Teacher } from './teacher.ts';
import { type View, viewReader } from './views.ts';
import { passOf, type VisitPlan, visitor } from './visits.ts';

/** Makes views, keeps them while they are visited, and reads them. */
export type ViewSupply = {
  read(view: number): Promise<View>;
  /** From now on views from `first` to `end - 1` are read, and later those up to `next - 1`; all before `first` may be forgotten. */
  turnTo(first: number, end: number, next: number): void;
};

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
  /** Weights to start from, those of its heads among them if they are there. */
  from?: Weights;
  /** The first view; what was trained before on earlier ones sees none of them again. Default 0. */
  start?: number;
  /** How often each view is visited, and how many are made at a time; default once, and 2048 or one step's. */
  reuse?: number;
  chapter?: number;
  /** Trains on pictures of half the width and height, at a fifth of the cost; the weights are the same. */
  half?: boolean;
  /** Share of the steps, at their end, over which the learning rate falls; default 1, a whole cosine. Else it stays at its height before. */
  fall?: number;
  /** Leaves out what made samples are known to show or play: then nothing has a label. */
  teachersOnly?: boolean;
  /** Samples that the teachers' scales are learned from, and as many others that the result is judged by; default 256. */
  probes?: number;
  /** Where views are made and kept; default: here, in memory. */
  supply?: (maker: Maker, scales: readonly Scale[][]) => Promise<ViewSupply>;
  checkpoint?: { store: CheckpointStore; resume: boolean; every: number };
  /** Judges after so many steps; default 250. */
  judgeEvery?: number;
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
  const { runtime, teachers, steps, batch, seed, rate, probes = 256, checkpoint, signal, start = 0 } = options;
  const maker = makerOf(options);
  const scales: Scale[][] = [];
  const measured: Sample[] = [];
  for (let index = 0; index < probes; index++) measured.push(await maker.draw(scaleSamples + index));
  for (const teacher of teachers) scales.push(await teacher.measure(measured, signal));
  signal?.throwIfAborted();
  const preset = options.half ? halfOf(options.preset) : options.preset;
  const truth = truthFor(preset, options.teachersOnly ? 0 : toyboxClasses.length);
  const grids = gridsOf(preset);
  const targets = maker.targets.map((target) => (target.scores ? target : { ...target, grid: grids[target.stage]! }));
  const model = studentModel(preset, targets, truth);
  const example = viewReader({ preset: options.preset, targets: maker.targets }, { preset, targets, truth });
  const held: Record<string, Float32Array>[] = [];
  for (let index = 0; index < probes; index++) {
    signal?.throwIfAborted();
    held.push(heldSample(example(await maker.make(judgedSamples + index))));
  }
  const supply = (await options.supply?.(maker, scales)) ?? memorySupply(maker);
  const plan = visitPlan(options);
  const predictor = await Predictor.open(runtime, model, batch);
  try {
    const judged = (weights: Weights) => judge(predictor, weights, held, targets, truth, preset.modality, signal);
    const { weights } = await train({
      runtime,
      model,
      data: {
        size: steps * batch,
        id: (view) => `sample ${start + view}`,
        read: async (view) => example(await supply.read(start + view)),
      },
      order: turning(plan, start, supply),
      batch,
      steps,
      seed,
      optimizer: { decay: 0.05, average: 0.998 },
      schedule: { rate, warmup: Math.min(0.05, 500 / steps), floor: 0.01, fall: options.fall },
      from: options.from,
      evaluate: async (weights) => ({ score: scoreOf(await judged(weights)) }),
      evaluateEvery: Math.min(steps, options.judgeEvery ?? 250),
      checkpoint: checkpoint && { store: checkpoint.store, every: checkpoint.every },
      resume: checkpoint?.resume,
      identity: { ...options.identity, start, half: options.half === true, visits: plan },
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

/** A chapter is a whole number of steps. */
function visitPlan({ batch, seed, reuse = 1, chapter = 2048 }: PretrainOptions): VisitPlan {
  return { batch, seed, reuse, chapter: Math.max(1, Math.round(chapter / batch)) * batch };
}

/** The order of visits, which tells the supply whenever another pass begins. */
function turning(plan: VisitPlan, start: number, supply: ViewSupply): (step: number) => number[] {
  const visits = visitor(plan);
  let pass = -1;
  return (step) => {
    const { newest, oldest } = passOf(step, plan);
    const at = (chapter: number): number => start + chapter * plan.chapter;
    if (newest !== pass) supply.turnTo(at(oldest), at(newest + 1), at(newest + 2));
    pass = newest;
    return visits(step);
  };
}

function memorySupply(maker: Maker): ViewSupply {
  const views = new Map<number, Promise<View>>();
  return {
    read(view) {
      const found = views.get(view) ?? maker.make(view);
      views.set(view, found);
      return found;
    },
    turnTo(first) {
      for (const view of views.keys()) if (view < first) views.delete(view);
    },
  };
}
