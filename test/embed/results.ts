/** What a whole run of all environments gave, as it is kept and as the guide shows it. */
import type { Tried } from './try-environment.ts';

export type Row = { name: string; title: string; versions: Record<string, string>; skipped?: string; runs: Tried[] };

export type Results = { node: string; chromium: string; platform: string; environments: Row[] };

/** The lines that the guide's table lies between. */
export const tableMarks = ['<!-- results -->', '<!-- /results -->'] as const;

/** The table, with the marks around it. */
export function guideTable({ node, chromium, platform, environments }: Results): string {
  const rows = environments.map(({ title, versions, skipped, runs }) => {
    const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    const verdicts = runs.map(({ run, error }) => `${run}: ${error ? 'fails' : 'events'}`);
    return [title, packages.join(', '), skipped ? 'not tried' : verdicts.join(', ')];
  });
  const where = `On ${platform}, Node ${node.slice(1)}; pages in Chromium ${chromium}, on WASM.`;
  return [tableMarks[0], where, '', aligned([['environment', 'with', ''], ...rows]), tableMarks[1]].join('\n');
}

/** Columns as wide as their longest cell, below the first row a line: as the formatter would have it. */
function aligned(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`);
  const [head, ...body] = lines;
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body].join('\n');
}

/** `guide` with the table of `results`. */
export function withTable(guide: string, results: Results): string {
  const [start, end] = tableMarks;
  const [before, rest] = guide.split(start);
  return before + guideTable(results) + rest!.split(end)[1];
}
