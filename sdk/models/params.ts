/**
 * The parameters of a model: it asks for each by name and shape and says how it starts. Whoever builds the model decides what they are:
 * constants from a file, inputs that training updates, or only a list to count.
 */
import { type Graph, type Shape, sizeOf, type Value } from '../ops/index.ts';
import { gaussian, seededRandom } from '../random.ts';

/** How a parameter starts: a constant, a normal distribution cut at two deviations, or one whose deviation keeps variance over its fan-in. */
export type Init = { constant: number } | { normal: number } | 'fan-in';

export type ParamSpec = { name: string; shape: Shape; init: Init };
/** Numbers of every parameter by its name, rows first. */
export type Weights = ReadonlyMap<string, Float32Array>;

export class Params {
  private constructor(
    readonly graph: Graph,
    private readonly prefix: string,
    private readonly make: (spec: ParamSpec) => Value,
    /** All parameters asked for so far, by name. */
    readonly specs: Map<string, ParamSpec>,
  ) {}

  /** Parameters are constants: `weights` where it has the name, else seeded noise as their specs say. */
  static constants(graph: Graph, weights: Weights | { seed: number }): Params {
    return new Params(graph, '', (spec) => graph.constant(dataOf(spec, weights), spec.shape, spec.name), new Map());
  }

  /** Parameters are constants that `load` fetches when they are written. */
  static deferred(graph: Graph, load: (spec: ParamSpec) => Promise<Float32Array>): Params {
    return new Params(graph, '', (spec) => graph.deferred(() => load(spec), spec.shape, spec.name), new Map());
  }

  /** Parameters are graph inputs. */
  static inputs(graph: Graph): Params {
    return new Params(graph, '', (spec) => graph.input(spec.name, spec.shape), new Map());
  }

  /** Parameters are whatever `make` gives for them, of their shapes. */
  static made(graph: Graph, make: (spec: ParamSpec) => Value): Params {
    return new Params(graph, '', make, new Map());
  }

  /** The parameter of this name, made the first time it is asked for. */
  get(name: string, shape: Shape, init: Init): Value {
    const spec = { name: this.prefix + name, shape, init };
    this.specs.set(spec.name, spec);
    return this.graph.remember(`parameter ${spec.name}`, () => this.make(spec));
  }

  /** The same parameters, all names with `name.` before them; values made inside `build` carry it in their names too. */
  in<T>(name: string, build: (params: Params) => T): T {
    const inner = new Params(this.graph, `${this.prefix}${name}.`, this.make, this.specs);
    return this.graph.scope(name, () => build(inner));
  }
}

/** The numbers of one parameter. */
export function dataOf(spec: ParamSpec, weights: Weights | { seed: number }): Float32Array {
  if ('seed' in weights) return initialize(spec, weights.seed);
  const data = weights.get(spec.name);
  if (!data) throw new Error(`no weights for ${spec.name}`);
  if (data.length !== sizeOf(spec.shape)) throw new Error(`${spec.name}: ${data.length} values for [${spec.shape}]`);
  return data;
}

/** Starting values of one parameter; they depend on the seed and its name alone, not on the order of the model. */
export function initialize(spec: ParamSpec, seed: number): Float32Array {
  const data = new Float32Array(sizeOf(spec.shape));
  if (typeof spec.init === 'object' && 'constant' in spec.init) return data.fill(spec.init.constant);
  const fanIn = sizeOf(spec.shape.slice(1));
  const deviation = spec.init === 'fan-in' ? 1 / Math.sqrt(fanIn) : spec.init.normal;
  const random = seededRandom(`${seed} ${spec.name}`);
  for (let i = 0; i < data.length; i++) data[i] = deviation * Math.max(-2, Math.min(2, gaussian(random)));
  return data;
}

/** How many numbers the parameters hold. */
export const countParams = (specs: Iterable<ParamSpec>): number =>
  [...specs].reduce((total, spec) => total + sizeOf(spec.shape), 0);
