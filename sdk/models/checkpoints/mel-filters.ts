/** Whether a checkpoint was trained with the mel filters that a front end computes: they tell the sampling rate, which no shape does. */
import type { LogMelFrontEnd } from '../../contract/manifest.ts';
import { melFilters } from '../../front-end/mel.ts';

/** `own` is [bins, mels]. Filters of another rate or range differ by more than half of their peak; float32 by 1e-7 of it. */
export function areFiltersOf(frontEnd: LogMelFrontEnd, own: Float32Array): boolean {
  const expected = new Float32Array(own.length);
  melFilters(frontEnd).forEach(({ first, weights }, mel) => {
    weights.forEach((weight, k) => {
      expected[(first + k) * frontEnd.mels + mel] = weight;
    });
  });
  const peak = expected.reduce((top, weight) => Math.max(top, weight), 0);
  return expected.every((weight, i) => Math.abs(weight - own[i]!) <= 1e-3 * peak);
}
