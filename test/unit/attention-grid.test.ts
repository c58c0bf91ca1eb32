/** Shares on grids: what is moved to other rows and columns keeps its sum (1e-6) and its place. */
import { describe, expect, test } from 'vitest';
import type { LogMelFrontEnd, Tap } from '../../sdk/contract/manifest.ts';
import { type Grid, pictureGrid, resampled, soundGrid, weightedMean } from '../../sdk/engine/grid.ts';
import { seededRandom } from '../../sdk/random.ts';

const tapOf = (rows: number, columns: number, layout: Tap['layout'] = 'tokens'): Tap => ({
  name: 'audio.x',
  layout,
  tokens: rows * columns,
  width: 8,
  grid: [rows, columns],
});
const frontEnd = (change: Partial<LogMelFrontEnd>): LogMelFrontEnd =>
  ({ sampleRate: 32_000, hop: 250, frames: 128, mels: 64, repeat: 1, ...change }) as LogMelFrontEnd;

function noise(count: number): Float32Array<ArrayBuffer> {
  const random = seededRandom('grid');
  const data = Float32Array.from({ length: count }, () => random());
  const sum = data.reduce((a, b) => a + b, 0);
  return data.map((x) => x / sum);
}
const one = (count: number, ...places: number[]): Float32Array<ArrayBuffer> => {
  const data = new Float32Array(count);
  for (const place of places) data[place] = 1 / places.length;
  return data;
};
const sumOf = ({ data }: Grid): number => data.reduce((a, b) => a + b, 0);
/** Rows and columns of what is not zero. */
const placesOf = ({ columns, data }: Grid): number[][] =>
  [...data.keys()].filter((i) => data[i]! > 0).map((i) => [Math.floor(i / columns), i % columns]);

describe('a picture', () => {
  test('is laid row by row; tokens in a mere row cannot be laid', () => {
    expect(pictureGrid(tapOf(2, 3), noise(6))).toEqual({ rows: 2, columns: 3, data: noise(6) });
    expect(pictureGrid(tapOf(1, 1), one(1, 0))).toMatchObject({ rows: 1, columns: 1 });
    expect(pictureGrid(tapOf(197, 1), noise(197))).toBeNull();
  });
});

describe('a sound', () => {
  test('whose log-mel is one second lies as it is', () => {
    expect(soundGrid(tapOf(32, 16), noise(512), frontEnd({}))).toEqual({ rows: 32, columns: 16, data: noise(512) });
  });

  test('whose log-mel ends before the second leaves the rest empty', () => {
    const short = frontEnd({ hop: 320, frames: 96 });
    const grid = soundGrid(tapOf(48, 32, 'map'), one(48 * 32, 47 * 32 + 5), short)!;
    expect([grid.rows, grid.columns]).toEqual([50, 32]);
    expect(placesOf(grid)).toEqual([[47, 5]]);
    expect(sumOf(grid)).toBeCloseTo(1, 6);
  });

  test('that was repeated is heard once, with all of its shares', () => {
    const repeated = frontEnd({ hop: 320, frames: 400, repeat: 4, mels: 64 });
    // Half a second into each of the four.
    const places = [0, 1, 2, 3].map((time) => (time * 20 + 10) * 8 + 3);
    const grid = soundGrid(tapOf(80, 8), one(640, ...places), repeated)!;
    expect([grid.rows, grid.columns]).toEqual([20, 8]);
    expect(placesOf(grid)).toEqual([[10, 3]]);
    expect(sumOf(grid)).toBeCloseTo(1, 6);
    const other = soundGrid(tapOf(80, 8), noise(640), repeated)!;
    expect(sumOf(other)).toBeCloseTo(1, 6);
  });
});

describe('other rows and columns', () => {
  test.each([
    [64, 48],
    [3, 5],
    [7, 2],
    [1, 1],
  ])('%i x %i keep the sum', (rows, columns) => {
    const grid = resampled({ rows: 7, columns: 6, data: noise(42) }, rows, columns);
    expect([grid.rows, grid.columns]).toEqual([rows, columns]);
    expect(sumOf(grid)).toBeCloseTo(1, 6);
  });

  test('a cell is spread evenly over the cells that it covers', () => {
    const grid = resampled({ rows: 2, columns: 2, data: one(4, 1) }, 4, 6);
    expect(placesOf(grid)).toEqual([
      [0, 3],
      [0, 4],
      [0, 5],
      [1, 3],
      [1, 4],
      [1, 5],
    ]);
    for (const share of grid.data) expect([0, Math.fround(1 / 6)]).toContain(share);
  });

  test('grids count by their weights, on the finest', () => {
    const coarse = { rows: 1, columns: 1, data: one(1, 0) };
    const fine = { rows: 2, columns: 2, data: one(4, 3) };
    const mean = weightedMean([
      { grid: coarse, weight: 3 },
      { grid: fine, weight: 1 },
    ])!;
    expect([...mean.data].map((x) => x.toFixed(6))).toEqual(['0.187500', '0.187500', '0.187500', '0.437500']);
    expect(weightedMean([])).toBeNull();
    expect(weightedMean([{ grid: fine, weight: 0 }])).toBeNull();
  });
});
