/**
 * `npm run bench:quality -- --data DIR --work DIR`: trains the default adapter of each task, baselines and ablations with one budget, and writes
 * adapters/QUALITY.md and quality.json. Every finished run is kept in WORK, so a bench that was stopped goes on; one that is to be made anew needs another WORK.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { env } from 'onnxruntime-node';
import type { Split } from '../../sdk/contract/split.ts';
import { sdkVersion } from '../../sdk/contract/version.ts';
import { openBackbone } from '../../sdk/load.ts';
import { machineName } from '../../sdk/node/host/machine.ts';
import { toyboxHeader, toyboxOrigin } from '../../sdk/node/toybox/origin.ts';
import { defaultEpochs } from '../../sdk/train/adapter/config.ts';
import type { Dataset } from '../../sdk/train/data/types.ts';
import { qualityPage } from './quality-page.ts';
import {
  type Budget,
  type FormResult,
  isToybox,
  type Quality,
  type RunResult,
  repeats,
  runs,
  type TaskQuality,
  tasks,
  withTask,
} from './quality-runs.ts';
import { judgeForms, openPlace, type Place, runOnce } from './quality-train.ts';

const help = `Usage
  npm run bench:quality -- --data DIR --work DIR [options]

  --data DIR       has what "mettle data toybox" wrote as toybox/ (ave, llp, avs-s4, avs-ms3), and what adapters/everyday/compose.ts wrote
  --work DIR       features, trainings and finished runs; the same again goes on where it stopped
  --only LIST      of ${tasks.map(({ id }) => id).join(',')} (default: all); others stay as the page has them
  --runs LIST      of ${runs.map(({ id }) => id).join(',')} (default: all)
  --no-forms       do not run the finished adapters on every device
  --epochs N       (default: that of mettle train)
  --batch N        (default: 8)
  --seed N         (default: 1)
  --seeds N        train LCD and the linear probe of all layers with so many seeds from that one on; their difference is judged by the mean (default: 1)
  --threads N      of each training; give each of several benches side by side its own cores (default: all cores)
  --backbone ID    id or path (default: nano)
  --adapters DIR   adapters by id, as "mettle train" left them with their .work folders: not trained again
  --cache DIR      features (default: WORK/features)
  --out DIR        where QUALITY.md and quality.json go (default: adapters)
`;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    work: { type: 'string' },
    only: { type: 'string' },
    runs: { type: 'string' },
    'no-forms': { type: 'boolean' },
    epochs: { type: 'string' },
    batch: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
    backbone: { type: 'string', default: 'nano' },
    adapters: { type: 'string' },
    cache: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('../../adapters', import.meta.url)) },
    help: { type: 'boolean', short: 'h' },
  },
});
const { data, work, out } = values;
if (values.help || !data || !work) {
  console.error(help);
  process.exit(values.help ? 0 : 2);
}

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
const { signal } = controller;

const began = performance.now();
const say = (text: string): void =>
  console.error(`${((performance.now() - began) / 60_000).toFixed(1).padStart(6)} min  ${text}`);

const budgetFor = (task: Dataset['task']): Budget => ({
  epochs: values.epochs === undefined ? defaultEpochs(task) : whole('epochs'),
  batch: whole('batch'),
  seed: whole('seed'),
  rate: 1e-3,
});
const chosenTasks = chosen('only', tasks);
const otherSeeds = Array.from({ length: whole('seeds') - 1 }, (_, i) => whole('seed') + 1 + i);
const chosenRuns = chosen('runs', [...runs, ...repeats(otherSeeds)]);

/** What differs in how much it tells: first everything's default, then what it is compared with, then what it is made of. */
const kinds = ['ours', 'baseline', 'repeat', 'ablation'] as const;

try {
  await bench();
} catch (error) {
  if (!signal.aborted) throw error;
  say('stopped; the same command goes on');
  process.exit(130);
}
console.log(`${join(out, 'QUALITY.md')}`);

async function bench(): Promise<void> {
  const places: Place[] = [];
  for (const task of chosenTasks) places.push(await open(task));
  for (const kind of kinds) {
    for (const place of places) {
      for (const run of chosenRuns) {
        if (run.kind !== kind || run.absent?.[place.task.id]) continue;
        await once(place, `${run.id}.json`, () => runOnce(place, run));
        if (kind === 'ours' && !values['no-forms']) await once(place, 'forms.json', () => judgeForms(place));
        await writePage(place);
      }
    }
  }
}

