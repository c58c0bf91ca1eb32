/**
 * `npm run bench:runs [-- --runs N]`: whether memory stays flat. So many analyses of a short clip, one after another, in Node and in a page (WASM, Chromium), with the
 * resident memory of the whole process or renderer after each tenth of them. Prints a table and keeps it in `results/runs.json`. Needs a build.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { residentOf } from './measure.ts';
import { withPage } from './renderer.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' } } });
const runs = Number(values.runs ?? 300);
const step = Math.max(1, Math.floor(runs / 10));
const adapters = ['toybox-ave', 'toybox-llp', 'toybox-s4'];

async function inNode(): Promise<number[]> {
  const { createMettle } = (await import(
    new URL('../../dist/node/index.js', import.meta.url).href
  )) as typeof import('../../sdk/index.ts');
  await using mettle = await createMettle({ adapters });
  const clip = shortClip();
  const megabytes: number[] = [];
  for (let run = 1; run <= runs; run++) {
    await mettle.analyze(clip);
    if (run % step === 0) megabytes.push(await residentOf(process.pid));
  }
  return megabytes;
}

function shortClip() {
  const samples = new Float32Array(96_000).map((_, i) => 0.3 * Math.sin(i / 20));
  const frame = { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3).fill(90) };
  return { frames: [frame, frame], frameRate: 1, audio: { channels: [samples], sampleRate: 48_000 } };
}

const inPage = (): Promise<number[]> =>
  withPage(async (page, { resident }) => {
    await page.evaluate(
      async ({ names, make }) => {
        const { createMettle } = await import(new URL('/dist/page/index.js', location.href).href);
        const mettle = await createMettle({
          adapters: names,
          device: 'wasm',
          // A checkout is not laid out as node_modules is.
          runtimePath: '/node_modules/onnxruntime-web/dist/',
        });
        const clip = new Function(`return (${make})()`)();
        Object.assign(globalThis, { again: () => mettle.analyze(clip) });
      },
      { names: adapters, make: shortClip.toString() },
    );
    const megabytes: number[] = [];
    for (let run = 1; run <= runs; run++) {
      await page.evaluate(() => (globalThis as unknown as { again(): Promise<unknown> }).again().then(() => {}));
      if (run % step === 0) megabytes.push(await resident());
    }
    return megabytes;
  });

const results = { node: await inNode(), page: await inPage() };
const grown = (series: readonly number[]): number => series.at(-1)! / series[Math.floor(series.length / 3)]!;
console.log(`${runs} runs of 2 s, three adapters; MB after each ${step}`);
for (const [name, series] of Object.entries(results)) {
  console.log(
    `${name.padEnd(5)} ${series.map((mb) => mb.toFixed(0)).join(' ')}  last / a third: ${grown(series).toFixed(3)}`,
  );
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const kept = new URL('results/', import.meta.url);
await mkdir(kept, { recursive: true });
const machine = `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores`;
await writeFile(
  new URL('runs.json', kept),
  `${JSON.stringify({ commit, machine, node: process.versions.node, runs, results }, null, 2)}\n`,
);
