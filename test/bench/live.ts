/**
 * `npm run bench:live [-- --seconds N]`: how late moments of a running source come, how many are left out, whether memory stays flat and times drift. In Node a made-up camera
 * (640 x 480, 25 a second, stereo at 48 kHz) with two moments a second, in a page (WASM, Chromium) its made-up camera and microphone with one; three adapters each. Prints
 * a table and keeps it in `results/live.json`. Needs a build.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { liveInNode, liveInPage, summary } from './live-parts.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string' } } });
const seconds = Number(values.seconds ?? 60);

const results = { node: summary(await liveInNode(seconds)), page: summary(await liveInPage(seconds)) };
console.log(`${seconds} s of a running source, three adapters`);
for (const [name, found] of Object.entries(results)) {
  const { moments, dropped, latencyMedian, latency95, drift, megabytes } = found;
  console.log(
    `${name.padEnd(5)} ${moments} moments, ${dropped} left out; latency ${latencyMedian} ms, 95 %: ${latency95} ms; drift ${drift} ms; MB ${megabytes.join(' ')}`,
  );
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const kept = new URL('results/', import.meta.url);
await mkdir(kept, { recursive: true });
const machine = `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores`;
await writeFile(
  new URL('live.json', kept),
  `${JSON.stringify({ commit, machine, node: process.versions.node, seconds, results }, null, 2)}\n`,
);
