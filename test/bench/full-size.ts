/**
 * `npm run check:full-size`: the published sizes of both networks, built as a stream with seeded weights and run in Node. Fails if a count of parameters is not
 * the published one, or a form loses its taps: those of the quantized forms are compared with those of float32, output by output.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import type { Form } from '../../sdk/compile/variants.ts';
import { costOfPreset } from '../../sdk/models/count.ts';
import { presets } from '../../sdk/models/presets.ts';
import { compareApart, runApart } from './backbone-runs.ts';
import { writeSeeded } from './seeded-graphs.ts';

const published = [
  { preset: 'swin-v2-large-192', core: 195_202_932 },
  { preset: 'hts-at', core: 27_534_360 },
] as const;
const forms: readonly Form[] = ['float32', 'int8', 'block8'];
/** Smallest cosine that a tap may have with that of float32. */
const bound = 0.99;

console.log(`${cpus()[0]!.model}, ${cpus().length} logical cores; Node ${process.version}; one thread`);
for (const { preset, core } of published) {
  const { params, macs } = costOfPreset(presets[preset], (name) => name.startsWith('bn0.'));
  console.log(
    `\n${preset}: ${params} parameters, expected ${core}; ${(macs / 1e9).toFixed(2)} G multiply-adds a second`,
  );
  if (params !== core) process.exitCode = 1;
  const folder = mkdtempSync(`${tmpdir()}/mettle-full-`);
  try {
    const begin = performance.now();
    const graphs = await writeSeeded(preset, forms, folder);
    const built = ((performance.now() - begin) / 1000).toFixed(0);
    console.log(`built in ${built} s, peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
    for (const device of ['cpu', 'wasm'] as const) {
      for (const graph of graphs) {
        // 780 MB of float32 do not fit into WASM's memory beside what it makes of them.
        if (device === 'wasm' && graph.form !== 'int8') continue;
        const run = runApart({ graphs: [graph], device, threads: 1, rounds: 3, plain: false });
        if (!run) throw new Error(`${preset}, ${graph.form}: no room on ${device}`);
        const { ms, loadSeconds } = run.times[0]!;
        const size = `${(graph.bytes / 1e6).toFixed(0)} MB of files`;
        const speed = `${(ms / 1000).toFixed(2)} s for a second of media`;
        console.log(
          `${graph.form} on ${device}: ${size}, loaded in ${loadSeconds.toFixed(1)} s, ${speed}, peak ${run.peakMb.toFixed(0)} MB`,
        );
      }
    }
    for (const graph of graphs.slice(1)) {
      const { cosine, tap } = compareApart(graphs[0]!, graph);
      console.log(`${graph.form}: smallest cosine with float32 ${cosine.toFixed(5)}, at ${tap}`);
      if (!(cosine > bound)) process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
