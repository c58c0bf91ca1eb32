/**
 * `npx tsx test/bench/picture-probe.ts BACKBONE... [--photos DIR] [--json]`: how much of what a photograph shows a frozen backbone knows already, as the share of Caltech-101 that one linear
 * map of the last layer's mean gets right: 20 things that are heard as well as seen, and 100 things. Five draws; judged on photographs that nano never learns from (adapters/nano/held.ts),
 * fitted on others. The decay is chosen by the fitted photographs of the first draw alone, a third of which are held out for it.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runtimes } from '#runtimes';
import { type ClassPhotos, partPhotos, soundingClasses } from '../../adapters/nano/held.ts';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { MettleError } from '../../sdk/errors.ts';
import { diceOf } from '../../sdk/toybox/dice.ts';
import { openPictureBackbone, type PictureBackbone } from './picture-probe-features.ts';
import { chooseDecay, type Examples, fitProbe, scoreProbe } from './sound-probe-fit.ts';

type Trial = { name: string; chosen(label: string): boolean; fit: number; judge: number };
const trials: readonly Trial[] = [
  { name: '20 sounding things', chosen: (label) => soundingClasses.includes(label), fit: 10, judge: 6 },
  { name: '100 things', chosen: () => true, fit: 15, judge: 8 },
];
const draws = 5;
/** Fewer than for sounds, as five draws of a hundred things take long. */
const decays = [0.03, 0.3, 3];

export type PictureRow = {
  trial: string;
  classes: number;
  decay: number;
  /** Percent right, mean and standard deviation over the draws. */
  accuracy: number;
  deviation: number;
};
export type PictureReport = { id: string; location: string; untrained: boolean; last: string; rows: PictureRow[] }[];

/** Throws `not-found` for photographs that are not there, and what `openPictureBackbone` throws. */
export async function probePictures(
  locations: readonly string[],
  photos: string,
  runtime: Runtime,
): Promise<PictureReport> {
  const classes = await partPhotos(photos).catch((cause: Error) => {
    throw new MettleError('not-found', `${photos} cannot be read: ${cause.message}`, {
      hint: 'Name the folder of Caltech-101, a folder for each class, with --photos.',
      cause,
    });
  });
  const report: PictureReport = [];
  for (const location of locations) {
    const backbone = await openPictureBackbone(location, runtime);
    const { id, untrained, last } = backbone;
    try {
      const rows: PictureRow[] = [];
      for (const trial of trials) rows.push(await judgeBy(trial, classes, remembering(backbone), runtime));
      report.push({ id, location, untrained, last, rows });
    } finally {
      await backbone.release();
    }
  }
  return report;
}

type MeanOf = (path: string) => Promise<Float32Array>;

/** Each photograph is looked at once. */
function remembering(backbone: PictureBackbone): MeanOf {
  const known = new Map<string, Float32Array>();
  return async (path) => {
    const mean = known.get(path) ?? (await backbone.meanOf(path));
    known.set(path, mean);
    return mean;
  };
}

async function judgeBy(
  trial: Trial,
  all: readonly ClassPhotos[],
  meanOf: MeanOf,
  runtime: Runtime,
): Promise<PictureRow> {
  const classes = all.filter(({ label }) => trial.chosen(label));
  const right: number[] = [];
  let decay: number | null = null;
  for (let draw = 0; draw < draws; draw++) {
    const some = (side: 'learned' | 'held', count: number) =>
      classes.map((of) => diceOf(`${draw} ${side} ${of.label}`).shuffle(of[side]).slice(0, count));
    const fitted = some('learned', trial.fit);
    if (decay === null) {
      const third = Math.ceil(trial.fit / 3);
      const part = (from: number, to?: number) =>
        examplesOf(
          fitted.map((paths) => paths.slice(from, to)),
          meanOf,
        );
      decay = (await chooseDecay(runtime, await part(third), await part(0, third), classes.length, decays)).decay;
    }
    const probe = await fitProbe(runtime, await examplesOf(fitted, meanOf), classes.length, decay);
    right.push(scoreProbe(probe, await examplesOf(some('held', trial.judge), meanOf)).accuracy);
  }
  const accuracy = right.reduce((a, b) => a + b, 0) / draws;
  const deviation = Math.sqrt(right.reduce((sum, x) => sum + (x - accuracy) ** 2, 0) / (draws - 1));
  return { trial: trial.name, classes: classes.length, decay: decay!, accuracy, deviation };
}

async function examplesOf(byClass: readonly string[][], meanOf: MeanOf): Promise<Examples> {
  const features: Float32Array[] = [];
  const labels: number[] = [];
  for (const [label, paths] of byClass.entries()) {
    for (const path of paths) {
      features.push(await meanOf(path));
      labels.push(label);
    }
  }
  return { features, labels };
}

export function formatPictures(report: PictureReport): string {
  const row = (cells: (string | number)[]): string =>
    cells.map((cell, i) => (i < 3 ? String(cell).padEnd(22) : String(cell).padStart(12))).join('');
  return [
    `Caltech-101, the last layer's mean; right on photographs that were held back, percent, mean of ${draws} draws`,
    row(['backbone', 'last layer', 'trial', 'decay', 'right, %', 'deviation']),
    ...report.flatMap(({ id, untrained, last, rows }) =>
      rows.map(({ trial, decay, accuracy, deviation }) =>
        row([untrained ? `${id} (untrained)` : id, last, trial, decay, accuracy.toFixed(1), deviation.toFixed(1)]),
      ),
    ),
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { photos: { type: 'string' }, json: { type: 'boolean' }, threads: { type: 'string' } },
  });
  const photos = values.photos ?? fileURLToPath(new URL('../../../shared/data/photos/caltech101', import.meta.url));
  try {
    const threads = Number(values.threads ?? Math.max(1, availableParallelism() - 1));
    const runtime = await runtimes.loadRuntime({ device: 'cpu', threads });
    const report = await probePictures(positionals.length > 0 ? positionals : ['nano'], photos, runtime);
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : formatPictures(report));
  } catch (error) {
    if (!(error instanceof MettleError)) throw error;
    console.error(`${error.message}\n${error.hint}`);
    process.exitCode = 2;
  }
}
