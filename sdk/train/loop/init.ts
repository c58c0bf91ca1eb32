/** Everything that training changes, as arrays: what it starts from, what a checkpoint holds. */
import { MettleError } from '../../errors.ts';
import { initialize, type ParamSpec, type Weights } from '../../models/params.ts';
import { sizeOf } from '../../ops/index.ts';

export type Arrays = Map<string, Float32Array>;

/** Arrays by the parameters' names, all of the parameters' sizes. */
export type TrainState = {
  /** Steps done. */
  step: number;
  parameters: Arrays;
  /** Moments of the optimizer. */
  first: Arrays;
  second: Arrays;
  /** Moving average of the parameters, where one is kept. */
  average: Arrays | null;
};

/**
 * The state before the first step: `from` where it has a name, noise by the seed and the name where not.
 * Throws `incompatible` where a starting weight has another size.
 */
export function initialState(
  specs: Iterable<ParamSpec>,
  seed: number,
  { from, average = false }: { from?: Weights; average?: boolean } = {},
): TrainState {
  const parameters: Arrays = new Map();
  for (const spec of specs) {
    const given = from?.get(spec.name);
    if (given && given.length !== sizeOf(spec.shape)) {
      throw new MettleError(
        'incompatible',
        `The starting weight "${spec.name}" has ${given.length} values, expected [${spec.shape}].`,
        { hint: 'Start from weights of an adapter with the same configuration and backbone.' },
      );
    }
    parameters.set(spec.name, given ? Float32Array.from(given) : initialize(spec, seed));
  }
  return {
    step: 0,
    parameters,
    first: mapArrays(parameters, (data) => new Float32Array(data.length)),
    second: mapArrays(parameters, (data) => new Float32Array(data.length)),
    average: average ? copyArrays(parameters) : null,
  };
}

export const mapArrays = (arrays: Weights, make: (data: Float32Array) => Float32Array): Arrays =>
  new Map([...arrays].map(([name, data]) => [name, make(data)]));
export const copyArrays = (arrays: Weights): Arrays => mapArrays(arrays, (data) => data.slice());
