/** A head in closed form on made-up features, and the algebra beneath it. */
import { expect, test } from 'vitest';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { mainDirections, ridge } from '../../sdk/train/silence/linear-algebra.ts';
import { viewsFor } from '../../sdk/train/teach/features.ts';
import { type Lesson, solveHead } from '../../sdk/train/teach/head.ts';
import { viewOf } from '../../sdk/train/teach/views.ts';

const width = 24;
const random = seededRandom('teach head');
const around = (axis: number): Float32Array =>
  Float32Array.from({ length: width }, (_, i) => (i === axis ? 3 : 0) + 0.3 * gaussian(random));

function lessonAt(event: number | null): Lesson {
  const rows = Array.from({ length: 8 }, () => around(event ?? 7));
  return { event, rows, plain: rows.slice(0, 2) };
}

test('a head names what lies near its examples, and its left-out examples say so', () => {
  const lessons = [0, 0, 0, 1, 1, 1, null, null].map(lessonAt);
  const made = Array.from({ length: 30 }, (_, i) => around(10 + (i % 5)));
  const head = solveHead(2, lessons, made);
  expect(head.leftOut).toEqual({ right: 6, silent: 0, examples: 6, quiet: 2, nothing: 2 });
  const logits = (row: Float32Array): number[] => {
    const token = head.map.map((map) => map.reduce((sum, x, i) => sum + x * (row[i]! - head.mean[i]!), 0));
    return head.weights.map((weights, event) => weights.reduce((sum, x, k) => sum + x * token[k]!, head.bias[event]!));
  };
  for (const event of [0, 1]) {
    const [own, other] = [logits(around(event))[event]!, logits(around(event))[1 - event]!];
    expect(own).toBeGreaterThan(0);
    expect(other).toBeLessThan(0);
  }
  expect(Math.max(...logits(around(7)))).toBeLessThan(0);
  expect(Math.max(...logits(around(12)))).toBeLessThan(0);
});

test('ridge regression solves its normal equations', () => {
  const rows = Array.from({ length: 40 }, () => Float64Array.from({ length: 5 }, () => gaussian(random)));
  const weights = rows.map((_, i) => 0.5 + (i % 3));
  const target = Float64Array.from(rows, (row) => row[0]! - 2 * row[3]! + 0.1 * gaussian(random));
  const [w] = ridge(rows, weights, [target], 0.7);
  // Gradient of sum of weight (x w - y)^2 + 0.7 |w|^2, halved.
  const gradient = Float64Array.from({ length: 5 }, (_, k) =>
    rows.reduce((sum, row, n) => {
      const error = row.reduce((s, x, i) => s + x * w![i]!, 0) - target[n]!;
      return sum + weights[n]! * error * row[k]!;
    }, 0.7 * w![k]!),
  );
  for (const x of gradient) expect(Math.abs(x)).toBeLessThan(1e-10);
});

test('main directions are orthonormal, and no more than rows span', () => {
  const axes = [0, 1, 2].map((axis) => Float64Array.from({ length: 9 }, (_, i) => Number(i === axis) * (axis + 1)));
  const rows = Array.from({ length: 20 }, () => {
    const [a, b, c] = [gaussian(random), gaussian(random), gaussian(random)];
    return Float64Array.from({ length: 9 }, (_, i) => a * axes[0]![i]! + b * axes[1]![i]! + c * axes[2]![i]!);
  });
  const found = mainDirections(rows, 6, 'test');
  expect(found).toHaveLength(3);
  found.forEach((one, i) => {
    found.forEach((other, j) => {
      const product = one.reduce((sum, x, k) => sum + x * other[k]!, 0);
      expect(product).toBeCloseTo(i === j ? 1 : 0, 9);
    });
  });
});

test('the first view is the example itself, others are the same for the same seed', () => {
  const pcm = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i / 5));
  const frame = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => i) };
  const seconds = [{ frame, pcm }];
  expect(viewOf(seconds, 0, 'a')).toEqual(seconds);
  expect(viewOf(seconds, 2, 'a')).toEqual(viewOf(seconds, 2, 'a'));
  expect(viewOf(seconds, 2, 'a')).not.toEqual(viewOf(seconds, 2, 'b'));
  expect(viewOf(seconds, 2, 'a')[0]!.pcm!.every((x) => Math.abs(x) <= 1)).toBe(true);
  expect(viewOf([{ frame: null, pcm: null }], 3, 'a')).toEqual([{ frame: null, pcm: null }]);
});

test('few examples are seen more often than many, and all at least once', () => {
  expect([3, 15, 75, 500].map(viewsFor)).toEqual([30, 6, 4, 1]);
});
