/**
 * A training step as one graph: parameters and a batch in, the loss out, and either every gradient (`host`: the optimizer is a loop over arrays) or the next
 * state (`graph`: the optimizer is inside, and the state may stay on a GPU). Only written here, not run.
 */
import { type ParamSpec, Params } from '../models/params.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { Graph, grad, reachable, type Shape, sizeOf, type Value } from '../ops/index.ts';
import { decays, normValue, type OptimizerConfig, type ScalarValues, updateValues } from './optimizer.ts';

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
  loss(outputs: Values, inputs: Values): Values & { loss: Value };
};

export type OptimizerPlace = 'host' | 'graph';

/** Names that a step's inputs and outputs have beside the parameters' own. */
export const names = {
  gradient: (parameter: string): string => `grad/${parameter}`,
  first: (parameter: string): string => `first/${parameter}`,
  second: (parameter: string): string => `second/${parameter}`,
  average: (parameter: string): string => `average/${parameter}`,
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
  /** The graph's inputs that hold state: parameters, and for `graph` moments and averages too. */
  state: InputShapes;
  /** The graph's scalar inputs; none for `host`. */
  scalars: (keyof ScalarValues)[];
  /** Outputs of one number each, `loss` first. */
  reports: string[];
  /** Outputs that hold gradients (`host`) or the next state (`graph`). */
  results: string[];
};

/** Builds the step for one size of batch. */
export function buildStep(model: TrainModel, batch: number, optimizer: OptimizerConfig, place: OptimizerPlace): Step {
  const { graph, params, inputs, report } = lossGraph(model, batch);
  const specs = [...params.specs.values()];
  const parameters = specs.map(({ name, shape, init }) => params.get(name, shape, init));
  const gradients = grad(report.loss, parameters);
  const outputs: Values = { ...report };
  const state: InputShapes = Object.fromEntries(specs.map(({ name, shape }) => [name, shape]));
  const scalars: (keyof ScalarValues)[] = [];
  const results: string[] = [];
  const put = (name: string, value: Value): void => {
    results.push(name);
    outputs[name] = value;
  };
  if (place === 'host') specs.forEach(({ name }, i) => put(names.gradient(name), gradients[i]!));
  else {
    const input = (name: string, shape: Shape): Value => {
      state[name] = shape;
      return graph.input(name, shape);
    };
    const at = scalarInputs(graph, optimizer);
    scalars.push(...(Object.keys(at) as (keyof ScalarValues)[]));
    const norm = graph.scope('optimizer', () => normValue(gradients));
    outputs[names.norm] = norm;
    specs.forEach((spec, i) => {
      const slot = {
        values: parameters[i]!,
        first: input(names.first(spec.name), spec.shape),
        second: input(names.second(spec.name), spec.shape),
        average: optimizer.average === null ? null : input(names.average(spec.name), spec.shape),
        gradient: gradients[i]!,
      };
      const next = graph.scope(`optimizer/${spec.name}`, () =>
        updateValues(graph, slot, decays(spec), norm, at, optimizer),
      );
      put(names.next(spec.name), next.values);
      put(names.next(names.first(spec.name)), next.first);
      put(names.next(names.second(spec.name)), next.second);
      if (next.average) put(names.next(names.average(spec.name)), next.average);
    });
  }
  return {
    onnx: writeOnnx(outputs, { name: 'step' }),
    place,
    batch,
    specs,
    inputs: readOf(outputs, inputs),
    state,
    scalars,
    reports: [...Object.keys(report), ...(place === 'graph' ? [names.norm] : [])],
    results,
  };
}

/** The model's outputs without loss or gradient, for the same parameters as inputs. */
export type Forward = Pick<Step, 'onnx' | 'batch' | 'specs' | 'inputs'> & { outputs: InputShapes };

export function buildForward(model: TrainModel, batch: number): Forward {
  const graph = new Graph();
  const params = Params.inputs(graph);
  const inputs = inputValues(graph, model.inputs(batch));
  const outputs = model.forward(params, inputs);
  return {
    onnx: writeOnnx(outputs, { name: 'forward' }),
    batch,
    specs: [...params.specs.values()],
    inputs: readOf(outputs, inputs),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, shape])),
  };
}

/** The loss of a model as a graph with its parameters as inputs. */
export function lossGraph(
  model: TrainModel,
  batch: number,
): { graph: Graph; params: Params; inputs: Values; report: Values & { loss: Value } } {
  const graph = new Graph();
  const params = Params.inputs(graph);
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

/** Those of `inputs` that `outputs` depend on: the emitted graph has no others. */
function readOf(outputs: Values, inputs: Values): InputShapes {
  const read = new Set(reachable(Object.values(outputs)));
  const shapes = Object.entries(inputs).map(([name, value]) => (read.has(value) ? [[name, value.shape] as const] : []));
  return Object.fromEntries(shapes.flat());
}
