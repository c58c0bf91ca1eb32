/** Compares a graph's gradients with finite differences in float64. */
import { expect } from 'vitest';
import { grad, sizeOf, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { interpret } from './interpret.ts';

type Feeds = Record<string, ArrayLike<number>>;

/** Every number of each input, to `digits` decimals of the derivative. */
export function expectGradients(loss: Value, inputs: readonly Value[], feeds: Feeds, digits = 6): void {
  const gradients = grad(loss, inputs);
  const exact = interpret(Object.fromEntries(gradients.map((g, i) => [String(i), g])), feeds);
  inputs.forEach((input, i) => {
    for (let k = 0; k < sizeOf(input.shape); k++) {
      const slope = slopeAlong(loss, feeds, input.name, (j) => (j === k ? 1 : 0));
      expect(exact[i]![k]!, `${input.name} ${k}`).toBeCloseTo(slope, digits);
    }
  });
}

/**
 * One random direction for each input, relative to the size of the derivative: for models too large for every number.
 * The step is small, so that few kinks of rectified values lie within it.
 */
export function expectDirections(loss: Value, inputs: readonly Value[], feeds: Feeds, tolerance = 1e-6): void {
  const gradients = grad(loss, inputs);
  const exact = interpret(Object.fromEntries(gradients.map((g, i) => [String(i), g])), feeds);
  inputs.forEach((input, i) => {
    const random = seededRandom(`direction ${input.name}`);
    const direction = Float64Array.from({ length: sizeOf(input.shape) }, () => gaussian(random));
    const along = direction.reduce((total, d, k) => total + d * exact[i]![k]!, 0);
    const slope = slopeAlong(loss, feeds, input.name, (k) => direction[k]!, 2e-6);
    expect(Math.abs(along - slope), input.name).toBeLessThan(tolerance * Math.max(1e-2, Math.abs(slope)));
  });
}

function slopeAlong(loss: Value, feeds: Feeds, name: string, direction: (k: number) => number, h = 1e-5): number {
  const at = (step: number): number => {
    const moved = Float64Array.from(feeds[name]!, (x, k) => x + step * direction(k));
    return interpret({ loss }, { ...feeds, [name]: moved }).loss![0]!;
  };
  return (at(h) - at(-h)) / (2 * h);
}
