/**
 * Composes clips with exact truth from real recordings and real photographs: `npx tsx adapters/everyday/compose.ts --data DIR --out DIR --kind scenes|masks`. What comes out are
 * folders as `mettle train` reads them: `everyday-ave` and `everyday-llp`, which share their films, or `everyday-avs`. The same seed gives the same clips; a run that was stopped goes on
 * where it was. README.md beside says what the clips are good for.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneLine, ProgressBar } from '../../sdk/cli/terminal.ts';
import type { Output } from '../../sdk/cli/types.ts';
import { MettleError } from '../../sdk/errors.ts';
import { writeWhole } from '../../sdk/node/toybox/pool.ts';
import { type Note, noteOf, writeClip } from './clip-files.ts';
import { makeCutOuts } from './cutouts.ts';
import { makeRecordings } from './made.ts';
import { listPhotos } from './photos.ts';
import { idOf, type Material, planScene } from './plan.ts';
import { planMasks } from './plan-masks.ts';
import { listRecordings } from './recordings.ts';
import { openSound } from './sounds.ts';
import { labelOfPhoto, splitOfClip, stockOf } from './splits.ts';
import { tablesOf, type World } from './tables.ts';
import { seen } from './things.ts';

export type Kind = 'scenes' | 'masks';

export type ComposeOptions = {
  /** A folder with `photos/caltech101`, `sounds/` and `backbones/deeplabv3_mnv2/model.onnx`. */
  data: string;
  /** Gets the folders of clips, and `made/` and `cutouts/`, which all kinds share. */
  out: string;
  kind: Kind;
  /** Whole number from 0. */
  seed: number;
  /** Of ten, seven train, one validates and two test. */
  clips: number;
  /** Of the clips those whose number gives `part` when it is divided by `parts`; tables are written by the one process that makes all. */
  share: { part: number; parts: number };
  onProgress?: (done: number, total: number) => void;
};

/** Raised when the same seed gives other clips than before. */
const version = 4;
const headerName = 'compose.json';
const worlds: Record<Kind, World[]> = { scenes: ['llp', 'ave'], masks: ['avs'] };

/** Writes the clips that are not there yet and returns their number. Throws `invalid-argument`, `not-found`, `invalid-file`, `write` or `missing-package`. */
export async function compose({ data, out, kind, seed, clips, share, onProgress }: ComposeOptions): Promise<number> {
  checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('clips', clips, 1, 99_999);
  const { material, cutOutFolder, facts } = await openMaterial(data, out, seed);
  const folder = join(out, `everyday-${worlds[kind][0]}`);
  await begin(folder, { version, kind, seed, ...facts });
  const plan = kind === 'scenes' ? planScene : planMasks;
  let made = 0;
  for (let index = share.part; index < clips; index += share.parts) {
    if (!existsSync(noteOf(folder, idOf(splitOfClip(index).split, index)))) {
      await writeClip(await plan(seed, index, material), folder, cutOutFolder, kind === 'masks');
      made++;
    }
    onProgress?.(index + 1, clips);
  }
  return made;
}

/** Makes melodies, sentences and cut-outs if they are not there. */
async function openMaterial(data: string, out: string, seed: number) {
  const [made, cutOutFolder] = [join(out, 'made'), join(out, 'cutouts')];
  const photos = await listPhotos(join(data, 'photos/caltech101'));
  if (!existsSync(join(made, 'whole.txt'))) {
    await makeRecordings(made);
    await writeWhole(join(made, 'whole.txt'), 'All melodies and sentences are here.\n');
  }
  const recordings = await listRecordings(join(data, 'sounds'), made);
  const shown = photos.filter((photo) => seen.includes(labelOfPhoto(photo) ?? ''));
  const cuts = await makeCutOuts(shown, join(data, 'backbones/deeplabv3_mnv2/model.onnx'), cutOutFolder);
  const stocks = stockOf(recordings, photos, seed);
  const material: Material = { stocks, open: openSound, isCut: ({ name }) => cuts.has(name) };
  return {
    material,
    cutOutFolder,
    facts: { recordings: recordings.length, photos: photos.length, cutOuts: cuts.size },
  };
}

/** Writes the tables of all clips of a kind, which must be there. */
export async function writeTables({ out, kind, clips }: Pick<ComposeOptions, 'out' | 'kind' | 'clips'>): Promise<void> {
  const [first, ...others] = worlds[kind] as [World, ...World[]];
  const folder = join(out, `everyday-${first}`);
  const notes: Note[] = [];
  for (let index = 0; index < clips; index++) {
    notes.push(JSON.parse(await readFile(noteOf(folder, idOf(splitOfClip(index).split, index)), 'utf8')) as Note);
  }
  for (const world of [first, ...others]) {
    const to = join(out, `everyday-${world}`);
    await mkdir(to, { recursive: true });
    if (!existsSync(join(to, 'clips'))) await symlink(join('..', `everyday-${first}`, 'clips'), join(to, 'clips'));
    for (const [name, text] of Object.entries(tablesOf(world, notes))) await writeWhole(join(to, name), text);
  }
}

