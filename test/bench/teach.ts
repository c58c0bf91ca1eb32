/**
 * `npm run bench:teach [-- --draws N] [--only recordings|photographs] [--backbone A[,B]] [--device NAME] [--data DIR] [--out FILE]`: how good a head is that was taught two events by five
 * examples of each and five of nothing. Every draw takes two classes of ESC-10, or of the sounding things of Caltech-101, teaches with recordings of folds 1 and 2 or photographs that
 * nano learned from, and asks about fold 3 or photographs that it never saw: about all takes of the two, and about classes that were neither taught nor among the examples of
 * nothing. All heads of one kind answer on one backbone pass.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listTakes } from '../../adapters/everyday/esc10.ts';
import { partPhotos, soundingClasses } from '../../adapters/nano/held.ts';
import { readBackbone } from '../../sdk/cli/options.ts';
import type { ClipSource } from '../../sdk/contract/clip.ts';
import type { DeviceRequest } from '../../sdk/contract/device.ts';
import type { Sense } from '../../sdk/contract/manifest.ts';
import { createMettle } from '../../sdk/mettle.ts';
import { readPicture } from '../../sdk/node/data/picture.ts';
import { machineName } from '../../sdk/node/host/machine.ts';
import type { ParsingResult } from '../../sdk/tasks/types.ts';
import { type Dice, diceOf } from '../../sdk/toybox/dice.ts';
import type { LeftOut, ProgressStore, TaughtAdapter, TeachExample } from '../../sdk/train/teach/options.ts';
import { teach } from '../../sdk/train/teach/teach.ts';

const [examplesOfEach, foreignOfEach] = [5, 40];
/** On a machine that is busy with other things a decoder may wait long for its turn. */
const patient = { stallSeconds: 600 };

/** Something of a class; `group` is what must not lie on both sides, nor twice among the examples of one event. */
type Take = { label: string; path: string; group: string };
type Material = { sense: Sense; events: string[]; teach: Take[]; ask: Take[]; open(take: Take): Promise<ClipSource> };
type Draw = { events: [string, string]; taught: TaughtAdapter; seconds: number; fresh: Take[]; foreign: Take[] };

/** Shares, 0 to 1: of fresh takes `right`, `wrong` and `missed` make one; `closed` are right where one of both has to be named. */
export type DrawFigures = {
  events: [string, string];
  right: number;
  wrong: number;
  missed: number;
  closed: number;
  /** Of clips of other things, those about which nothing is said in any second; and of their seconds. */
  silentClips: number;
  silentSeconds: number;
  leftOut: LeftOut;
  seconds: number;
};

async function recordings(data: string): Promise<Material> {
  const { classes, takes } = await listTakes(`${data}/sounds/esc10`);
  const of = (own: (fold: number) => boolean): Take[] =>
    takes.filter(({ fold }) => own(fold)).map(({ label, path, recording }) => ({ label, path, group: recording }));
  return {
    sense: 'audio',
    events: classes,
    teach: of((fold) => fold < 3),
    ask: of((fold) => fold === 3),
    open: async ({ path }) => path,
  };
}

async function photographs(data: string): Promise<Material> {
  const classes = await partPhotos(`${data}/photos/caltech101`);
  const of = (side: 'learned' | 'held'): Take[] =>
    classes.flatMap(({ label, ...paths }) => paths[side].map((path) => ({ label, path, group: path })));
  return {
    sense: 'visual',
    events: [...soundingClasses],
    teach: of('learned'),
    ask: of('held'),
    open: async ({ path }) => ({ frames: [await readPicture(await readFile(path), path)], frameRate: 1 }),
  };
}

/** So many of different groups, and of the same where there are too few. */
function some(takes: readonly Take[], count: number, dice: Dice): Take[] {
  const mixed = dice.shuffle(takes);
  const first = mixed.filter((take, i) => mixed.findIndex(({ group }) => group === take.group) === i);
  return [...first, ...mixed.filter((take) => !first.includes(take))].slice(0, count);
}

async function drawOne(
  material: Material,
  index: number,
  options: { backbone?: string | readonly [string, string]; device: DeviceRequest; progress: ProgressStore },
): Promise<Draw> {
  const dice = diceOf(`teach ${material.sense} ${index}`);
  const events = dice.shuffle(material.events).slice(0, 2) as [string, string];
  const others = dice.shuffle([...new Set(material.ask.map(({ label }) => label))].filter((x) => !events.includes(x)));
  const shown = others.slice(0, Math.floor(others.length / 2));
  const of = (takes: readonly Take[], labels: readonly string[]): Take[] =>
    takes.filter(({ label }) => labels.includes(label));
  const chosen = [
    ...events.flatMap((event) => some(of(material.teach, [event]), examplesOfEach, dice)),
    ...some(of(material.teach, shown), examplesOfEach, dice),
  ];
  const examples: TeachExample[] = [];
  for (const take of chosen) {
    const label = events.includes(take.label) ? take.label : null;
    examples.push({ label, source: await material.open(take), name: take.path });
  }
  const started = performance.now();
  const taught = await teach({ ...options, ...patient, examples, id: `draw-${index}`, threads: 1 });
  return {
    events,
    taught,
    seconds: (performance.now() - started) / 1000,
    fresh: of(material.ask, events),
    foreign: some(of(material.ask, others.slice(shown.length)), foreignOfEach, dice),
  };
}

