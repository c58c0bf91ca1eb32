/**
 * The state of a training on a GPU: all parameters that decay in one vector and all others in a second, their moments and averages likewise. An operation there
 * takes as long to start as thousands of numbers take to compute, and an optimizer of some twenty operations per parameter would be most of a step.
 */
import type { ParamSpec } from '../../models/params.ts';
import { concat, type Shape, sizeOf, slice, type Value } from '../../ops/index.ts';
import type { Arrays } from './init.ts';
import { decays } from './optimizer.ts';

/** Sums over a whole vector run as so many sums side by side, and one over those. */
export const rows = 1024;

export type FlatGroup = {
  name: 'decaying' | 'steady';
  decays: boolean;
  /** Where each parameter lies. */
  places: ReadonlyMap<string, { start: number; end: number; shape: Shape }>;
  /** Length of the vector: of all parameters, and zeros up to a multiple of `rows`. */
  size: number;
};

/** One or two groups, whose parameters lie in the order given. */
export function flatGroups(specs: Iterable<ParamSpec>): FlatGroup[] {
  const all = [...specs];
  return [true, false].flatMap((shrinks): FlatGroup[] => {
    const own = all.filter((spec) => decays(spec) === shrinks);
    if (own.length === 0) return [];
    let at = 0;
    const places = own.map(({ name, shape }) => {
      const start = at;
      at += sizeOf(shape);
      return [name, { start, end: at, shape }] as const;
    });
    const size = rows * Math.ceil(at / rows);
    return [{ name: shrinks ? 'decaying' : 'steady', decays: shrinks, places: new Map(places), size }];
  });
}

/** The arrays of a group's parameters as its vector. */
export function pack({ places, size }: FlatGroup, arrays: Arrays): Float32Array {
  const vector = new Float32Array(size);
  for (const [name, { start }] of places) vector.set(arrays.get(name)!, start);
  return vector;
}

/** Copies of the parameters' arrays, by name. */
export const unpack = ({ places }: FlatGroup, vector: Float32Array): [string, Float32Array][] =>
  [...places].map(([name, { start, end }]) => [name, vector.slice(start, end)]);

/** A parameter's part of its group's vector, [size], of which the parameter is a reshape. */
export function partOf({ places }: FlatGroup, vector: Value, name: string): Value {
  const { start, end } = places.get(name)!;
  return slice(vector, 0, start, end);
}

/** Gradients of a group's parameters' parts, by the parameters' names, as a vector like the group's. */
export function joined({ places, size }: FlatGroup, gradients: ReadonlyMap<string, Value>): Value {
  const parts = [...places.keys()].map((name) => gradients.get(name)!);
  const filled = [...places.values()].at(-1)!.end;
  if (filled < size) parts.push(parts[0]!.graph.constant(new Float32Array(size - filled), [size - filled]));
  return concat(parts, 0);
}
