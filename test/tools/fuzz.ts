/**
 * `npm run fuzz [-- --films N] [--files N] [--seed N] [--processes N]`: damaged films by the thousand, and as many broken copies for every reader of other files. Each must end in
 * a result or a MettleError, the films within 10 s of computing and 1 GiB. Prints tables, keeps them in `../bench/results/fuzz.json`, and ends with code 1 where one did not.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fuzzReaders, fuzzTable } from '../helpers/fuzz-readers.ts';
import { fuzzFilms, fuzzMedia, fuzzReport, fuzzSummary, isSettled } from '../helpers/media-fuzz.ts';
import { sharedIsAbsent } from '../helpers/shared.ts';

const { values } = parseArgs({
  options: {
    films: { type: 'string', default: '2000' },
    files: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: '2' },
  },
});
const [films, files, seed, processes] = [values.films, values.files, values.seed, values.processes].map(Number);

/** Of what is tried; it takes its time, and there may be another at its end. */
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();

const rows = await fuzzReaders(files!, seed!);
console.log(`${files} broken copies for each reader, seed ${seed}\n${fuzzTable(rows)}\n`);
const faults = rows.flatMap(({ name, faults }) => faults.map((fault) => `${name} ${fault}`));
for (const fault of faults.slice(0, 10)) console.log(fault);

const findings = await fuzzMedia(fuzzFilms({ shared: true }), {
  count: films!,
  seed: seed!,
  processes: processes!,
  onFinding: (finding) => {
    if (!isSettled(finding)) console.error(JSON.stringify(finding));
  },
});
console.log(fuzzReport(findings));

const kept = new URL('../bench/results/', import.meta.url);
await mkdir(kept, { recursive: true });
const sharedClips = !sharedIsAbsent('clips');
const results = { commit, node: process.versions.node, seed, sharedClips, films: fuzzSummary(findings), readers: rows };
await writeFile(new URL('fuzz.json', kept), `${JSON.stringify(results, null, 2)}\n`);
process.exitCode = faults.length === 0 && findings.every(isSettled) ? 0 : 1;