/** What a head says of a clip: the event that is surest over all seconds that count, the one that would be named if one had to be, and how many seconds are silent. */
type Said = { named: string | null; closed: string; silent: number; seconds: number };

function saidBy({ classes, seconds }: ParsingResult, sense: Sense, least: number): Said {
  const sums = classes.map(() => 0);
  const all = classes.map(() => 0);
  let silent = 0;
  for (const second of seconds) {
    const counts = (second.familiarity[sense] ?? 1) >= least;
    const on = second[sense].map((p) => counts && p >= 0.5);
    second[sense].forEach((p, c) => {
      all[c]! += p;
      if (on[c]) sums[c]! += p;
    });
    if (!on.includes(true)) silent++;
  }
  const top = (list: number[]): number => list.indexOf(Math.max(...list));
  const named = Math.max(...sums) > 0 ? classes[top(sums)]! : null;
  return { named, closed: classes[top(all)]!, silent, seconds: seconds.length };
}

async function judge(
  material: Material,
  draws: readonly Draw[],
  options: { backbone?: string | readonly [string, string]; device: DeviceRequest },
): Promise<DrawFigures[]> {
  await using mettle = await createMettle({
    ...options,
    ...patient,
    threads: 1,
    adapters: draws.map(({ taught }) => taught),
  });
  const said = new Map<string, Said[]>();
  const asked = [...new Set(draws.flatMap(({ fresh, foreign }) => [...fresh, ...foreign]))];
  for (const [index, take] of asked.entries()) {
    const { results } = await mettle.analyze(await material.open(take), { unfamiliar: 'show' });
    const heads = results.map((result, i) =>
      saidBy(result as ParsingResult, material.sense, draws[i]!.taught.manifest.familiarity!.least),
    );
    said.set(take.path, heads);
    process.stderr.write(`\rasked ${index + 1}/${asked.length}`);
  }
  process.stderr.write('\n');
  return draws.map(({ events, taught, seconds, fresh, foreign }, i) => {
    const of = (take: Take): Said => said.get(take.path)![i]!;
    const share = (takes: readonly Take[], counts: (take: Take) => boolean): number =>
      takes.filter(counts).length / takes.length;
    const sum = (value: (one: Said) => number): number => foreign.reduce((total, take) => total + value(of(take)), 0);
    return {
      events,
      right: share(fresh, (take) => of(take).named === take.label),
      wrong: share(fresh, (take) => ![null, take.label].includes(of(take).named)),
      missed: share(fresh, (take) => of(take).named === null),
      closed: share(fresh, (take) => of(take).closed === take.label),
      silentClips: share(foreign, (take) => of(take).named === null),
      silentSeconds: sum(({ silent }) => silent) / sum((one) => one.seconds),
      leftOut: taught.leftOut[material.sense]!,
      seconds,
    };
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const spread = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, x) => sum + (x - mean(values)) ** 2, 0) / Math.max(1, values.length - 1));

const keys = ['right', 'wrong', 'missed', 'closed', 'silentClips', 'silentSeconds'] as const;

export function formatTeach(kind: string, draws: readonly DrawFigures[]): string {
  const cell = (text: string): string => text.padStart(16);
  const values = keys.map((key) => {
    const list = draws.map((draw) => 100 * draw[key]);
    return cell(`${mean(list).toFixed(1)} ± ${spread(list).toFixed(1)}`);
  });
  return `${kind.padEnd(14)}${keys.map(cell).join('')}\n${`${draws.length} draws, %`.padEnd(14)}${values.join('')}\n`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      draws: { type: 'string', default: '20' },
      only: { type: 'string' },
      backbone: { type: 'string', multiple: true },
      device: { type: 'string', default: 'cpu' },
      data: { type: 'string', default: fileURLToPath(new URL('../../../shared/data', import.meta.url)) },
      out: { type: 'string', default: fileURLToPath(new URL('./results/teach.json', import.meta.url)) },
    },
  });
  const options = { backbone: readBackbone(values.backbone), device: values.device as DeviceRequest };
  const report: Record<string, unknown> = {
    machine: machineName(),
    load: loadavg()[0],
    backbone: options.backbone ?? 'nano',
    device: options.device,
    examples: { each: examplesOfEach, nothing: examplesOfEach },
    worlds: {},
  };
  for (const [kind, read] of Object.entries({ recordings, photographs })) {
    if (values.only && values.only !== kind) continue;
    const material = await read(values.data);
    const kept = new Map<string, Uint8Array<ArrayBuffer>>();
    const progress: ProgressStore = {
      get: async (name) => kept.get(name) ?? null,
      put: async (name, bytes) => void kept.set(name, bytes),
      delete: async (name) => void kept.delete(name),
    };
    const draws: Draw[] = [];
    for (let index = 0; index < Number(values.draws); index++) {
      draws.push(await drawOne(material, index, { ...options, progress }));
      process.stderr.write(`\rtaught ${index + 1}/${values.draws}`);
    }
    process.stderr.write('\n');
    const figures = await judge(material, draws, options);
    process.stdout.write(formatTeach(kind, figures));
    const summary = Object.fromEntries(
      keys.map((key) => [key, { mean: mean(figures.map((x) => x[key])), spread: spread(figures.map((x) => x[key])) }]),
    );
    (report.worlds as Record<string, unknown>)[kind] = { ...summary, draws: figures };
    await mkdir(dirname(values.out), { recursive: true });
    await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
