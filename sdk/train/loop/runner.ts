/**
 * Runs training steps on a runtime and owns the state between them: arrays where the optimizer is a loop (CPU, WASM), tensors that stay on the GPU where it
 * is part of the graph. Which of the two is the device's matter; results are the same to rounding.
 */
import type { Tensor } from 'onnxruntime-common';
import type { Runtime } from '../../contract/runtime.ts';
import { RuntimeQueue } from '../../engine/queue.ts';
import { ReadBack } from '../../engine/read-back.ts';
import { disposeTensors, GraphSession, type Tensors } from '../../engine/session.ts';
import { type FlatGroup, pack, unpack } from './flat-state.ts';
import { type Arrays, copyArrays, type TrainState } from './init.ts';
import { decays, globalNorm, type OptimizerConfig, type Slot, stepScalars, updateArrays } from './optimizer.ts';
import { buildStep, type InputShapes, names, type OptimizerPlace, type Step, type TrainModel } from './step.ts';

export type Batch = Record<string, Float32Array>;

/** What a step says: its loss and metrics, and the norm of the gradients before clipping. */
export type StepReport = { loss: number; norm: number; metrics: Record<string, number>; finite: boolean };

/** Owns sessions and state; dispose of it. Calls may not overlap. */
export interface StepRunner {
  readonly step: Step;
  /**
   * One step at this learning rate. Where loss or gradients are not finite, the state stays as it was and `finite` is false.
   * Throws `device` if the GPU was lost.
   */
  run(batch: Batch, rate: number): Promise<StepReport>;
  /** A copy of the state after the last step. */
  state(): Promise<TrainState>;
  dispose(): Promise<void>;
}

export type RunnerOptions = {
  runtime: Runtime;
  model: TrainModel;
  batch: number;
  optimizer: OptimizerConfig;
  /** Default: `graph` on WebGPU, `host` otherwise. */
  place?: OptimizerPlace;
  /** The state to begin with, made for the step's parameters. */
  start: (step: Step) => TrainState;
};

export async function openRunner(options: RunnerOptions): Promise<StepRunner> {
  const { runtime, optimizer } = options;
  const place = options.place ?? (runtime.device === 'webgpu' ? 'graph' : 'host');
  const step = buildStep(options.model, options.batch, optimizer, place);
  const start = options.start(step);
  const queue = new RuntimeQueue();
  const contract = {
    inputs: [...Object.keys(step.inputs), ...Object.keys(step.state), ...step.scalars.map(names.scalar)],
    outputs: [...step.reports, ...step.results],
    ...(place === 'graph' ? { onGpu: step.results } : {}),
  };
  const source = { label: 'The training step', graph: step.onnx };
  const session = await queue.run(() => GraphSession.open(runtime, source, contract));
  const parts = { runtime, step, session, queue, optimizer };
  return place === 'host' ? new HostRunner(parts, start) : new GraphRunner(parts, start);
}

type Parts = {
  runtime: Runtime;
  step: Step;
  session: GraphSession;
  queue: RuntimeQueue;
  optimizer: OptimizerConfig;
};

/** Tensors over arrays, without a copy. */
export function tensorsOf(runtime: Runtime, arrays: Iterable<readonly [string, Float32Array]>, shapes: InputShapes) {
  const tensors: Tensors = {};
  for (const [name, data] of arrays) {
    if (shapes[name]) tensors[name] = new runtime.ort.Tensor('float32', data, [...shapes[name]]);
  }
  return tensors;
}

const numberIn = (tensor: Tensor): number => Number((tensor.data as Float32Array)[0]);

function reportOf({ step }: Parts, outputs: Tensors, norm: number): StepReport {
  const metrics = step.reports.filter((name) => name !== 'loss' && name !== names.norm);
  const loss = numberIn(outputs.loss!);
  return {
    loss,
    norm,
    metrics: Object.fromEntries(metrics.map((name) => [name, numberIn(outputs[name]!)])),
    finite: Number.isFinite(loss) && Number.isFinite(norm),
  };
}

class HostRunner implements StepRunner {
  readonly #parts: Parts;
  readonly #state: TrainState;

  constructor(parts: Parts, start: TrainState) {
    this.#parts = parts;
    this.#state = start;
  }

  get step(): Step {
    return this.#parts.step;
  }

