/**
 * A training step as one graph: parameters and a batch in, the loss out, and either every gradient (`host`: the optimizer is a loop over arrays) or the next
 * state (`graph`: the optimizer is inside, and the state may stay on a GPU). Only written here, not run.
 */
import { type ParamSpec, Params } from '../../models/params.ts';
import { writeOnnx } from '../../onnx/writer.ts';
import { Graph, grad, reachable, reshape, type Shape, sizeOf, type Value } from '../../ops/index.ts';
import { type FlatGroup, flatGroups, joined, partOf, rows } from './flat-state.ts';
import { normValue, type OptimizerConfig, type ScalarValues, updateValues } from './optimizer.ts';

/** Shapes by input name, the batch's axis included. */
export type InputShapes = Record<string, Shape>;
export type Values = Record<string, Value>;

/** What is trained: a model and its loss, over parameters that it asks for by name. */
export type TrainModel = {
  /** Shapes of all inputs for a batch of so many examples; each is `batch` times what one example has. */
  inputs(batch: number): InputShapes;
  /** What the model says about inputs that are no labels. */
  forward(p: Params, inputs: Values): Values;
  /** `loss` is one number; all others are metrics, one number each, and are only reported. */
  loss(
    outputs: Values,
    inputs: Values,
  ): Values & {
    /** What the gradients are of. */
    loss: Value;
  };
};

/** On the CPU, or in the step's graph. */
export type OptimizerPlace = 'host' | 'graph';

/** Names that a step's inputs and outputs have beside the parameters' own; groups are those of {@link FlatGroup}. */
export const names = {
  gradient: (parameter: string): string => `grad/${parameter}`,
  values: (group: string): string => `values/${group}`,
  first: (group: string): string => `first/${group}`,
  second: (group: string): string => `second/${group}`,
  average: (group: string): string => `average/${group}`,
  next: (input: string): string => `next/${input}`,
  scalar: (name: keyof ScalarValues): string => `at/${name}`,
  norm: 'gradient norm',
};

export type Step = {
  onnx: Uint8Array<ArrayBuffer>;
  place: OptimizerPlace;
  batch: number;
  /** All parameters, in the order that the model asked for them. */
  specs: ParamSpec[];
  /** The batch's inputs. */
  inputs: InputShapes;
  /** The graph's inputs that hold state: for `host` the parameters, for `graph` the vectors of each group with moments and averages. */
  state: InputShapes;
  /** How parameters lie in those vectors; none for `host`. */
  groups: FlatGroup[];
  /** The graph's scalar inputs; none for `host`. */
  scalars: (keyof ScalarValues)[];
  /** Outputs of one number each, `loss` first. */
  reports: string[];
  /** Outputs that hold gradients (`host`) or the next state (`graph`). */
  results: string[];
};

/** Builds the step for one size of batch. */
export const buildStep = (model: TrainModel, batch: number, optimizer: OptimizerConfig, place: OptimizerPlace): Step =>
  place === 'host' ? hostStep(model, batch) : graphStep(model, batch, optimizer);

function hostStep(model: TrainModel, batch: number): Step {
  const { params, inputs, report } = lossGraph(model, batch);
  const specs = [...params.specs.values()];
  const gradients = grad(
    report.loss,
    specs.map(({ name, shape, init }) => params.get(name, shape, init)),
  );
  const results = Object.fromEntries(specs.map(({ name }, i) => [names.gradient(name), gradients[i]!]));
  const outputs = { ...report, ...results };
  return {
    ...written('step', outputs, batch, params, inputs),
    place: 'host',
    state: Object.fromEntries(specs.map(({ name, shape }) => [name, shape])),
    groups: [],
    scalars: [],
    reports: Object.keys(report),
    results: Object.keys(results),
  };
}

