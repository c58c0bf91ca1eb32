/**
 * Training from start to end: batches in a seeded order, a schedule, evaluation with selection of the best weights, checkpoints that an interrupted run goes
 * on from, and a stop where numbers stop being numbers. Knows no task: model, data and evaluation are given.
 */

import {
  anything,
  callback,
  checkOptions,
  flag,
  nested,
  oneOf,
  type Rules,
  record,
  required,
  signal as signalRule,
  text,
} from '../../contract/options.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { callersOwn, throughDoor } from '../../door.ts';
import { MettleError } from '../../errors.ts';
import type { Weights } from '../../models/params.ts';
import { type BatchSource, batchIndices, ReadAhead, stackBatch, stepsPerEpoch } from './batches.ts';
import { type Best, type CheckpointStore, type Evaluation, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { copyArrays, initialState, type TrainState } from './init.ts';
import { checkOptimizer, defaultOptimizer, type OptimizerConfig } from './optimizer.ts';
import { type Batch, openRunner, type StepReport, type StepRunner } from './runner.ts';
import { cosineWithWarmup, defaultSchedule, type ScheduleConfig } from './schedule.ts';
import type { OptimizerPlace, TrainModel } from './step.ts';

/** What `train` takes. */
export type TrainOptions = {
  /** Runs the steps. */
  runtime: Runtime;
  /** What is trained. */
  model: TrainModel;
  /** The examples to learn from. */
  data: BatchSource;
  /** Examples per step. */
  batch: number;
  /** Which examples a step takes; default: in every epoch each once, in a seeded order. It must not depend on what was asked for before. */
  order?: (step: number) => readonly number[];
  /** How long, in passes over the data. Either this or `steps`. */
  epochs?: number;
  /** How long, in steps. Either this or `epochs`. */
  steps?: number;
  /** Decides starting weights and order; two runs with one seed on one device give the same weights. */
  seed: number;
  /** Default: {@link defaultOptimizer}. */
  optimizer?: Partial<OptimizerConfig>;
  /** Default: {@link defaultSchedule}. */
  schedule?: Partial<ScheduleConfig>;
  /** Weights to start from, where they have a parameter's name. */
  from?: Weights;
  /**
   * Scores weights (the moving average, where one is kept) on the validation split, after every `evaluateEvery` steps and at the end.
   * The weights with the highest score are the result; without `evaluate` the last ones are.
   * Where it rejects because of an abort, a resumed run makes it again.
   */
  evaluate?: (weights: Weights, at: { step: number; epoch: number }) => Promise<Evaluation>;
  /** Steps from one evaluation to the next. Default: an epoch's. */
  evaluateEvery?: number;
  /** Saves a checkpoint now and then, at the end, and when aborted. */
  checkpoint?: {
    /** Keeps it by name. */
    store: CheckpointStore;
    /** Default: `checkpoint.safetensors`. */
    name?: string;
    /** Steps from one to the next. Default: an epoch's. */
    every?: number;
  };
  /** Goes on from the checkpoint where there is one. */
  resume?: boolean;
  /** What else must be the same for a resumed run to be the same run, such as the model's configuration; plain JSON. */
  identity?: Record<string, unknown>;
  /** Ends the training: it rejects with the signal's reason, after a checkpoint where there is one. */
  signal?: AbortSignal;
  /** Called after every step. */
  onProgress?: (progress: TrainProgress) => void;
  /** Where the optimizer runs; default by device. */
  place?: OptimizerPlace;
};

const optimizerRules: Rules<OptimizerConfig> = {
  beta1: anything,
  beta2: anything,
  epsilon: anything,
  decay: anything,
  clip: anything,
  average: anything,
};
const scheduleRules: Rules<ScheduleConfig> = { rate: anything, warmup: anything, floor: anything, fall: anything };
/** Names and kinds; numbers are checked where they are counted with. */
const trainRules: Rules<TrainOptions> = {
  runtime: required(record),
  model: required(record),
  data: required(record),
  batch: anything,
  order: callback,
  epochs: anything,
  steps: anything,
  seed: anything,
  optimizer: nested(optimizerRules),
  schedule: nested(scheduleRules),
  from: record,
  evaluate: callback,
  evaluateEvery: anything,
  checkpoint: nested<NonNullable<TrainOptions['checkpoint']>>({ store: required(record), name: text, every: anything }),
  resume: flag,
  identity: record,
  signal: signalRule,
  onProgress: callback,
  place: oneOf('graph', 'host'),
};

/** Where a training stands. */
export type TrainProgress = {
  /** Steps done, of `steps`. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** The epoch of this step, from 0. */
  epoch: number;
  /** Of this step's batch. */
  loss: number;
  /** What else the model reports of this step's batch, by name. */
  metrics: Record<string, number>;
  /** Norm of the gradients before clipping. */
  gradientNorm: number;
  /** Learning rate of this step. */
  rate: number;
  /** Examples, from this step's time and those before it. */
  samplesPerSecond: number;
  /** An estimate. */
  secondsLeft: number;
  /** Set where this step was followed by an evaluation. */
  evaluation: Evaluation | null;
};

/** What a training gave. */
export type TrainResult = {
  /** The selected weights. */
  weights: Weights;
  /** Where the selected weights are from; null where nothing was evaluated. */
  best: {
    /** Steps that were done. */
    step: number;
    /** Its scores. */
    evaluation: Evaluation;
  } | null;
  /** The state after the last step. */
  last: TrainState;
};

/** The name that a checkpoint has where none was given. */
export const checkpointName = 'checkpoint.safetensors';

/**
 * Trains and returns the selected weights. Throws `diverged` (naming step, examples and the last good checkpoint) for a loss that is not finite,
 * `invalid-argument` for options or data that are none, `incompatible` for a checkpoint of another training, `device` (naming the last whole step and the last
 * good checkpoint) if the GPU was lost, and `signal.reason` when aborted.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  return await throughDoor(options?.signal, () => {
    checkOptions(options, trainRules);
    const { data, model, checkpoint } = options;
    return runWhole({
      ...callersOwn(options),
      data: callersOwn(data),
      model: callersOwn(model),
      checkpoint: checkpoint && { ...checkpoint, store: callersOwn(checkpoint.store) },
    });
  });
}

async function runWhole(options: TrainOptions): Promise<TrainResult> {
  options.signal?.throwIfAborted();
  const run = new Run(options);
  const runner = await run.open();
  try {
    return await run.steps(runner);
  } finally {
    await runner.dispose();
  }
}

class Run {
  readonly #options: TrainOptions;
  readonly #total: number;
  readonly #perEpoch: number;
  readonly #optimizer: OptimizerConfig;
  readonly #schedule: ScheduleConfig;
  readonly #rate: (step: number) => number;
  #best: Best | null = null;
  #step = 0;
  #saved: number | null = null;
  #owesEvaluation = false;

  constructor(options: TrainOptions) {
    checkAmounts(options);
    this.#options = options;
    this.#perEpoch = stepsPerEpoch(options.data.size, options.batch);
    this.#total = options.steps ?? options.epochs! * this.#perEpoch;
    this.#optimizer = { ...defaultOptimizer, ...options.optimizer };
    checkOptimizer(this.#optimizer);
    this.#schedule = { ...defaultSchedule, ...options.schedule };
    this.#rate = cosineWithWarmup(this.#total, this.#schedule);
  }

  /** What must be the same for a resumed run to be the same run. */
  get #plan(): Record<string, unknown> {
    const { seed, batch, data, identity } = this.#options;
    const fixed = { seed, batch, examples: data.size, steps: this.#total };
    return { ...identity, ...fixed, optimizer: this.#optimizer, schedule: this.#schedule };
  }

  get #name(): string {
    return this.#options.checkpoint?.name ?? checkpointName;
  }

  async open(): Promise<StepRunner> {
    const { runtime, model, batch, place, seed, from, resume, checkpoint } = this.#options;
    const bytes = resume && checkpoint ? await checkpoint.store.load(this.#name) : null;
    return await openRunner({
      runtime,
      model,
      batch,
      place,
      optimizer: this.#optimizer,
      start: ({ specs }) => {
        if (!bytes) return initialState(specs, seed, { from, average: this.#optimizer.average !== null });
        const { state, best, owesEvaluation } = readCheckpoint(bytes, specs, this.#plan);
        this.#best = best;
        this.#owesEvaluation = owesEvaluation;
        this.#step = this.#saved = state.step;
        return state;
      },
    });
  }

  /** All steps that are left. Whatever an abort interrupts, it leaves a checkpoint of the last whole step. */
  async steps(runner: StepRunner): Promise<TrainResult> {
    const { data, batch, seed, signal } = this.#options;
    const order = this.#options.order ?? ((step: number) => batchIndices(data.size, batch, seed, step));
    const batches = new ReadAhead(this.#total, async (step) => {
      const indices = order(step);
      return { indices, arrays: await stackBatch(data, indices, runner.step.inputs, batch) };
    });
    try {
      return await this.#run(runner, batches);
    } catch (error) {
      if (isDeviceError(error)) throw this.#stopped(error);
      if (!signal?.aborted) throw error;
      await this.#save(runner).catch((failure: unknown) => {
        throw isDeviceError(failure) ? this.#stopped(failure) : failure;
      });
      throw signal.reason;
    } finally {
      await batches.settle();
    }
  }

  async #run(
    runner: StepRunner,
    batches: ReadAhead<{ indices: readonly number[]; arrays: Batch }>,
  ): Promise<TrainResult> {
    const { signal, onProgress, checkpoint } = this.#options;
    if (this.#owesEvaluation) await this.#evaluate(runner);
    const began = { step: this.#step, at: performance.now() };
    while (this.#step < this.#total) {
      signal?.throwIfAborted();
      const step = this.#step;
      const { indices, arrays } = await batches.take(step);
      const rate = this.#rate(step);
      const report = await runner.run(arrays, rate);
      if (!report.finite) throw this.#diverged(report, indices);
      this.#step++;
      const evaluation = await this.#evaluate(runner);
      if (this.#isDue(checkpoint?.every)) await this.#save(runner);
      onProgress?.({ ...this.#progress(report, began), epoch: Math.floor(step / this.#perEpoch), rate, evaluation });
    }
    const last = await runner.state();
    const { weights, ...best } = this.#best ?? { weights: last.average ?? last.parameters, step: 0 };
    return { weights, best: 'evaluation' in best ? best : null, last };
  }

  #isDue(every = this.#perEpoch): boolean {
    return this.#step % every === 0 || this.#step === this.#total;
  }

  async #evaluate(runner: StepRunner): Promise<Evaluation | null> {
    const { evaluate, evaluateEvery } = this.#options;
    if (!evaluate || !this.#isDue(evaluateEvery)) return null;
    this.#owesEvaluation = true;
    const { parameters, average } = await runner.state();
    const weights = average ?? parameters;
    const evaluation = await evaluate(weights, {
      step: this.#step,
      epoch: Math.floor((this.#step - 1) / this.#perEpoch),
    });
    if (!this.#best || evaluation.score > this.#best.evaluation.score) {
      this.#best = { step: this.#step, evaluation, weights: copyArrays(weights) };
    }
    this.#owesEvaluation = false;
    return evaluation;
  }

  async #save(runner: StepRunner): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint || this.#saved === this.#step) return;
    const state = await runner.state();
    const progress = { best: this.#best, owesEvaluation: this.#owesEvaluation };
    const bytes = writeCheckpoint({ state, ...progress, plan: this.#plan }, runner.step.specs);
    await checkpoint.store.save(this.#name, bytes);
    this.#saved = this.#step;
  }

  #progress({ loss, metrics, norm }: StepReport, began: { step: number; at: number }) {
    const { data, batch } = this.#options;
    const secondsPerStep = (performance.now() - began.at) / 1000 / (this.#step - began.step);
    return {
      step: this.#step,
      steps: this.#total,
      loss,
      metrics,
      gradientNorm: norm,
      samplesPerSecond: Math.min(batch, data.size) / secondsPerStep,
      secondsLeft: secondsPerStep * (this.#total - this.#step),
    };
  }

  get #lastGood(): string {
    if (this.#saved === null) return 'No checkpoint was saved.';
    return `The last good checkpoint is "${this.#name}" of step ${this.#saved}.`;
  }

  #stopped(cause: MettleError): MettleError {
    const message = `Training stopped after step ${this.#step} of ${this.#total}. ${cause.message} ${this.#lastGood}`;
    const hint =
      this.#saved === null
        ? 'Begin anew once the GPU is back, or on another device.'
        : 'Go on from the checkpoint once the GPU is back, or on another device: mettle train --resume, or resume in code.';
    return new MettleError('device', message, { hint, cause });
  }

  #diverged({ loss, norm }: StepReport, indices: readonly number[]): MettleError {
    const ids = indices.map((index) => this.#options.data.id(index)).join(', ');
    return new MettleError(
      'diverged',
      `Step ${this.#step + 1} gave a loss of ${loss} and gradients of norm ${norm} on the examples ${ids}. ${this.#lastGood}`,
      {
        hint: 'Check these examples for numbers that are none; if they are sound, lower the learning rate or the clipping norm.',
      },
    );
  }
}

const isDeviceError = (error: unknown): error is MettleError => error instanceof MettleError && error.code === 'device';

function checkAmounts({ data, batch, epochs, steps, evaluateEvery, checkpoint, seed }: TrainOptions): void {
  const fail = (message: string, hint: string): never => {
    throw new MettleError('invalid-argument', message, { hint });
  };
  const count = (x: number): boolean => Number.isSafeInteger(x) && x > 0;
  if (!count(data.size)) fail(`The training data has ${data.size} examples.`, 'Give at least one.');
  if (!count(batch)) fail(`batch is ${batch}, expected a whole number above 0.`, 'Give the examples per step.');
  if ((epochs === undefined) === (steps === undefined))
    fail('Either epochs or steps must be given.', 'Give one of them.');
  const given = { epochs, steps, evaluateEvery, 'checkpoint.every': checkpoint?.every };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !count(value))
      fail(`${name} is ${value}, expected a whole number above 0.`, `Correct ${name}.`);
  }
  if (!Number.isSafeInteger(seed)) fail(`seed is ${seed}, expected a whole number.`, 'Give a seed, such as 1.');
}
