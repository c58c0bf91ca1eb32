/** AdamW over arrays against the formula in plain float64, and what it leaves alone. */
import { describe, expect, it } from 'vitest';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import {
  checkOptimizer,
  decays,
  defaultOptimizer,
  globalNorm,
  type OptimizerConfig,
  type Slot,
  stepScalars,
  updateArrays,
} from '../../sdk/train/loop/optimizer.ts';

const config: OptimizerConfig = { ...defaultOptimizer, decay: 0.1, clip: 2, average: 0.9 };

function slotOf(size: number, shrinks: boolean): Slot {
  const random = seededRandom(`slot ${shrinks}`);
  const values = Float32Array.from({ length: size }, () => gaussian(random));
  const empty = (): Float32Array => new Float32Array(size);
  return { values, first: empty(), second: empty(), average: values.slice(), gradient: empty(), decays: shrinks };
}

describe('updateArrays', () => {
  it('follows AdamW in float64 for 20 steps (1e-6)', () => {
    const slots = [slotOf(7, true), slotOf(5, false)];
    const exact = slots.map(({ values, decays: shrinks }) =>
      [...values].map((p) => ({ p, m: 0, v: 0, average: p, shrinks })),
    );
    const random = seededRandom('gradients');
    for (let step = 0; step < 20; step++) {
      for (const { gradient } of slots) gradient.forEach((_, i) => (gradient[i] = gaussian(random)));
      const norm = globalNorm(slots.map(({ gradient }) => gradient));
      expect(norm).toBeCloseTo(Math.hypot(...slots.flatMap(({ gradient }) => [...gradient])), 10);
      const scale = Math.min(1, 2 / (norm + 1e-6));
      exact.forEach((numbers, k) => {
        numbers.forEach((x, i) => {
          const g = slots[k]!.gradient[i]! * scale;
          x.m = 0.9 * x.m + 0.1 * g;
          x.v = 0.999 * x.v + 0.001 * g * g;
          const [m, v] = [x.m / (1 - 0.9 ** (step + 1)), x.v / (1 - 0.999 ** (step + 1))];
          x.p = x.p - (x.shrinks ? 0.01 * 0.1 * x.p : 0) - (0.01 * m) / (Math.sqrt(v) + 1e-8);
          const keep = Math.min(0.9, (step + 1) / (step + 10));
          x.average = keep * x.average + (1 - keep) * x.p;
        });
      });
      updateArrays(slots, norm, stepScalars(step, 0.01, config), config);
    }
    exact.forEach((numbers, k) => {
      numbers.forEach(({ p, average }, i) => {
        expect(Math.abs(slots[k]!.values[i]! - p)).toBeLessThan(1e-6);
        expect(Math.abs(slots[k]!.average![i]! - average)).toBeLessThan(1e-6);
      });
    });
  });

  it('does not depend on the size of the gradient beyond the clipping norm', () => {
    const [small, large] = [slotOf(4, false), slotOf(4, false)];
    small.gradient.fill(10);
    large.gradient.fill(1e4);
    for (const slot of [small, large]) {
      updateArrays([slot], globalNorm([slot.gradient]), stepScalars(0, 0.1, config), config);
    }
    large.values.forEach((x, i) => {
      expect(x).toBeCloseTo(small.values[i]!, 6);
    });
    expect(large.first[0]!).toBeCloseTo(0.1 * (2 / Math.sqrt(4)), 6);
  });
});

describe('decays', () => {
  it('takes weights of linear maps and convolutions alone', () => {
    expect(decays({ name: 'fc.weight', shape: [4, 4], init: 'fan-in' })).toBe(true);
    expect(decays({ name: 'meta_tokens', shape: [4, 4], init: { normal: 1 } })).toBe(false);
    expect(decays({ name: 'gate', shape: [4], init: { constant: 0 } })).toBe(false);
  });
});

describe('checkOptimizer', () => {
  it.each([{ beta1: 1 }, { beta2: -0.1 }, { epsilon: 0 }, { decay: Number.NaN }, { clip: 0 }, { average: 1 }])(
    'refuses %j',
    (change) => {
      expect(() => checkOptimizer({ ...defaultOptimizer, ...change })).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
    },
  );
});