function graphStep(model: TrainModel, batch: number, optimizer: OptimizerConfig): Step {
  const groups = flatGroups(lossGraph(model, batch).params.specs.values());
  const vectors = new Map<string, Value>();
  const parts = new Map<string, Value>();
  const { graph, params, inputs, report } = lossGraph(model, batch, (graph) => {
    for (const { name, size } of groups) vectors.set(name, graph.input(names.values(name), [size]));
    return Params.made(graph, ({ name, shape }) => {
      const group = groups.find(({ places }) => places.has(name))!;
      const part = partOf(group, vectors.get(group.name)!, name);
      parts.set(name, part);
      return reshape(part, shape);
    });
  });
  // By parts, not by their reshapes: a model that reshapes a parameter once more reads the part.
  const gradients = grad(report.loss, [...parts.values()]);
  const ofPart = new Map([...parts.keys()].map((name, i) => [name, gradients[i]!]));
  const flat = groups.map((group) => joined(group, ofPart));
  const at = scalarInputs(graph, optimizer);
  const norm = graph.scope('optimizer', () => normValue(flat, rows));
  const state: InputShapes = {};
  const results: Values = {};
  groups.forEach((group, i) => {
    const input = (name: string): Value => graph.input(name, [group.size]);
    const slot = {
      values: vectors.get(group.name)!,
      first: input(names.first(group.name)),
      second: input(names.second(group.name)),
      average: optimizer.average === null ? null : input(names.average(group.name)),
      gradient: flat[i]!,
    };
    const next = graph.scope(`optimizer/${group.name}`, () =>
      updateValues(graph, slot, group.decays, norm, at, optimizer),
    );
    for (const kind of ['values', 'first', 'second', 'average'] as const) {
      const value = next[kind];
      if (!value) continue;
      const name = names[kind](group.name);
      state[name] = [group.size];
      results[names.next(name)] = value;
    }
  });
  const outputs = { ...report, [names.norm]: norm, ...results };
  return {
    ...written('step', outputs, batch, params, inputs),
    place: 'graph',
    state,
    groups,
    scalars: Object.keys(at) as (keyof ScalarValues)[],
    reports: [...Object.keys(report), names.norm],
    results: Object.keys(results),
  };
}

/** The model's outputs without loss or gradient, for the same parameters as inputs. */
export type Forward = Written & { outputs: InputShapes };

export function buildForward(model: TrainModel, batch: number): Forward {
  const graph = new Graph();
  const params = Params.inputs(graph);
  const inputs = inputValues(graph, model.inputs(batch));
  const outputs = model.forward(params, inputs);
  return {
    ...written('forward', outputs, batch, params, inputs),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, shape])),
  };
}

/** The loss of a model as a graph with its parameters as inputs, or as `makeParams` has them. */
export function lossGraph(
  model: TrainModel,
  batch: number,
  makeParams: (graph: Graph) => Params = Params.inputs,
): { graph: Graph; params: Params; inputs: Values; report: Values & { loss: Value } } {
  const graph = new Graph();
  const params = makeParams(graph);
  const inputs = inputValues(graph, model.inputs(batch));
  const outputs = model.forward(params, inputs);
  const report = graph.scope('loss', () => model.loss(outputs, inputs));
  for (const name of Object.keys(inputs)) {
    if (params.specs.has(name)) throw new Error(`"${name}" names a parameter and an input`);
  }
  for (const [name, value] of Object.entries(report)) {
    if (sizeOf(value.shape) !== 1) throw new Error(`${name} must be one number, got [${value.shape}]`);
  }
  const { loss, ...metrics } = report;
  return { graph, params, inputs, report: { loss, ...metrics } };
}

const inputValues = (graph: Graph, shapes: InputShapes): Values =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, graph.input(name, shape)]));

function scalarInputs(graph: Graph, optimizer: OptimizerConfig): ScalarValues {
  const scalar = (name: keyof ScalarValues): Value => graph.input(names.scalar(name), []);
  const at = { rate: scalar('rate'), correction1: scalar('correction1'), correction2: scalar('correction2') };
  // Without an average nothing reads its share, and a graph has no input that nothing reads.
  return optimizer.average === null ? (at as ScalarValues) : { ...at, keep: scalar('keep') };
}

type Written = Pick<Step, 'onnx' | 'batch' | 'specs' | 'inputs'>;

const written = (name: string, outputs: Values, batch: number, params: Params, inputs: Values): Written => ({
  onnx: writeOnnx(outputs, { name }),
  batch,
  specs: [...params.specs.values()],
  inputs: readOf(outputs, inputs),
});

/** Those of `inputs` that `outputs` depend on: the emitted graph has no others. */
function readOf(outputs: Values, inputs: Values): InputShapes {
  const read = new Set(reachable(Object.values(outputs)));
  const shapes = Object.entries(inputs).map(([name, value]) => (read.has(value) ? [[name, value.shape] as const] : []));
  return Object.fromEntries(shapes.flat());
}
