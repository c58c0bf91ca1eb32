/**
 * `npm run bench:training`: what training costs, four ways, on one backbone and one task: bytes kept for the backward pass and multiply-adds counted from the
 * graph, time per step and peak memory measured (each way in a process of its own, rounds interleaved), and what was learned. Then the same counts at the
 * paper's size, where nothing is run.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runtimes } from '#runtimes';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { countParams } from '../../sdk/models/params.ts';
import { presets } from '../../sdk/models/presets.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { type BatchSource, batchIndices, stackBatch } from '../../sdk/train/loop/batches.ts';
import { initialState } from '../../sdk/train/loop/init.ts';
import { costOf, type StepCost } from '../../sdk/train/loop/memory.ts';
import { defaultOptimizer } from '../../sdk/train/loop/optimizer.ts';
import { Predictor } from '../../sdk/train/loop/predict.ts';
import { type Batch, openRunner } from '../../sdk/train/loop/runner.ts';
import { cosineWithWarmup } from '../../sdk/train/loop/schedule.ts';
import { lossGraph } from '../../sdk/train/loop/step.ts';
import { pairClasses, pairClips } from './training-data.ts';
import { modelOf, type Networks, readsTaps, tapGraph, type Way, type WayOptions, ways } from './training-ways.ts';

const nano: Networks = { visual: presets['swin-v2-nano'], audio: presets['hts-at-nano'] };
const paper: Networks = { visual: presets['swin-v2-large-192'], audio: presets['hts-at'] };
const segments = 4;
const batch = 2;
const steps = 320;

type Measured = { way: Way; msPerStep: number; peakMb: number; accuracy: number; parameters: number };

const optionsFor = (networks: Networks, frozen: WayOptions['frozen'], width: number): WayOptions => ({
  networks,
  classes: pairClasses,
  segments,
  width,
  frozen,
});

/** One way, trained: run in a process of its own, so that its peak memory is its own. */
async function measure(way: Way): Promise<Measured> {
  const model = modelOf(way, optionsFor(nano, { seed: 1 }, 128));
  const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 2 });
  const [data, held] = await Promise.all(
    [pairClips(48, segments, nano, 'train'), pairClips(24, segments, nano, 'held out')].map((clips) =>
      readsTaps(way) ? withTaps(runtime, clips, optionsFor(nano, { seed: 1 }, 128)) : clips,
    ) as [BatchSource, BatchSource],
  );
  const runner = await openRunner({
    runtime,
    model,
    batch,
    optimizer: { ...defaultOptimizer },
    start: ({ specs }) => initialState(specs, 1, { average: false }),
  });
  const rate = cosineWithWarmup(steps, { rate: 1e-3, warmup: 0.1, floor: 0.05 });
  const times: number[] = [];
  for (let step = 0; step < steps; step++) {
    const stacked = await stackBatch(data, batchIndices(data.size, batch, 1, step), runner.step.inputs, batch);
    const start = performance.now();
    await runner.run(stacked, rate(step));
    times.push(performance.now() - start);
  }
  const { parameters } = await runner.state();
  const count = countParams(runner.step.specs);
  const peakMb = process.resourceUsage().maxRSS / 1024;
  await runner.dispose();
  const predictor = await Predictor.open(runtime, model, batch);
  let right = 0;
  await predictor.each(parameters, held, ({ logits }, index) => {
    const { labels } = held.read(index) as { labels: Float32Array };
    for (let s = 0; s < segments; s++) right += +(best(logits!, s) === best(labels, s));
  });
  await predictor.dispose();
  const accuracy = (100 * right) / (held.size * segments);
  return { way, msPerStep: median(times.slice(5)), peakMb, accuracy, parameters: count };
}

