/** Compares a decoded clip with a committed summary: exact but for float sound, whose decoders differ in the last bits. */
import { expect } from 'vitest';
import type { ClipSummary } from './clip-summary.ts';

export function closeTo(actual: ClipSummary, expected: ClipSummary): void {
  const { rms, probes, ...exact } = actual;
  const { rms: expectedRms, probes: expectedProbes, ...expectedExact } = expected;
  expect(exact).toEqual(expectedExact);
  expect(rms).toHaveLength(expectedRms.length);
  // Committed values have five digits after the point.
  rms.forEach((value, i) => expect(Math.abs(value - expectedRms[i]!)).toBeLessThan(1.1e-5));
  probes.forEach((value, i) => expect(Math.abs(value - expectedProbes[i]!)).toBeLessThan(1.1e-5));
}
