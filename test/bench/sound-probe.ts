/**
 * `npx tsx test/bench/sound-probe.ts BACKBONE... [--sounds DIR] [--json]`: how much of what a sound is a frozen backbone knows already, as the share of ESC-10 that one
 * linear map of its features gets right. Folds 1 and 2 train, fold 3 is judged; the decay is chosen on fold 2 after training on fold 1. Recordings of one fold are in
 * no other. Fold 3 has 80 recordings, so a figure is good to a few percent. No test and no shipped figure hangs on it.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runtimes } from '#runtimes';
import { listTakes, type Take } from '../../adapters/everyday/esc10.ts';
import { concatenate } from '../../sdk/arrays.ts';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { MettleError } from '../../sdk/errors.ts';
import { inputName, type Means, openSoundBackbone } from './sound-probe-features.ts';
import { chooseDecay, type Examples, fitProbe, joined, scoreProbe } from './sound-probe-fit.ts';

export type ProbeRow = {
  /** What the classifier read, and how many numbers that is. */
  features: string;
  width: number;
  decay: number;
  /** Percent right on fold 2 after training on fold 1, and on fold 3 after training on both. */
  validation: number;
  accuracy: number;
};
export type ProbeReport = {
  data: { name: 'ESC-10'; classes: number; recordings: Record<1 | 2 | 3, number> };
  /** Percent right by always naming one class. */
  chance: number;
  backbones: { id: string; location: string; untrained: boolean; rows: ProbeRow[] }[];
};

const folds = [1, 2, 3] as const;

/** Throws `not-found` for sounds that are not there, and what `openSoundBackbone` throws. */
export async function probeSounds(
  locations: readonly string[],
  sounds: string,
  runtime: Runtime,
): Promise<ProbeReport> {
  const { classes, takes } = await listTakes(sounds);
  const byFold = (fold: number): Take[] => takes.filter((take) => take.fold === fold);
  for (const fold of folds) {
    if (byFold(fold).length === 0) {
      throw new MettleError('not-found', `${sounds} has no recording of fold ${fold}.`, {
        hint: 'Folds 1, 2 and 3 of ESC-10 are needed.',
      });
    }
  }
  const report: ProbeReport = {
    data: {
      name: 'ESC-10',
      classes: classes.length,
      recordings: { 1: byFold(1).length, 2: byFold(2).length, 3: byFold(3).length },
    },
    chance: chanceOf(byFold(3)),
    backbones: [],
  };
  for (const location of locations) {
    const backbone = await openSoundBackbone(location, runtime);
    const means: Means[][] = [];
    try {
      for (const fold of folds) means.push(await meansOfAll(byFold(fold), backbone.meansOf));
    } finally {
      await backbone.release();
    }
    const names = backbone.taps.map(({ name }) => name);
    const choices: [string, string[]][] = [
      ['log-mel alone', [inputName]],
      [`last tap, ${names.at(-1)}`, names.slice(-1)],
      [`all ${names.length} taps`, names],
    ];
    const rows: ProbeRow[] = [];
    for (const [features, chosen] of choices) {
      const examples = folds.map((fold, i) => examplesOf(byFold(fold), means[i]!, chosen, classes));
      rows.push({ features, ...(await judge(runtime, examples as [Examples, Examples, Examples], classes.length)) });
    }
    report.backbones.push({ id: backbone.id, location, untrained: backbone.untrained, rows });
  }
  return report;
}

async function judge(runtime: Runtime, [one, two, three]: [Examples, Examples, Examples], classes: number) {
  const { decay, accuracy: validation } = await chooseDecay(runtime, one, two, classes);
  const probe = await fitProbe(runtime, joined(one, two), classes, decay);
  return { width: probe.mean.length, decay, validation, accuracy: scoreProbe(probe, three).accuracy };
}

async function meansOfAll(takes: readonly Take[], meansOf: (path: string) => Promise<Means>): Promise<Means[]> {
  const all: Means[] = [];
  for (const { path } of takes) all.push(await meansOf(path));
  return all;
}

const examplesOf = (takes: readonly Take[], means: readonly Means[], names: string[], classes: string[]): Examples => ({
  features: means.map((of) => concatenate(names.map((name) => of[name]!))),
  labels: takes.map(({ label }) => classes.indexOf(label)),
});

function chanceOf(takes: readonly Take[]): number {
  const counts = new Map<string, number>();
  for (const { label } of takes) counts.set(label, (counts.get(label) ?? 0) + 1);
  return (100 * Math.max(...counts.values())) / takes.length;
}

export function formatProbe({ data, chance, backbones }: ProbeReport): string {
  const { classes, recordings } = data;
  const row = (cells: (string | number)[]): string =>
    cells.map((cell, i) => (i < 2 ? String(cell).padEnd(i === 0 ? 18 : 26) : String(cell).padStart(10))).join('');
  return [
    `ESC-10, ${classes} classes; trained on ${recordings[1]} + ${recordings[2]} recordings (folds 1 and 2), judged on ${recordings[3]} (fold 3)`,
    row(['backbone', 'features', 'width', 'decay', 'fold 2, %', 'fold 3, %']),
    row(['chance', '', '', '', '', chance.toFixed(1)]),
    ...backbones.flatMap(({ id, untrained, rows }) =>
      rows.map(({ features, width, decay, validation, accuracy }) =>
        row([untrained ? `${id} (untrained)` : id, features, width, decay, validation.toFixed(1), accuracy.toFixed(1)]),
      ),
    ),
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { sounds: { type: 'string' }, json: { type: 'boolean' } },
  });
  const beside = fileURLToPath(new URL('../../../shared/data/sounds/esc10', import.meta.url));
  const runtime = await runtimes.loadRuntime({ device: 'auto', threads: Math.ceil(availableParallelism() / 2) });
  try {
    const report = await probeSounds(positionals.length > 0 ? positionals : ['nano'], values.sounds ?? beside, runtime);
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : formatProbe(report));
  } catch (error) {
    if (!(error instanceof MettleError)) throw error;
    console.error(`${error.message}\n${error.hint}`);
    process.exitCode = 2;
  }
}
