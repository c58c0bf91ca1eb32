/**
 * A training step here and in PyTorch: the same modules, sizes and numbers of parameters, taps of the nano backbone as given arrays, forward, backward, clipping and
 * AdamW. On the CPU with two threads; or here on WebGPU, there on CUDA, PyTorch's arrays on the GPU from the beginning and ours handed over in each step. Needs a Python
 * with torch: PYTHON names it, default /usr/bin/python3.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runtimes } from '#runtimes';
import type { Tap } from '../../../sdk/contract/manifest.ts';
import type { Runtime } from '../../../sdk/contract/runtime.ts';
import {
  type AdapterConfig,
  type BackboneTaps,
  defaultAdapter,
  mapsToGuide,
  tapsToDistill,
} from '../../../sdk/models/adapter.ts';
import { backboneTaps } from '../../../sdk/models/backbone.ts';
import { countParams, Params } from '../../../sdk/models/params.ts';
import { presets } from '../../../sdk/models/presets.ts';
import { sizeOf } from '../../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../../sdk/random.ts';
import { adapterModel } from '../../../sdk/train/adapter/model.ts';
import { initialState } from '../../../sdk/train/loop/init.ts';
import { defaultOptimizer } from '../../../sdk/train/loop/optimizer.ts';
import { type Batch, openRunner, type StepRunner } from '../../../sdk/train/loop/runner.ts';
import { median, ratioOf, timed } from '../measure.ts';
import { Partner } from '../partner.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

const threads = 2;
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

/** Threads of both runtimes spin for a while after their work, on the cores that the other one needs. */
const idle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

type Versions = { torch: string; python: string; by: string; parameters: Record<string, number> };

/** Milliseconds of steps, one of each by turns. */
async function turns(runtime: Runtime, torch: Partner, name: string, rounds: number, warmup: number) {
  const { runner, data } = await open(runtime, cases[name]!);
  const [theirs, ours]: [number[], number[]] = [[], []];
  for (let round = -warmup; round < rounds; round++) {
    const { ms } = await torch.ask<{ ms: number }>(name);
    await idle();
    const own = await timed(() => runner.run(data, 1e-3));
    await idle();
    if (round < 0) continue;
    theirs.push(ms);
    ours.push(own);
  }
  await runner.dispose();
  return { theirs, ours, parameters: countParams(runner.step.specs) };
}

export const training: Row = {
  id: 'training',
  title: 'Training step',
  how:
    'Forward, backward, clipping and AdamW on the taps of nano, the same modules in PyTorch, two threads each, one step of each by turns; milliseconds a step. `--device ' +
    'webgpu` does it on a GPU, there through CUDA, and only prints.',
  async run({ quick, device }) {
    if (spawnSync(python, ['-c', 'import torch']).status !== 0) {
      return {
        figures: [],
        missing: [`${python} has no torch. Install python3-torch, or name another Python in PYTHON.`],
      };
    }
    const runtime = await runtimes.loadRuntime({ device, threads });
    const script = fileURLToPath(new URL('step_torch.py', import.meta.url));
    const torch = new Partner(python, [script], 'PyTorch');
    const sizes = Object.fromEntries(Object.entries(cases).map(([name, one]) => [name, sizesOf(one)]));
    const versions = await torch.ask<Versions>(
      JSON.stringify({ threads, device: device === 'cpu' ? 'cpu' : 'cuda', cases: sizes }),
    );
    const figures: Figure[] = [];
    for (const name of Object.keys(cases)) {
      const [rounds, warmup] = quick ? [2, 1] : [15, 3];
      const { theirs, ours, parameters } = await turns(runtime, torch, name, rounds!, warmup!);
      if (parameters !== versions.parameters[name]) {
        throw new Error(`${name}: ${parameters} parameters here, ${versions.parameters[name]} in PyTorch.`);
      }
      const least = { name: 'in PyTorch', value: Math.min(...theirs) };
      figures.push(
        {
          what: name,
          unit: 'ms',
          here: median(ours),
          beside: { name: 'in PyTorch', value: median(theirs) },
          ratio: ratioOf(ours, theirs),
        },
        {
          what: `${name}, the quickest step`,
          unit: 'ms',
          here: Math.min(...ours),
          beside: least,
          ratio: Math.min(...ours) / least.value,
        },
      );
    }
    await torch.end();
    const { python: pythonVersion, torch: torchVersion, by } = versions;
    return { figures, missing: [], versions: { PyTorch: `${torchVersion} with ${by}`, Python: pythonVersion } };
  },
};