/** Writes down what the folder is made from, so that a later run can tell whether it may go on. */
async function begin(folder: string, facts: Record<string, unknown>): Promise<void> {
  const header = `${JSON.stringify(facts)}\n`;
  const path = join(folder, headerName);
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known === header) return;
  const entries = await readdir(folder).catch(() => []);
  if (entries.length > 0) {
    const what = known === null ? 'holds other files' : 'was begun with another seed or other sources';
    throw new MettleError('invalid-argument', `${folder} ${what}.`, {
      hint: 'Name another folder, or remove this one.',
    });
  }
  await writeWhole(path, header);
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new MettleError('invalid-argument', `${name} is ${value}; expected a whole number from ${least} to ${most}.`);
}

const usage = `Usage
  npx tsx adapters/everyday/compose.ts --data DIR --out DIR --kind scenes|masks [--seed N] [--clips N] [--processes N]

  --data DIR       photos/caltech101, sounds/ with their tables, backbones/deeplabv3_mnv2/model.onnx
  --out DIR        where the folders go: everyday-ave and everyday-llp (scenes), everyday-avs (masks)
  --kind NAME      scenes of ten seconds, or clips of five with masks
  --seed N         (default: 1)
  --clips N        (default: 1200)
  --processes N    that make clips beside each other (default: 1)
`;

type Streams = { stdout: Output; stderr: Output };
type Arguments = Omit<ComposeOptions, 'onProgress'> & { processes: number };

/** The command; returns the exit code: 0, 2 for what the user can mend, 1 for a fault. */
export async function main(argv: string[], { stdout, stderr }: Streams = process): Promise<number> {
  const bar = new ProgressBar(stderr, true);
  try {
    const options = readArguments(argv);
    if (options === null) {
      stdout.write(usage);
      return 0;
    }
    const { processes, out, kind, clips, share } = options;
    const isPart = share.parts > 1;
    const show = (done: number, total: number): void => bar.update('Composing', done, total, `${done}/${total} clips`);
    // Melodies and cut-outs are made once, by this process, before others begin.
    if (processes > 1) await openMaterial(options.data, out, options.seed);
    const helpers = Array.from({ length: processes - 1 }, (_, i) => startPart(argv, i + 1, processes));
    const own = processes > 1 ? { part: 0, parts: processes } : share;
    await compose({ ...options, share: own, onProgress: isPart ? undefined : show });
    await Promise.all(helpers);
    bar.clear();
    if (isPart) return 0;
    await writeTables(options);
    stdout.write(`${oneLine(out)}: ${clips} clips of ${kind}\n`);
    return 0;
  } catch (error) {
    bar.clear();
    if (!(error instanceof MettleError)) throw error;
    stderr.write(`compose: ${oneLine(error.message)}\n${error.hint && `hint: ${oneLine(error.hint)}\n`}`);
    return error.code === 'internal' ? 1 : 2;
  }
}

/** Another process of this command that makes a part of the clips. */
function startPart(argv: readonly string[], part: number, parts: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const given = argv.map((text) => text.replace(/^--processes=.*/, '--processes=1'));
    const at = given.indexOf('--processes');
    if (at >= 0) given[at + 1] = '1';
    const child = fork(fileURLToPath(import.meta.url), [...given, '--part', `${part}/${parts}`]);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new MettleError('worker-died', `A process that makes clips ended with ${signal ?? code}.`));
    });
  });
}

/** Null where help was asked for. */
function readArguments(argv: string[]): Arguments | null {
  const text = { type: 'string' } as const;
  const fail = (message: string): never => {
    throw new MettleError('invalid-argument', message, { hint: 'Run it with --help to see what can be given.' });
  };
  const parse = () => {
    try {
      const options = {
        data: text,
        out: text,
        kind: text,
        seed: text,
        clips: text,
        processes: text,
        part: text,
      } as const;
      return parseArgs({ args: argv, options: { ...options, help: { type: 'boolean' } } }).values;
    } catch (error) {
      return fail((error as Error).message);
    }
  };
  const { data, out, kind, seed = '1', clips = '1200', processes = '1', part = '0/1', help } = parse();
  if (help) return null;
  const folder = (name: string, value: string | undefined): string =>
    resolve(value || fail(`--${name} DIR is missing.`));
  const whole = (name: string, value: string): number =>
    /^\d{1,15}$/.test(value) ? Number(value) : fail(`--${name} must be a whole number, got "${value}".`);
  if (kind !== 'scenes' && kind !== 'masks') return fail('--kind must be scenes or masks.');
  const [, own, parts] = /^(\d+)\/(\d+)$/.exec(part) ?? fail('--part must be like 0/2.');
  return {
    data: folder('data', data),
    out: folder('out', out),
    kind,
    seed: whole('seed', seed),
    clips: whole('clips', clips),
    processes: Math.max(1, whole('processes', processes)),
    share: { part: Number(own), parts: Number(parts) },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
