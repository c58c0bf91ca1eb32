/** `sdk/docs/benchmarks.md`, made from what is kept: one table of all rows, then how each was measured. */
import type { Figure, Kept, KeptRow } from './results.ts';

/** Three digits that count, and no more than the unit deserves. */
export function digits(value: number): string {
  if (value !== 0 && Math.abs(value) < 1) return value.toPrecision(2);
  if (Math.abs(value) < 10) return value.toFixed(2);
  return Math.abs(value) < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

const withUnit = (value: number, unit: string): string => (unit === 'x' ? digits(value) : `${digits(value)} ${unit}`);

/** Reached or missed; empty where nothing was aimed at. */
export function verdict({ ratio, atMost }: Figure): string {
  if (atMost === undefined || ratio === undefined) return '';
  return `at most ${atMost}: ${ratio <= atMost ? 'reached' : '**missed**'}`;
}

/** The cells of a figure. */
export const cells = (figure: Figure): string[] => [
  figure.what,
  withUnit(figure.here, figure.unit),
  figure.beside ? `${withUnit(figure.beside.value, figure.unit)} ${figure.beside.name}` : '',
  figure.ratio === undefined ? '' : figure.ratio.toFixed(3),
  verdict(figure),
];

export const header = ['', 'here', 'beside', 'ratio', 'target'];

/** Columns as wide as their longest cell, as the formatter would have it. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(rows[0]!), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.slice(1).map(line)];
}

function conditions({ commit, date, machine, load, quick, seconds, versions = {} }: KeptRow): string {
  const beside = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const run = `${date}, commit ${commit}, ${machine}, load ${load[0]} before and ${load[1]} after, ${digits(seconds)} s`;
  const hurried = quick
    ? ' **A quick run: few rounds and short films, which tell that the row works, not how fast.**'
    : '';
  return `${run}${beside.length > 0 ? `; ${beside.join(', ')}` : ''}.${hurried}`;
}

const section = (row: KeptRow): string[] => [
  `## ${row.title}`,
  '',
  row.how,
  '',
  ...row.missing.flatMap((reason) => [`- Not measured: ${reason}`]),
  ...(row.missing.length > 0 ? [''] : []),
  conditions(row),
  '',
];

export function benchPage({ node, runtime, rows }: Kept): string {
  const table = rows.flatMap(({ title, figures }) => figures.map((figure) => [title, ...cells(figure)]));
  return [
    '# Benchmarks',
    '',
    `Written by \`npm run bench\` from \`test/bench/results/bench.json\`; \`npm run bench -- --only ROW\` measures one row again. Node ${node.slice(1)}, ${runtime}.`,
    'Where a figure stands beside another, both ran by turns in the same minutes, and the ratio is the median over the rounds: it says more than either figure, which belongs to its machine.',
    '',
    ...aligned([['row', ...header.map((name) => name || 'what')], ...table]),
    '',
    ...rows.flatMap(section),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}
