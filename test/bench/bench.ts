/**
 * `npm run bench [-- --only ROW... --quick --device cpu|webgpu]`: what the engine, its adapters, films, live sources, training and starts cost, beside others that do
 * the same. Runs one row after another, prints one table, keeps it in `results/bench.json` and writes `sdk/docs/benchmarks.md` from that. `--only` runs some rows,
 * and leaves the others as they were kept. `--quick` takes few rounds and short films, and never takes the place of a whole run.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { benchPage, cells, header } from './bench-page.ts';
import { deviceOf } from './devices.ts';
import { commitNow, type KeptRow, keep, loadNow, machine, readKept, withRow } from './results.ts';
import { adapters } from './rows/adapters.ts';
import { engine } from './rows/engine.ts';
import { hosts } from './rows/hosts.ts';
import { length } from './rows/length.ts';
import { live } from './rows/live.ts';
import { media } from './rows/media.ts';
import { mediapipe } from './rows/mediapipe.ts';
import type { Row, RowOptions } from './rows/row.ts';
import { start } from './rows/start.ts';
import { training } from './rows/training.ts';
import { transformers } from './rows/transformers.ts';

const rows: readonly Row[] = [
  ...[engine, transformers, mediapipe, adapters, media, live, length, training, start, hosts],
];
const ids = rows.map(({ id }) => id);
const pageFile = new URL('../../sdk/docs/benchmarks.md', import.meta.url);
const runtime = `onnxruntime ${ort.env.versions.common}`;

async function runRow({ id, title, how, run }: Row, options: Omit<RowOptions, 'folder'>): Promise<KeptRow> {
  const folder = await mkdtemp(join(tmpdir(), `mettle-bench-${id}-`));
  const [before, begun] = [loadNow(), performance.now()];
  try {
    const outcome = await run({ ...options, folder });
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    const date = new Date().toISOString().slice(0, 10);
    const where = { commit: commitNow(), date, machine: machine(), load: [before, loadNow()] as [number, number] };
    return { id, title, how, ...where, quick: options.quick, seconds, ...outcome };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(row: KeptRow): void {
  console.log(`\n${row.title} (${row.seconds} s, load ${row.load.join(' to ')})`);
  const table = [header, ...row.figures.map(cells)];
  const widths = header.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  for (const line of table) console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`);
  for (const reason of row.missing) console.log(`  not measured: ${reason}`);
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    device: { type: 'string', default: 'cpu' },
  },
});
const only = values.only?.flatMap((text) => text.split(',')) ?? ids;
const unknown = only.filter((id) => !ids.includes(id));
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}. There are ${ids.join(', ')}.`);
  process.exit(2);
}
const options = { quick: values.quick, device: deviceOf(values.device, ['cpu', 'webgpu']) };
console.log(`${machine()}, Node ${process.versions.node}, ${runtime}, load ${loadNow()}`);
for (const row of rows.filter(({ id }) => only.includes(id))) {
  const kept = await runRow(row, options);
  print(kept);
  // What is kept is of one device.
  if (options.device !== 'cpu') continue;
  const all = withRow(await readKept(), kept, ids, runtime);
  await keep(all);
  await writeFile(pageFile, benchPage(all));
}
// Whatever a row has left open shall not keep the command from ending.
process.exit();
