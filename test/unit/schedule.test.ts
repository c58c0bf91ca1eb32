/** The learning rate over a training. */
import { describe, expect, it } from 'vitest';
import { cosineWithWarmup } from '../../sdk/train/loop/schedule.ts';

describe('cosineWithWarmup', () => {
  it('rises in a straight line, then falls along half a cosine to the floor', () => {
    const rate = cosineWithWarmup(105, { rate: 2, warmup: 4 / 105, floor: 0.1 });
    expect([0, 1, 2, 3].map(rate)).toEqual([0.5, 1, 1.5, 2]);
    expect(rate(4)).toBe(2);
    expect(rate(54)).toBeCloseTo(2 * (0.1 + 0.9 / 2), 12);
    expect(rate(104)).toBeCloseTo(0.2, 12);
    expect(rate(200)).toBeCloseTo(0.2, 12);
  });

  it('starts at the highest rate without warm-up, and serves a single step', () => {
    expect(cosineWithWarmup(10, { rate: 1, warmup: 0, floor: 0 })(0)).toBe(1);
    expect(cosineWithWarmup(1, { rate: 1, warmup: 0, floor: 0 })(0)).toBe(1);
  });

  it.each([
    { rate: 0, warmup: 0, floor: 0 },
    { rate: Number.NaN, warmup: 0, floor: 0 },
    { rate: 1, warmup: 2, floor: 0 },
    { rate: 1, warmup: 0, floor: -1 },
  ])('refuses %j', (config) => {
    expect(() => cosineWithWarmup(10, config)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});
