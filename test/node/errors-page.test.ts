/** The page on errors names each code of the source once, and no other; what is there is said in a row of its own. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';

const read = (path: string): Promise<string> => readFile(new URL(`../../sdk/${path}`, import.meta.url), 'utf8');

/** Members of the union of words that begins with `start`. */
async function codesInSource(start: string, end: string): Promise<string[]> {
  const source = await read('errors.ts');
  const from = source.indexOf(start);
  expect(from).toBeGreaterThan(-1);
  const union = source.slice(from, source.indexOf(end, from));
  return [...union.matchAll(/^\s*\| '([a-z-]+)'/gm)].map(([, code]) => code!);
}

/** First and further cells of the rows under a heading. */
async function rows(heading: string): Promise<string[][]> {
  const page = await read('docs/errors.md');
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const lines = (section ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('sdk/docs/errors.md', () => {
  test.each([
    ['Errors', 'export type ErrorCode', ';', 3],
    ['Warnings', 'export type Warning', 'message:', 2],
  ])('%s are those of the source, in their order, each with what to know', async (heading, start, end, cells) => {
    const codes = await codesInSource(start, end);
    const told = await rows(heading);
    expect(codes.length).toBeGreaterThan(5);
    expect(told.map(([code]) => code)).toEqual(codes.map((code) => `\`${code}\``));
    for (const row of told) {
      expect(row).toHaveLength(cells);
      for (const cell of row.slice(1)) expect(cell).toMatch(/\.$/);
    }
  });
});
