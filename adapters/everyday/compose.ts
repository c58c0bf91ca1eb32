/**
 * Composes clips with exact truth from real sounds and real photographs: `npx tsx adapters/everyday/compose.ts --sounds DIR --pictures DIR --out DIR`. What comes out is a
 * folder as `mettle train` reads it: films, events.csv, splits.csv, classes.txt, and attribution.csv. The same seed gives the same files; a run that was stopped
 * goes on where it was. README.md beside says what the clips are good for.
 */
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneLine, ProgressBar } from '../../sdk/cli/terminal.ts';
import type { Output } from '../../sdk/cli/types.ts';
import type { RgbImage } from '../../sdk/contract/clip.ts';
import { MettleError } from '../../sdk/errors.ts';
import { encodeFilm } from '../../sdk/node/toybox/film.ts';
import { writeWhole } from '../../sdk/node/toybox/pool.ts';
import { createCamera } from './camera.ts';
import { listTakes, readSoundCredits } from './esc10.ts';
import { listPhotos, openPhoto, type Photo } from './pictures.ts';
import { type ClipPlan, planClip } from './plan.ts';
import { openTake } from './sounds.ts';
import { soundtrackOf } from './soundtrack.ts';
import { stockOf } from './splits.ts';
import { filmOf, tablesOf } from './tables.ts';

export type ComposeOptions = {
  /** A folder of ESC-10 and one of photographs with COCO panoptic annotations. */
  sounds: string;
  pictures: string;
  /** Must not be there, be empty, or be what an earlier run with the same seed and sources left. */
  out: string;
  /** Whole number from 0. */
  seed: number;
  /** Of ten, seven train, one validates and two test; from three on there are some of each. */
  clips: number;
  onProgress?: (done: number, total: number) => void;
};

/** Raised when the same seed gives other clips than before. */
const version = 1;
const headerName = 'compose.json';

/**
 * Writes the folder and returns how many films were made now. Throws `invalid-argument`, `not-found`, `invalid-file`, `write` or `missing-package`; films that are
 * finished are kept.
 */
export async function compose({ sounds, pictures, out, seed, clips, onProgress }: ComposeOptions): Promise<number> {
  checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('clips', clips, 1, 99_999);
  const { classes, takes } = await listTakes(sounds);
  const credits = await readSoundCredits(sounds);
  const photos = await listPhotos(pictures);
  const stocks = stockOf(classes, takes, photos, seed);
  await begin(out, { version, seed, takes: takes.map(({ name }) => name), photos: photos.map(({ name }) => name) });
  const openImage = imagesOnce();
  const plans: ClipPlan[] = [];
  let made = 0;
  for (let index = 0; index < clips; index++) {
    const plan = await planClip(seed, index, classes, stocks, openTake);
    const path = join(out, filmOf(plan));
    if (!(await isThere(path))) {
      await writeWhole(path, await filmTogether(plan, openImage));
      made++;
    }
    // Samples are not needed any more.
    plans.push({ ...plan, excerpts: plan.excerpts.map((excerpt) => ({ ...excerpt, sound: silent })) });
    onProgress?.(index + 1, clips);
  }
  for (const [name, text] of Object.entries(tablesOf(classes, plans, credits))) await writeWhole(join(out, name), text);
  return made;
}

const silent = { samples: new Float32Array(0), spans: [] };

async function filmTogether(plan: ClipPlan, openImage: (photo: Photo) => Promise<RgbImage>): Promise<Uint8Array> {
  const images = new Map<Photo, RgbImage>();
  for (const { photo } of plan.shots) images.set(photo, await openImage(photo));
  return await encodeFilm(plan, createCamera(plan.shots, images), soundtrackOf(plan));
}

/** Each photograph is decoded the first time that it is seen. */
function imagesOnce(): (photo: Photo) => Promise<RgbImage> {
  const known = new Map<Photo, RgbImage>();
  return async (photo) => {
    const image = known.get(photo) ?? (await openPhoto(photo));
    known.set(photo, image);
    return image;
  };
}

/** Writes down what the folder is made from, so that a later run can tell whether it may go on. */
async function begin(out: string, facts: Record<string, unknown>): Promise<void> {
  const header = `${JSON.stringify(facts)}\n`;
  const path = join(out, headerName);
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known === header) return;
  const entries = await readdir(out).catch(() => []);
  if (entries.length > 0) {
    const what = known === null ? 'holds other files' : 'was begun with another seed or other sources';
    throw new MettleError('invalid-argument', `${out} ${what}.`, { hint: 'Name another folder, or remove this one.' });
  }
  await writeWhole(path, header);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new MettleError('invalid-argument', `${name} is ${value}; expected a whole number from ${least} to ${most}.`);
}

const usage = `Usage
  npx tsx adapters/everyday/compose.ts --sounds DIR --pictures DIR --out DIR [--seed N] [--clips N]

  --sounds DIR    ESC-10, folds 1 to 3: folders "001 - Dog bark" and so on, attribution.csv
  --pictures DIR  photographs with COCO panoptic annotations: images/, panoptic.json, licences.csv
  --out DIR       where the clips and their tables go
  --seed N        (default: 1)
  --clips N       clips of ten seconds (default: 600)
`;

type Streams = { stdout: Output; stderr: Output };

/** The command; returns the exit code: 0, 2 for what the user can mend, 1 for a fault. */
export async function main(argv: string[], { stdout, stderr }: Streams = process): Promise<number> {
  const bar = new ProgressBar(stderr, true);
  try {
    const options = readArguments(argv);
    if (options === null) {
      stdout.write(usage);
      return 0;
    }
    const show = (done: number, total: number): void => bar.update('Composing', done, total, `${done}/${total} clips`);
    const made = await compose({ ...options, onProgress: show });
    bar.clear();
    stdout.write(`${oneLine(options.out)}: ${options.clips} clips, ${made} of them made now\n`);
    return 0;
  } catch (error) {
    bar.clear();
    if (!(error instanceof MettleError)) throw error;
    stderr.write(`compose: ${oneLine(error.message)}\n${error.hint && `hint: ${oneLine(error.hint)}\n`}`);
    return error.code === 'internal' ? 1 : 2;
  }
}

/** Null where help was asked for. */
function readArguments(argv: string[]): Omit<ComposeOptions, 'onProgress'> | null {
  const text = { type: 'string' } as const;
  const options = {
    sounds: text,
    pictures: text,
    out: text,
    seed: text,
    clips: text,
    help: { type: 'boolean' },
  } as const;
  const fail = (message: string): never => {
    throw new MettleError('invalid-argument', message, { hint: 'Run it with --help to see what can be given.' });
  };
  const parse = () => {
    try {
      return parseArgs({ args: argv, options }).values;
    } catch (error) {
      return fail((error as Error).message);
    }
  };
  const { sounds, pictures, out, seed = '1', clips = '600', help } = parse();
  if (help) return null;
  const folder = (name: string, value: string | undefined): string => value || fail(`--${name} DIR is missing.`);
  const whole = (name: string, value: string): number =>
    /^\d{1,15}$/.test(value) ? Number(value) : fail(`--${name} must be a whole number, got "${value}".`);
  return {
    sounds: folder('sounds', sounds),
    pictures: folder('pictures', pictures),
    out: folder('out', out),
    seed: whole('seed', seed),
    clips: whole('clips', clips),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
