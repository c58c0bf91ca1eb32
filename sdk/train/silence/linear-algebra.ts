/** The few operations on small dense matrices that measures and heads are solved by: rows of numbers in float64, on the caller's side. */
import { gaussian, seededRandom } from '../../random.ts';

/** One row of numbers. */
export type Row = Float64Array;

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Mean of each column. */
export function meanOf(rows: readonly ArrayLike<number>[]): Row {
  const mean = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let i = 0; i < mean.length; i++) mean[i]! += row[i]! / rows.length;
  return mean;
}

/** Standard deviation of each column. */
export function deviationOf(rows: readonly ArrayLike<number>[], mean: Row): Row {
  const variance = new Float64Array(mean.length);
  for (const row of rows) for (let i = 0; i < mean.length; i++) variance[i]! += (row[i]! - mean[i]!) ** 2 / rows.length;
  return variance.map(Math.sqrt);
}

/**
 * Orthonormal directions in which rows spread most, at most `count`, by subspace iteration (Halko et al., "Finding Structure with Randomness", 2011). Fewer where the rows
 * span fewer.
 */
export function mainDirections(rows: readonly Row[], count: number, seed: string): Row[] {
  const width = rows[0]!.length;
  const random = seededRandom(seed);
  const most = Math.min(count, width, rows.length);
  let basis: Row[] = Array.from({ length: most }, () => Float64Array.from({ length: width }, () => gaussian(random)));
  basis = orthonormal(basis);
  for (let pass = 0; pass < 10; pass++) {
    const next = basis.map(() => new Float64Array(width));
    for (const row of rows) {
      basis.forEach((direction, k) => {
        const along = dot(row, direction);
        const to = next[k]!;
        for (let i = 0; i < width; i++) to[i]! += along * row[i]!;
      });
    }
    basis = orthonormal(next);
  }
  return basis;
}

/** Modified Gram-Schmidt, twice; what is no direction of its own is left out. */
function orthonormal(rows: readonly Row[]): Row[] {
  const found: Row[] = [];
  const largest = Math.max(...rows.map((row) => Math.sqrt(dot(row, row))));
  for (const row of rows) {
    const own = Float64Array.from(row);
    for (let again = 0; again < 2; again++) {
      for (const other of found) {
        const along = dot(own, other);
        for (let i = 0; i < own.length; i++) own[i]! -= along * other[i]!;
      }
    }
    const length = Math.sqrt(dot(own, own));
    if (length > 1e-9 * largest) found.push(own.map((x) => x / length));
  }
  return found;
}

/** Weighted ridge regression: w of least sum of weight (x w - y)^2 + ridge |w|^2, by Cholesky; one w per column of `targets`. */
export function ridge(rows: readonly Row[], weights: ArrayLike<number>, targets: readonly Row[], decay: number): Row[] {
  const width = rows[0]!.length;
  const gram = new Float64Array(width * width);
  const right = targets.map(() => new Float64Array(width));
  rows.forEach((row, n) => {
    const weight = weights[n]!;
    for (let i = 0; i < width; i++) {
      const scaled = weight * row[i]!;
      for (let j = 0; j <= i; j++) gram[i * width + j]! += scaled * row[j]!;
      targets.forEach((target, k) => {
        right[k]![i]! += scaled * target[n]!;
      });
    }
  });
  for (let i = 0; i < width; i++) gram[i * width + i]! += decay;
  const lower = cholesky(gram, width);
  return right.map((vector) => solve(lower, vector, width));
}

/** L of L L' for the lower triangle of a positive definite matrix, [width, width]. */
export function cholesky(matrix: Row, width: number): Row {
  const lower = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * width + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * width + k]! * lower[j * width + k]!;
      lower[i * width + j] = i === j ? Math.sqrt(sum) : sum / lower[j * width + j]!;
    }
  }
  return lower;
}

function solve(lower: Row, right: Row, width: number): Row {
  const x = Float64Array.from(right);
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i * width + k]! * x[k]!;
    x[i]! /= lower[i * width + i]!;
  }
  for (let i = width - 1; i >= 0; i--) {
    for (let k = i + 1; k < width; k++) x[i]! -= lower[k * width + i]! * x[k]!;
    x[i]! /= lower[i * width + i]!;
  }
  return x;
}
