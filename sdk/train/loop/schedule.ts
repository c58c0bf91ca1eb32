/** How fast to learn at each step. */
import { MettleError } from '../../errors.ts';

/** A straight rise, then half a cosine. */
export type ScheduleConfig = {
  /** The highest learning rate. */
  rate: number;
  /** Share of the steps, 0 to 1, over which the rate rises from near zero in a straight line. */
  warmup: number;
  /** Share of the highest rate, 0 to 1, that is left at the last step. */
  floor: number;
  /** Share of the steps after the rise, at their end, over which the rate falls; before it stays at its height. Default 1. */
  fall?: number;
};

/** What a training has where nothing else is said. */
export const defaultSchedule: ScheduleConfig = { rate: 1e-3, warmup: 0.05, floor: 0.01 };

/**
 * The learning rate of `step` (from 0) of `steps`: a straight rise, perhaps a plateau, then half a cosine down to the floor.
 * Throws `invalid-argument` for a configuration that is none.
 */
export function cosineWithWarmup(steps: number, config: ScheduleConfig): (step: number) => number {
  const { rate, warmup, floor, fall = 1 } = config;
  const share = (x: number): boolean => x >= 0 && x <= 1;
  if (!(rate > 0 && Number.isFinite(rate) && share(warmup) && share(floor) && share(fall))) {
    throw new MettleError('invalid-argument', `The schedule ${JSON.stringify(config)} is none.`, {
      hint: 'rate must be above 0, warmup, floor and fall between 0 and 1.',
    });
  }
  const rise = Math.round(warmup * steps);
  return (step) => {
    if (step < rise) return (rate * (step + 1)) / rise;
    const length = (steps - 1 - rise) * fall;
    const way = Math.min(1, Math.max(0, step - (steps - 1 - length)) / Math.max(1, length));
    return rate * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * way)));
  };
}
