/** The page of benchmarks: made from what is kept and from nothing else, and judged on the right side of each target. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { benchPage, digits, verdict } from '../bench/bench-page.ts';
import { type Figure, type Kept, type KeptRow, readKept, withRow } from '../bench/results.ts';

const row = (id: string, more: Partial<KeptRow> = {}): KeptRow => ({
  ...{ id, title: `Row ${id}`, how: 'By hand.', figures: [], missing: [], commit: 'abc1234', date: '2026-01-02' },
  ...{ machine: 'a machine', load: [0.1, 0.4], quick: false, seconds: 12.3 },
  ...more,
});
const figure = (more: Partial<Figure>): Figure => ({ what: 'a step', unit: 'ms', here: 1, ...more });

test('benchmarks.md is the page of the kept JSON, to the letter: npm run bench makes it again', async () => {
  const kept = await readKept();
  const page = await readFile(new URL('../../sdk/docs/benchmarks.md', import.meta.url), 'utf8');
  expect(page).toBe(benchPage(kept!));
  expect(kept!.rows.length).toBeGreaterThan(5);
  expect(page).not.toMatch(/undefined|NaN|null/);
});

describe('the page', () => {
  const kept: Kept = {
    node: 'v20.1.0',
    runtime: 'onnxruntime 9',
    rows: [
      row('one', {
        figures: [
          figure({ here: 12.345, beside: { name: 'by another', value: 1234.5 }, ratio: 0.01, atMost: 0.5 }),
          figure({ what: 'without', unit: 'x', here: 3 }),
        ],
        missing: ['the third: no film.'],
        versions: { another: '3.2.1' },
      }),
      row('two', { quick: true, figures: [figure({ ratio: 1.5, atMost: 1.2 })] }),
    ],
  };
  const lines = benchPage(kept)
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));

  test('shows every figure in one table, with what stands beside it, the ratio and the target', () => {
    expect(lines).toContain('| Row one | a step | 12.3 ms | 1,235 ms by another | 0.010 | at most 0.5: reached |');
    expect(lines).toContain('| Row one | without | 3.00 | | | |');
    expect(lines).toContain('| Row two | a step | 1.00 ms | | 1.500 | at most 1.2: **missed** |');
    expect(lines.filter((line) => line.startsWith('| ---'))).toHaveLength(1);
  });

  test('tells of each row how, where and when, what is missing, and that a quick run was one', () => {
    expect(lines).toContain('- Not measured: the third: no film.');
    const conditions = '2026-01-02, commit abc1234, a machine, load 0.1 before and 0.4 after, 12.3 s';
    expect(lines).toContain(`${conditions}; another 3.2.1.`);
    expect(lines.filter((line) => line.includes('**A quick run'))).toHaveLength(1);
    expect(lines.find((line) => line.includes('**A quick run'))).toContain(conditions);
  });

  test('gives three digits that count', () => {
    expect([0, 0.01234, 1.2345, 12.345, 123.45, 12_345.6].map(digits)).toEqual([
      ...['0.00', '0.012', '1.23', '12.3', '123', '12,346'],
    ]);
  });

  test('a ratio at its target has reached it', () => {
    expect(verdict(figure({ ratio: 1.03, atMost: 1.03 }))).toBe('at most 1.03: reached');
    expect(verdict(figure({ ratio: 1.031, atMost: 1.03 }))).toBe('at most 1.03: **missed**');
    expect(verdict(figure({ ratio: 1.031 }))).toBe('');
  });
});

describe('what is kept', () => {
  const ids = ['one', 'two', 'three'];
  const add = (kept: Kept | null, next: KeptRow): Kept => withRow(kept, next, ids, 'onnxruntime 9');
  const quickOf = ({ rows }: Kept): [string, boolean, string][] => rows.map(({ id, quick, date }) => [id, quick, date]);

  test('a row takes the place of its earlier run, in the order of the table', () => {
    const first = add(add(null, row('three')), row('one'));
    expect(quickOf(add(first, row('three', { date: '2026-02-02' })))).toEqual([
      ['one', false, '2026-01-02'],
      ['three', false, '2026-02-02'],
    ]);
  });

  test('a quick run takes the place of a quick one, and never of a whole one', () => {
    const quick = add(null, row('one', { quick: true }));
    expect(quickOf(add(quick, row('one', { quick: true, date: '2026-02-02' })))).toEqual([['one', true, '2026-02-02']]);
    const whole = add(quick, row('one'));
    expect(quickOf(add(whole, row('one', { quick: true, date: '2026-02-02' })))).toEqual([
      ['one', false, '2026-01-02'],
    ]);
  });

  test('a row that is no more is dropped', () => {
    const old: Kept = { node: 'v20.1.0', runtime: 'onnxruntime 9', rows: [row('gone')] };
    expect(quickOf(add(old, row('two')))).toEqual([['two', false, '2026-01-02']]);
  });
});
