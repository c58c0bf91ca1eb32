/**
 * `npm run bench:step [-- ROUNDS --device cpu|webgpu]`: a training step here and in PyTorch: the same modules, sizes and numbers of parameters, taps of the nano
 * backbone as given arrays, forward, backward, clipping and AdamW. On the CPU with two threads; or here on WebGPU, there on CUDA, all in float32, PyTorch's arrays
 * on the GPU from the beginning and ours handed over in each step. One step of each by turns, medians. Needs a Python with torch (PYTHON names it; default
 * /usr/bin/python3) and says so where there is none.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runtimes } from '#runtimes';
import type { Tap } from '../../sdk/contract/manifest.ts';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import {
  type AdapterConfig,
  type BackboneTaps,
  defaultAdapter,
  mapsToGuide,
  tapsToDistill,
} from '../../sdk/models/adapter.ts';
import { backboneTaps } from '../../sdk/models/backbone.ts';
import { countParams, Params } from '../../sdk/models/params.ts';
import { presets } from '../../sdk/models/presets.ts';
import { sizeOf } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import { initialState } from '../../sdk/train/loop/init.ts';
import { defaultOptimizer } from '../../sdk/train/loop/optimizer.ts';
import { type Batch, openRunner, type StepRunner } from '../../sdk/train/loop/runner.ts';
import { deviceOf } from './devices.ts';

const threads = 2;
const { values, positionals } = parseArgs({ allowPositionals: true, options: { device: { type: 'string' } } });
const rounds = Number(positionals[0] ?? 15);
const device = deviceOf(values.device ?? 'cpu', ['cpu', 'webgpu']);
const warmup = 3;
const python = process.env.PYTHON ?? '/usr/bin/python3';

type Case = { batch: number; config: AdapterConfig };

const nano: BackboneTaps = {
  visual: tapsOf('swin-v2-nano'),
  audio: tapsOf('hts-at-nano'),
};
const localization = { ...defaultAdapter, task: 'localize' as const, classes: Array.from({ length: 28 }, String) };
const withForm = (form: 'absorbed' | 'plain'): AdapterConfig => ({
  ...localization,
  distill: { ...localization.distill, form },
});
const cases: Record<string, Case> = {
  'localization, absorbed': { batch: 8, config: withForm('absorbed') },
  'localization, plain': { batch: 8, config: withForm('plain') },
  'segmentation, absorbed': { batch: 4, config: { ...defaultAdapter, task: 'segment', classes: [], segments: 5 } },
};

function tapsOf(name: 'swin-v2-nano' | 'hts-at-nano'): Tap[] {
  return backboneTaps(presets[name], (graph) => Params.inputs(graph)).map(({ value: _value, ...tap }) => tap);
}

/** What step_torch.py builds the same modules from. */
function sizesOf({ batch, config }: Case): Record<string, unknown> {
  const { task, segments, layers, heads, channels, classes, distill } = config;
  const shape = ({ tokens, width, grid }: Tap) => ({ tokens, width, grid });
  return {
    ...{ task, batch, seconds: segments, layers, heads, channels, classes: classes.length },
    ...{ form: distill.form, tokens: distill.tokens, width: distill.width },
    audio: tapsToDistill(nano.audio, config).map(shape),
    visual: tapsToDistill(nano.visual, config).map(shape),
    maps: task === 'segment' ? mapsToGuide(nano.visual).map(shape) : [],
  };
}

async function open(runtime: Runtime, { batch, config }: Case): Promise<{ runner: StepRunner; data: Batch }> {
  const runner = await openRunner({
    runtime,
    model: adapterModel(nano, config),
    batch,
    optimizer: defaultOptimizer,
    start: ({ specs }) => initialState(specs, 1),
  });
  const random = seededRandom('step');
  const classes = config.classes.length + 1;
  const fill = (name: string): ((i: number) => number) => {
    if (name.includes('.')) return () => gaussian(random);
    if (name === 'labels') return (i) => +((Math.floor(i / classes) * 7) % classes === i % classes);
    return name === 'masks' ? () => +(random() > 0.5) : () => 1;
  };
  const arrays = Object.entries(runner.step.inputs).map(([name, shape]) => {
    const value = fill(name);
    return [name, Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i))];
  });
  return { runner, data: Object.fromEntries(arrays) };
}

/** PyTorch in a process of its own; asked by a line, it answers by one. */
class Torch {
  readonly #process: ChildProcess;
  readonly #lines: NodeJS.AsyncIterator<string>;

  constructor(process: ChildProcess) {
    this.#process = process;
    this.#lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
  }

  async ask<T>(line: string): Promise<T> {
    this.#process.stdin!.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('PyTorch ended; its message is above.');
    return JSON.parse(value) as T;
  }

  async end(): Promise<void> {
    this.#process.stdin!.end();
    await once(this.#process, 'close');
  }
}

/** Threads of both runtimes spin for a while after their work, on the cores that the other one needs. */
const idle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function main(): Promise<void> {
  if (spawnSync(python, ['-c', 'import torch']).status !== 0) {
    console.log(`Skipped: ${python} has no torch. Install python3-torch, or name another Python in PYTHON.`);
    return;
  }
  const runtime = await runtimes.loadRuntime({ device, threads });
  const script = fileURLToPath(new URL('step_torch.py', import.meta.url));
  const torch = new Torch(spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const sizes = Object.fromEntries(Object.entries(cases).map(([name, one]) => [name, sizesOf(one)]));
  type Versions = { torch: string; python: string; by: string; parameters: Record<string, number> };
  const versions = await torch.ask<Versions>(
    JSON.stringify({ threads, device: device === 'cpu' ? 'cpu' : 'cuda', cases: sizes }),
  );
  console.log(
    `${cpus()[0]?.model.trim()}, ${cpus().length} threads seen, ${device}${device === 'cpu' ? ` with ${threads} threads` : ''}; Node ${process.version}, ${runtime.name}; ` +
      `Python ${versions.python}, PyTorch ${versions.torch} with ${versions.by}; medians of ${rounds} rounds, milliseconds a step`,
  );
  const rows = [['nano', 'parameters', 'PyTorch', 'here', 'ratio', 'PyTorch, least', 'here, least']];
  for (const [name, one] of Object.entries(cases)) {
    const { runner, data } = await open(runtime, one);
    const count = countParams(runner.step.specs);
    const [theirs, ours]: [number[], number[]] = [[], []];
    for (let round = -warmup; round < rounds; round++) {
      const { ms } = await torch.ask<{ ms: number }>(name);
      await idle();
      const start = performance.now();
      await runner.run(data, 1e-3);
      const own = performance.now() - start;
      await idle();
      if (round < 0) continue;
      theirs.push(ms);
      ours.push(own);
    }
    await runner.dispose();
    const [a, b] = [median(theirs), median(ours)];
    const least = (values: number[]): string => Math.min(...values).toFixed(1);
    const parameters = `${count}${count === versions.parameters[name] ? '' : ` (PyTorch ${versions.parameters[name]})`}`;
    rows.push([name, parameters, a.toFixed(1), b.toFixed(1), (b / a).toFixed(2), least(theirs), least(ours)]);
  }
  await torch.end();
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  for (const row of rows) {
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '));
  }
}

await main();
