/** Shares that lie on rows and columns: of a picture, or of time and frequency. Knows no tensors; whatever is done to a grid, its sum stays what it was. */
import type { LogMelFrontEnd, Tap } from '../contract/manifest.ts';

/** [rows, columns] */
export type Grid = { rows: number; columns: number; data: Float32Array<ArrayBuffer> };

/** The shares of a picture's layer; null where its rows and columns cannot be told, as of tokens in a mere row. */
export function pictureGrid({ grid: [rows, columns] }: Tap, shares: Float32Array<ArrayBuffer>): Grid | null {
  return columns === 1 && rows > 1 ? null : { rows, columns, data: shares };
}

/**
 * The shares of a layer of sound over the second that was heard: rows are steps of time, columns are bands from low to high. Null where these cannot be told. What a second
 * that was repeated gets each time is added up.
 */
export function soundGrid(tap: Tap, shares: Float32Array<ArrayBuffer>, frontEnd: LogMelFrontEnd): Grid | null {
  const laid = pictureGrid(tap, shares);
  if (!laid) return null;
  const { frames, hop, sampleRate, repeat } = frontEnd;
  const unfolded = unfold(laid, tap, frontEnd);
  const stepsPerSecond = unfolded.rows / ((frames * hop) / sampleRate);
  const steps = Math.max(1, Math.round(stepsPerSecond));
  const seconds = alongRows(unfolded, repeat * steps, (row) => (row / stepsPerSecond) * steps);
  return addedUp(seconds, steps);
}

/** The same shares on another number of rows and columns: a cell's is spread evenly over what it covers. */
export function resampled(grid: Grid, rows: number, columns: number): Grid {
  const tall = alongRows(grid, rows, (row) => (row / grid.rows) * rows);
  return turned(alongRows(turned(tall), columns, (column) => (column / grid.columns) * columns));
}

/** Grids in one, each as much as its weight says, on the most rows and columns that any has. Null where there is none, or none that weighs anything. */
export function weightedMean(grids: readonly { grid: Grid; weight: number }[]): Grid | null {
  const total = grids.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return null;
  const rows = Math.max(...grids.map(({ grid }) => grid.rows));
  const columns = Math.max(...grids.map(({ grid }) => grid.columns));
  const data = new Float32Array(rows * columns);
  for (const { grid, weight } of grids) {
    resampled(grid, rows, columns).data.forEach((share, i) => {
      data[i]! += (share * weight) / total;
    });
  }
  return { rows, columns, data };
}

/**
 * HTS-AT as published lays pieces of time on top of each other into a square; here they stand one after another again. Such a layer is known by its shape alone: it is
 * square, while the log-mel is the square of that many pieces longer than high.
 */
function unfold({ rows, columns, data }: Grid, { layout }: Tap, { frames, mels }: LogMelFrontEnd): Grid {
  const pieces = Math.round(Math.sqrt(frames / mels));
  if (layout !== 'tokens' || pieces < 2 || rows !== columns || rows % pieces !== 0) return { rows, columns, data };
  const bands = rows / pieces;
  const long = new Float32Array(data.length);
  for (let step = 0; step < pieces * columns; step++) {
    const piece = Math.floor(step / columns);
    for (let band = 0; band < bands; band++) {
      long[step * bands + band] = data[(piece * bands + band) * columns + (step % columns)]!;
    }
  }
  return { rows: pieces * columns, columns: bands, data: long };
}

/** `rows` new rows: of each old one, from `edge(row)` to `edge(row + 1)` in new rows, what lies in a new one goes there; what lies beyond the last goes to the last. */
function alongRows(grid: Grid, rows: number, edge: (row: number) => number): Grid {
  const { columns } = grid;
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < grid.rows; row++) {
    const [from, to] = [edge(row), edge(row + 1)];
    for (let target = Math.min(rows - 1, Math.floor(from)); target < rows && target < to; target++) {
      const end = target === rows - 1 ? to : Math.min(to, target + 1);
      const part = (end - Math.max(from, target)) / (to - from);
      for (let column = 0; column < columns; column++) {
        data[target * columns + column]! += part * grid.data[row * columns + column]!;
      }
    }
  }
  return { rows, columns, data };
}

/** The sum of every `rows` rows. */
function addedUp(grid: Grid, rows: number): Grid {
  if (grid.rows === rows) return grid;
  const data = new Float32Array(rows * grid.columns);
  grid.data.forEach((share, i) => {
    data[i % data.length]! += share;
  });
  return { rows, columns: grid.columns, data };
}

function turned({ rows, columns, data }: Grid): Grid {
  const across = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) across[column * rows + row] = data[row * columns + column]!;
  }
  return { rows: columns, columns: rows, data: across };
}
