/**
 * `npm run bench:backbones [-- PRESET... --device cpu|wasm|webgpu --rounds N --threads N]`: what a second of media costs on each network and in each form, on
 * onnxruntime-node's CPU and on WASM in Node, and if it is named on onnxruntime-node's WebGPU, where taps stay on the GPU and a run ends when the last of them was
 * read. Weights are seeded noise, which changes no time. Each form runs beside float32 in interleaved rounds; times are medians, of the backbone's graph alone;
 * peak memory is that of a process that loads one form and runs it. Presets named run alone; without names all that fit into the memory that is free.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, freemem, loadavg, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import type { Form } from '../../sdk/compile/variants.ts';
import { costOfPreset } from '../../sdk/models/count.ts';
import { type PresetName, presets } from '../../sdk/models/presets.ts';
import { type BenchDevice, runApart } from './backbone-runs.ts';
import { deviceOf } from './devices.ts';
import { type SeededGraph, writeSeeded } from './seeded-graphs.ts';

const onCpus: readonly Form[] = ['float32', 'stored8', 'int8', 'block8', 'block4'];
const formsOf: Record<BenchDevice, readonly Form[]> = {
  cpu: onCpus,
  wasm: onCpus,
  webgpu: ['float32', 'float16', 'block8', 'block4'],
};
/** What a process takes that holds a network in float32 and in another form while it loads them. */
const bytesPerParameter = 32;

const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { device: { type: 'string' }, rounds: { type: 'string' }, threads: { type: 'string' } },
});
/** As many as the engine takes by itself: more sessions with more threads than cores would disturb each other. */
const threads = Number(values.threads ?? Math.max(1, Math.floor(availableParallelism() / 2)));
const all = Object.keys(formsOf) as BenchDevice[];
const devices = values.device ? [deviceOf(values.device, all)] : (['cpu', 'wasm'] as const);
const forms = [...new Set(devices.flatMap((device) => formsOf[device]))];

function chosen(): PresetName[] {
  const names = Object.keys(presets) as PresetName[];
  const unknown = asked.filter((name) => !names.includes(name as PresetName));
  if (unknown.length > 0) throw new Error(`no preset ${unknown.join(', ')}; there are ${names.join(', ')}`);
  if (asked.length > 0) return asked as PresetName[];
  return names.filter((name) => bytesPerParameter * costOfPreset(presets[name]).params < freemem());
}

/**
 * Enough rounds for a steady median, and a bound on the time that a preset takes. An even number: of a pair each is as often the first, which finds the caches
 * as another graph left them.
 */
const roundsFor = (macs: number): number => 2 * Math.max(3, Math.min(150, Math.round(30e9 / macs)));

const cell = (x: number | string, width: number): string => String(x).padStart(width);
const header = ['form', 'files MB', 'ms', 'of float32', 'of plain', 'load s', 'peak MB'];
const widths = [9, 9, 9, 11, 9, 8, 9];

/**
 * Beside float32 and beside the runtime alone, as far as the device has room for all of them at once: WASM has 4 GiB. Ratios that had none are dashes; a graph
 * that cannot run even by itself says so.
 */
function rowOf(reference: SeededGraph, graph: SeededGraph, device: BenchDevice, rounds: number): string[] {
  const begin = [graph.form, (graph.bytes / 1e6).toFixed(1)];
  const alone = runApart({ graphs: [graph], device, threads, rounds: 1, plain: false });
  if (!alone) return [...begin, 'not on this device'];
  const own = { device, threads, rounds };
  const beside = graph === reference ? null : runApart({ graphs: [reference, graph], ...own, plain: true });
  const single = beside ?? runApart({ graphs: [graph], ...own, plain: true })!;
  const { ms, ofFirst, ofPlain, loadSeconds } = single.times.at(-1)!;
  return [
    ...begin,
    ms.toFixed(2),
    beside || graph === reference ? ofFirst.toFixed(2) : '-',
    ofPlain?.toFixed(3) ?? '-',
    loadSeconds.toFixed(2),
    alone.peakMb.toFixed(0),
  ];
}

async function bench(name: PresetName): Promise<void> {
  const { params, macs } = costOfPreset(presets[name]);
  const folder = mkdtempSync(`${tmpdir()}/mettle-bench-`);
  try {
    const graphs = await writeSeeded(name, forms, folder);
    for (const device of devices) {
      const rounds = values.rounds ? 2 * Math.ceil(Number(values.rounds) / 2) : roundsFor(macs);
      const size = `${(params / 1e6).toFixed(2)} M parameters, ${(macs / 1e9).toFixed(2)} G multiply-adds`;
      console.log(`\n${name} on ${device}: ${size}, ${rounds} rounds`);
      console.log(header.map((text, i) => cell(text, widths[i]!)).join(''));
      for (const graph of graphs.filter(({ form }) => formsOf[device].includes(form))) {
        const row = rowOf(graphs[0]!, graph, device, rounds);
        console.log(row.map((text, c) => cell(text, widths[c]!)).join(''));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const runtimes = `onnxruntime-node and -web ${ort.env.versions.common}`;
console.log(
  `${cpus()[0]!.model}, ${cpus().length} logical cores, ${threads} threads; Node ${process.version}, ${runtimes}`,
);
console.log(
  `load average before: ${loadavg()
    .map((x) => x.toFixed(1))
    .join(', ')}`,
);
for (const name of chosen()) await bench(name);
console.log(
  `\nload average after: ${loadavg()
    .map((x) => x.toFixed(1))
    .join(', ')}`,
);
