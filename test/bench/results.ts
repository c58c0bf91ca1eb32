/** What the rows of `npm run bench` gave, as it is kept in `results/bench.json` and as the page shows it. */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import process from 'node:process';

/** One line of the table. */
export type Figure = {
  what: string;
  /** Of both figures, such as `ms`; `x` of one that has none. */
  unit: string;
  here: number;
  /** What was measured beside it, in the same rounds where both can be had by turns. */
  beside?: { name: string; value: number };
  /** `here` over `beside`: the median over the rounds where there are some. */
  ratio?: number;
  /** The largest ratio that we want to see. */
  atMost?: number;
};

/** What a row gave. */
export type Outcome = {
  figures: Figure[];
  /** What is not in it, and why. */
  missing: string[];
  /** Of what ran beside us. */
  versions?: Record<string, string>;
};

/** A row as it is kept, with the conditions in which it ran. */
export type KeptRow = Outcome & {
  id: string;
  title: string;
  /** How it was measured. */
  how: string;
  commit: string;
  date: string;
  machine: string;
  /** Average number of running processes in the minute before and after. */
  load: [before: number, after: number];
  /** Few rounds and short films: tells that the row runs, not how fast. */
  quick: boolean;
  seconds: number;
};

export type Kept = { node: string; runtime: string; rows: KeptRow[] };

const file = new URL('results/bench.json', import.meta.url);

export const machine = (): string => `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores`;
export const loadNow = (): number => Math.round(loadavg()[0]! * 10) / 10;

/** The commit that is checked out; with a plus where files differ from it. */
export function commitNow(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', ':!test/bench/results', ':!sdk/docs/benchmarks.md');
  return git('rev-parse', '--short', 'HEAD') + (changed ? '+' : '');
}

/** What is kept; nothing where nothing is. */
export const readKept = async (): Promise<Kept | null> => JSON.parse(await readFile(file, 'utf8').catch(() => 'null'));

/**
 * `kept` with `row` in the place of an earlier run of the same, in the order of `ids`; rows of other names are dropped. A quick run never takes the place of a
 * whole one.
 */
export function withRow(kept: Kept | null, row: KeptRow, ids: readonly string[], runtime: string): Kept {
  const rows = new Map((kept?.rows ?? []).map((earlier) => [earlier.id, earlier]));
  const earlier = rows.get(row.id);
  if (!row.quick || !earlier || earlier.quick) rows.set(row.id, row);
  return { node: process.version, runtime, rows: ids.flatMap((id) => rows.get(id) ?? []) };
}

export const keep = (kept: Kept): Promise<void> => writeFile(file, `${JSON.stringify(kept, null, 2)}\n`);
