/** Windows over a clip: where they lie, and the mean of what they say. */
import { describe, expect, it } from 'vitest';
import { stackWindow, WindowAverage, windowMask, windowStarts, windowWeights } from '../../sdk/engine/windows.ts';

describe('windowStarts', () => {
  it.each([
    [0, 10, []],
    [1, 10, [0]],
    [9, 10, [0]],
    [10, 10, [0]],
    [11, 10, [0, 1]],
    [15, 10, [0, 5]],
    [16, 10, [0, 5, 6]],
    [20, 10, [0, 5, 10]],
    [23, 10, [0, 5, 10, 13]],
    [3, 1, [0, 1, 2]],
    [5, 3, [0, 1, 2]],
  ])('puts %i seconds into windows of %i', (segments, size, starts) => {
    expect(windowStarts(segments, size)).toEqual(starts);
  });

  it('covers every second, and pads only clips shorter than a window', () => {
    for (const size of [1, 2, 3, 4, 7, 10]) {
      for (let segments = 1; segments <= 45; segments++) {
        const covered = new Set<number>();
        for (const start of windowStarts(segments, size)) {
          if (segments >= size) expect(start + size).toBeLessThanOrEqual(segments);
          for (let i = start; i < Math.min(segments, start + size); i++) covered.add(i);
        }
        expect(covered.size).toBe(segments);
      }
    }
  });
});

describe('windowWeights', () => {
  it('is a triangle, positive everywhere', () => {
    expect([...windowWeights(1)]).toEqual([1]);
    expect([...windowWeights(4)]).toEqual([1, 2, 2, 1]);
    expect([...windowWeights(5)]).toEqual([1, 2, 3, 2, 1]);
  });
});

describe('stackWindow and windowMask', () => {
  const rows = [0, 1, 2, 3, 4].map((second) => Float32Array.of(second, -second));

  it('takes rows in order', () => {
    expect([...stackWindow(rows, 2, 3, 2)]).toEqual([2, -2, 3, -3, 4, -4]);
    expect([...windowMask(5, 2, 3)]).toEqual([1, 1, 1]);
  });

  it('pads with zeros and says so', () => {
    expect([...stackWindow(rows, 3, 4, 2)]).toEqual([3, -3, 4, -4, 0, 0, 0, 0]);
    expect([...windowMask(5, 3, 4)]).toEqual([1, 1, 0, 0]);
  });
});

describe('WindowAverage', () => {
  it.each([1, 3, 4, 5, 9, 40])(
    'returns exactly the rows of a clip of %i seconds when all windows agree',
    (segments) => {
      const truth = Float32Array.from({ length: segments * 2 }, (_, i) => Math.fround(Math.cos(i)));
      const average = new WindowAverage(segments, 4, 2);
      for (const start of windowStarts(segments, 4)) {
        const output = new Float32Array(8).fill(99);
        output.set(truth.subarray(start * 2, (start + 4) * 2));
        average.add(start, output);
      }
      const rows = average.rows();
      expect(rows.length).toBe(truth.length);
      // Exact but for rounding in the weighted mean.
      rows.forEach((value, i) => {
        expect(Math.abs(value - truth[i]!)).toBeLessThan(1e-6);
      });
    },
  );

  it('weighs windows that disagree by the triangle', () => {
    const average = new WindowAverage(5, 4, 1);
    average.add(0, new Float32Array(4).fill(0));
    average.add(1, new Float32Array(4).fill(1));
    // Weights of the first window 1 2 2 1 -, of the second - 1 2 2 1.
    const expected = [0, 1 / 3, 2 / 4, 2 / 3, 1];
    average.rows().forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6);
    });
  });

  it('has no rows for an empty clip', () => {
    expect(new WindowAverage(0, 4, 2).rows().length).toBe(0);
  });
});