/** The same clips with the backbone's taps instead of pictures and log-mels. */
async function withTaps(runtime: Runtime, clips: BatchSource, options: WayOptions): Promise<BatchSource> {
  const taps = tapGraph(options, segments);
  const outputs = Object.fromEntries([...taps.visual, ...taps.audio].map(({ name, value }) => [`${name}/out`, value]));
  const session = await runtime.ort.InferenceSession.create(writeOnnx(outputs));
  const examples: Batch[] = [];
  for (let i = 0; i < clips.size; i++) {
    const { picture, logMel, ...labels } = (await clips.read(i)) as Record<string, Float32Array>;
    const { visual, audio } = options.networks;
    const feeds = {
      picture: new runtime.ort.Tensor('float32', picture!, [
        segments,
        3,
        visual.frontEnd.height,
        visual.frontEnd.width,
      ]),
      logMel: new runtime.ort.Tensor('float32', logMel!, [segments, 1, audio.frontEnd.frames, audio.frontEnd.mels]),
    };
    const results = await session.run(feeds);
    const named = Object.entries(results).map(([name, tensor]) => [
      name.replace('/out', ''),
      tensor.data as Float32Array,
    ]);
    examples.push({ ...labels, ...Object.fromEntries(named) });
  }
  await session.release();
  return { size: clips.size, id: clips.id, read: (i) => examples[i]! };
}

function best(rows: Float32Array, row: number): number {
  const own = rows.subarray(row * (pairClasses + 1), (row + 1) * (pairClasses + 1));
  return own.indexOf(Math.max(...own));
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

function cost(way: Way, networks: Networks, width: number): StepCost {
  const { params, report } = lossGraph(modelOf(way, optionsFor(networks, 'declared', width)), 1);
  const all = [...params.specs.values()];
  return costOf(
    report.loss,
    all.map(({ name, shape, init }) => params.get(name, shape, init)),
  );
}

function print(title: string, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  console.log(`\n${title}\n`);
  for (const row of table)
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '));
}

const mb = (bytes: number): string => (bytes / 1e6).toFixed(2);

function runAll(rounds: number): void {
  const self = fileURLToPath(import.meta.url);
  const measured = new Map<Way, Measured[]>(ways.map((way) => [way, []]));
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      const child = spawnSync(process.execPath, ['--import', 'tsx', self, way], { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      measured.get(way)!.push(JSON.parse(child.stdout.trim().split('\n').at(-1)!) as Measured);
    }
  }
  const counted = ways.map((way) => cost(way, nano, 128));
  const reference = ways.indexOf('adapters inside');
  const rows = ways.map((way, i) => {
    const runs = measured.get(way)!;
    const ms = median(runs.map((run) => run.msPerStep));
    const base = median(measured.get(ways[reference]!)!.map((run) => run.msPerStep));
    const saved = counted[i]!.savedBytes / segments;
    const savedBase = counted[reference]!.savedBytes / segments;
    return [
      way,
      mb(saved),
      mb((counted[i]!.savedBytes - counted[i]!.frozenBytes) / segments),
      `${(saved / savedBase).toFixed(3)}`,
      String(runs[0]!.parameters),
      ms.toFixed(0),
      (ms / base).toFixed(2),
      median(runs.map((run) => run.peakMb)).toFixed(0),
      runs[0]!.accuracy.toFixed(1),
    ];
  });
  console.log(
    `${cpus()[0]?.model.trim()}, ${cpus().length} threads seen, 2 used; Node ${process.version}; ${rounds} interleaved rounds of ${steps} steps of ${batch} clips of ${segments} s`,
  );
  const header = [
    'nano',
    'MB kept/s',
    'of it learned',
    'ratio',
    'trained',
    'ms/step',
    'ratio',
    'peak MB',
    'held-out %',
  ];
  print('Measured on nano', header, rows);

  const projected = ways.map((way) => ({ way, cost: cost(way, paper, 512) }));
  const paperBase = projected[reference]!.cost.savedBytes;
  print(
    "Swin-V2-L and HTS-AT, the paper's size: counted, not run",
    ['paper size', 'MB kept/s', 'of it learned', 'ratio', 'GMAC forward', 'GMAC backward'],
    projected.map(({ way, cost: c }) => [
      way,
      mb(c.savedBytes / segments),
      mb((c.savedBytes - c.frozenBytes) / segments),
      (c.savedBytes / paperBase).toFixed(3),
      (c.forwardMacs / segments / 1e9).toFixed(2),
      (c.backwardMacs / segments / 1e9).toFixed(2),
    ]),
  );
  console.log(
    '\nkept: values of the forward pass that the backward pass reads, per second of clip; learned: of those, what depends on trained parameters.',
  );
}

const [way] = process.argv.slice(2);
if (way === undefined || /^\d+$/.test(way)) runAll(Number(way ?? 3));
else console.log(JSON.stringify(await measure(way as Way)));