async function open(task: (typeof tasks)[number]): Promise<Place> {
  const opened = await openPlace(data!, task, signal);
  const { seed, header } = await originOf(task, opened.data);
  const { manifest } = await openBackbone(values.backbone, { signal: signal });
  const files = manifest.files.map(({ integrity }) => integrity);
  const ids = opened.dataset.items.map(({ id, split }) => `${id} ${split}`);
  const budget = budgetFor(opened.dataset.task);
  const plan = JSON.stringify([budget, header, files, ids]);
  const digest = createHash('sha256').update(plan).digest('hex').slice(0, 12);
  return {
    ...opened,
    seed,
    work: join(work!, task.id, digest),
    features: values.cache ?? join(work!, 'features'),
    backbone: { name: values.backbone, manifest },
    budget,
    adapters: values.adapters ?? null,
    threads: whole('threads'),
    signal,
    say,
  };
}

/** The seed of a task's clips, and all that they depend on. Throws where they were written by nothing that says so. */
async function originOf(task: (typeof tasks)[number], folder: string): Promise<{ seed: number; header: unknown }> {
  if (isToybox(task)) {
    const origin = await toyboxOrigin(folder);
    if (origin) return { seed: origin.seed, header: toyboxHeader(origin) };
    throw new Error(`${folder} was not written by "mettle data toybox": it has no toybox.jsonl.`);
  }
  // Worlds that share their films have one header, beside them.
  const header = await readJson<{ seed: number }>(join(await realpath(join(folder, 'clips')), '../compose.json'));
  if (header) return { seed: header.seed, header };
  throw new Error(
    `${folder} was not written by adapters/everyday/compose.ts: there is no compose.json beside its clips.`,
  );
}

/** What `make` gave, now or in an earlier bench. */
async function once<T>({ task, work: folder }: Place, name: string, make: () => Promise<T>): Promise<T> {
  const path = join(folder, name);
  const kept = await readJson<T>(path);
  if (kept) return kept;
  say(`${task.id} ${name.replace('.json', '')}`);
  const made = await make();
  await mkdir(folder, { recursive: true });
  await writeWhole(path, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

/** Writes the page with all that is finished of this task, and of the others what was there. */
async function writePage({ task, work: folder, backbone, dataset, seed, budget }: Place): Promise<void> {
  const done: Record<string, RunResult> = {};
  const files = await readdir(folder).catch(() => []);
  for (const file of files.filter((name) => name.endsWith('.json') && name !== 'forms.json').sort()) {
    const result = await readJson<RunResult>(join(folder, file));
    if (result) done[file.slice(0, -'.json'.length)] = result;
  }
  const clips = Object.fromEntries(
    (['train', 'val', 'test'] as Split[]).map((split) => [
      split,
      dataset.items.filter((item) => item.split === split).length,
    ]),
  ) as TaskQuality['data']['clips'];
  const { id, version, untrained } = backbone.manifest;
  const own: TaskQuality = {
    id: task.id,
    machine: machineName(),
    versions: `mettle-edge ${sdkVersion}, Node ${process.versions.node}, onnxruntime ${env.versions.node}`,
    backbone: { id, version, untrained },
    data: { seed, clips },
    budget,
    runs: done,
    forms: (await readJson<FormResult[]>(join(folder, 'forms.json'))) ?? [],
  };
  const present = (await readJson<Quality>(join(out, 'quality.json'))) ?? { schema: 1, tasks: [] };
  const quality = withTask(present, own);
  await mkdir(out, { recursive: true });
  await writeWhole(join(out, 'quality.json'), `${JSON.stringify(quality, null, 2)}\n`);
  await writeWhole(join(out, 'QUALITY.md'), qualityPage(quality));
}

async function readJson<T>(path: string): Promise<T | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as T);
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

function whole(name: 'epochs' | 'batch' | 'seed' | 'seeds' | 'threads'): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} must be a whole number from 1, got "${values[name]}".`);
  return value;
}

function chosen<T extends { id: string }>(name: 'only' | 'runs', all: readonly T[]): T[] {
  const asked = values[name]?.split(',');
  const unknown = asked?.find((id) => !all.some((one) => one.id === id));
  if (unknown !== undefined)
    throw new Error(`--${name}: no ${unknown}; there are ${all.map(({ id }) => id).join(', ')}.`);
  return asked ? all.filter(({ id }) => asked.includes(id)) : [...all];
}