  async run(batch: Batch, rate: number): Promise<StepReport> {
    const { runtime, step, session, queue, optimizer } = this.#parts;
    const state = this.#state;
    const feeds = {
      ...tensorsOf(runtime, state.parameters, step.state),
      ...tensorsOf(runtime, Object.entries(batch), step.inputs),
    };
    const outputs = await queue.run(() => session.run(feeds, [...step.reports, ...step.results]));
    const gradient = (name: string) => outputs[names.gradient(name)]!.data as Float32Array;
    const norm = globalNorm(step.specs.map(({ name }) => gradient(name)));
    const report = reportOf(this.#parts, outputs, norm);
    if (!report.finite) return report;
    const slots = step.specs.map((spec): Slot => {
      const { name } = spec;
      return {
        values: state.parameters.get(name)!,
        first: state.first.get(name)!,
        second: state.second.get(name)!,
        average: state.average?.get(name) ?? null,
        gradient: gradient(name),
        decays: decays(spec),
      };
    });
    updateArrays(slots, norm, stepScalars(state.step, rate, optimizer), optimizer);
    state.step++;
    return report;
  }

  async state(): Promise<TrainState> {
    return copyState(this.#state);
  }

  async dispose(): Promise<void> {
    await this.#parts.queue.dispose(() => this.#parts.session.release());
  }
}

class GraphRunner implements StepRunner {
  readonly #parts: Parts;
  #tensors: Tensors;
  #step: number;
  #reader: ReadBack | null = null;

  constructor(parts: Parts, start: TrainState) {
    this.#parts = parts;
    this.#step = start.step;
    this.#tensors = tensorsOf(parts.runtime, vectorsOf(start, parts.step.groups), parts.step.state);
  }

  get step(): Step {
    return this.#parts.step;
  }

  async run(batch: Batch, rate: number): Promise<StepReport> {
    const { runtime, step, session, queue, optimizer } = this.#parts;
    const { Tensor } = runtime.ort;
    const at = stepScalars(this.#step, rate, optimizer);
    const scalars = step.scalars.map((name) => [names.scalar(name), new Tensor('float32', [at[name]], [])]);
    const feeds = {
      ...this.#tensors,
      ...tensorsOf(runtime, Object.entries(batch), step.inputs),
      ...Object.fromEntries(scalars),
    };
    return await queue.run(async () => {
      const outputs = await session.run(feeds, [...step.reports, ...step.results]);
      const next = Object.fromEntries(Object.keys(step.state).map((name) => [name, outputs[names.next(name)]!]));
      const report = reportOf(this.#parts, outputs, numberIn(outputs[names.norm]!));
      disposeTensors(report.finite ? this.#tensors : next);
      if (!report.finite) return report;
      this.#tensors = next;
      this.#step++;
      return report;
    });
  }

  async state(): Promise<TrainState> {
    const { runtime, step, queue, optimizer } = this.#parts;
    const read = await queue.run(async () => {
      this.#reader ??= await ReadBack.open(runtime, step.state);
      return await this.#reader.read(this.#tensors);
    });
    const arrays = (name: (group: string) => string): Arrays => {
      const own = new Map(step.groups.flatMap((group) => unpack(group, read[name(group.name)]!)));
      return new Map(step.specs.map((spec) => [spec.name, own.get(spec.name)!]));
    };
    return {
      step: this.#step,
      parameters: arrays(names.values),
      first: arrays(names.first),
      second: arrays(names.second),
      average: optimizer.average === null ? null : arrays(names.average),
    };
  }

  async dispose(): Promise<void> {
    await this.#parts.queue.dispose(async () => {
      disposeTensors(this.#tensors);
      await this.#reader?.release();
      await this.#parts.session.release();
    });
  }
}

/** The vectors of a state by the names of the graph's inputs. */
function vectorsOf({ parameters, first, second, average }: TrainState, groups: readonly FlatGroup[]) {
  const named = (arrays: Arrays, name: (group: string) => string): [string, Float32Array][] =>
    groups.map((group) => [name(group.name), pack(group, arrays)]);
  return [
    ...named(parameters, names.values),
    ...named(first, names.first),
    ...named(second, names.second),
    ...(average ? named(average, names.average) : []),
  ];
}

export const copyState = (state: TrainState): TrainState => ({
  step: state.step,
  parameters: copyArrays(state.parameters),
  first: copyArrays(state.first),
  second: copyArrays(state.second),
  average: state.average && copyArrays(state.average),
});
