/**
 * Writes toybox data sets to disk. `toybox.jsonl` in each layout's folder notes every finished clip with the digests of its files: a run that was stopped goes on
 * where it was, and one that asks for more clips adds them. Tables come last, so a folder that its reader accepts is complete.
 */
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { MettleError } from '../../errors.ts';
import { ALL_TOYBOX_LAYOUTS, composeClip, TOYBOX_LAYOUTS, type ToyboxLayout } from '../../toybox/index.ts';
import { tablesOf } from '../../toybox/tables.ts';
import { toyboxHeader, toyboxLog } from './origin.ts';
import { createPool, type Digests, type Pool, writeWhole } from './pool.ts';

export type ToyboxOptions = {
  /** Whole number from 0. Default 1. */
  seed?: number;
  /** Clips per layout; eight of ten train, one validates, one tests. Default 100. */
  clips?: number;
  /** Default: {@link TOYBOX_LAYOUTS}. */
  layouts?: readonly ToyboxLayout[];
  /** Default: one per core, at most eight. */
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: { layout: ToyboxLayout; done: number; total: number }) => void;
};

/** Per layout: its folder, and how many clips were made now; the others were there already. */
export type ToyboxReport = { layout: ToyboxLayout; folder: string; clips: number; made: number }[];

/**
 * Writes each layout into a folder of its name in `folder`. The same seed gives the same files, whatever the number of clips, of threads or of runs it took.
 * Throws `invalid-argument` for an option out of range or a folder begun with another seed, `write`, `missing-package`, or `signal.reason`; what is finished is kept.
 */
export async function writeToybox(folder: string, options: ToyboxOptions = {}): Promise<ToyboxReport> {
  const { seed = 1, clips = 100, layouts = TOYBOX_LAYOUTS, signal, onProgress } = options;
  const threads = options.threads ?? Math.min(8, availableParallelism());
  checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('clips', clips, 1, 99_999);
  checkWhole('threads', threads, 1, 64);
  for (const layout of layouts) {
    if (!ALL_TOYBOX_LAYOUTS.includes(layout)) {
      throw new MettleError(
        'invalid-argument',
        `layout "${layout}" is unknown; expected ${ALL_TOYBOX_LAYOUTS.join(', ')}.`,
      );
    }
  }
  const report: ToyboxReport = [];
  const pool = createPool(threads);
  try {
    for (const layout of new Set(layouts)) {
      const job = { seed, layout, clips, folder: join(folder, layout), threads };
      const made = await writeLayout(job, pool, signal, (done) => onProgress?.({ layout, done, total: clips }));
      report.push({ layout, folder: job.folder, clips, made });
    }
  } finally {
    await pool.dispose();
  }
  return report;
}

type LayoutJob = { seed: number; layout: ToyboxLayout; clips: number; folder: string; threads: number };

async function writeLayout(
  job: LayoutJob,
  pool: Pool,
  signal: AbortSignal | undefined,
  onDone: (done: number) => void,
): Promise<number> {
  const { seed, layout, clips, folder, threads } = job;
  const manifest = await openManifest(folder, seed, layout);
  const missing: number[] = [];
  for (let index = 0; index < clips; index++) {
    signal?.throwIfAborted();
    const digests = manifest.finished.get(index);
    if (!digests || !(await areWhole(folder, digests))) missing.push(index);
  }
  let done = clips - missing.length;
  onDone(done);
  const queue = missing.values();
  // Each lane takes the next clip when it has finished one; after a failure all stop, and clips under way are finished first.
  let failed = false;
  const lane = async () => {
    for (const index of queue) {
      if (failed || signal?.aborted) return;
      try {
        await manifest.add(index, await pool.run({ seed, layout, index, folder }));
      } catch (error) {
        failed = true;
        throw error;
      }
      onDone(++done);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: threads }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
  signal?.throwIfAborted();
  const all = Array.from({ length: clips }, (_, index) => composeClip(seed, layout, index));
  for (const [name, text] of Object.entries(tablesOf(layout, all))) await writeWhole(join(folder, name), text);
  await manifest.finish();
  return missing.length;
}

/** The clips that an earlier run finished, and how to note more. */
async function openManifest(folder: string, seed: number, layout: ToyboxLayout) {
  const path = join(folder, toyboxLog);
  const header = toyboxHeader({ seed, layout });
  const [first, ...rows] = ((await readFile(path, 'utf8').catch(() => null)) ?? header).split('\n');
  if (first !== header) {
    throw new MettleError('invalid-argument', `${folder} was begun with other settings: ${first!.slice(0, 100)}.`, {
      hint: `Expected ${header}. Name another folder, or remove this one.`,
    });
  }
  const finished = new Map<number, Digests>();
  for (const row of rows) {
    const entry = parseRow(row);
    if (entry) finished.set(entry.clip, entry.files);
  }
  const text = () =>
    [header, ...[...finished].sort(([a], [b]) => a - b).map(([clip, files]) => JSON.stringify({ clip, files }))].join(
      '\n',
    );
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new MettleError('write', `${folder} could not be made: ${(cause as Error).message}.`, {
      hint: 'Name a folder that you may write to.',
      cause,
    });
  }
  await writeWhole(path, `${text()}\n`);
  return {
    finished,
    async add(clip: number, files: Digests): Promise<void> {
      finished.set(clip, files);
      await appendFile(path, `${JSON.stringify({ clip, files })}\n`);
    },
    /** In the order of the clips, whatever order they were made in. */
    finish: () => writeWhole(path, `${text()}\n`),
  };
}

/** Null for a row that a killed run left half-written. */
function parseRow(row: string): { clip: number; files: Digests } | null {
  try {
    const { clip, files } = JSON.parse(row) as { clip: number; files: Digests };
    return Number.isInteger(clip) && files ? { clip, files } : null;
  } catch {
    return null;
  }
}

async function areWhole(folder: string, digests: Digests): Promise<boolean> {
  for (const [path, digest] of Object.entries(digests)) {
    const bytes = await readFile(join(folder, path)).catch(() => null);
    if (!bytes || createHash('sha256').update(bytes).digest('hex') !== digest) return false;
  }
  return true;
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new MettleError('invalid-argument', `${name} is ${value}; expected a whole number from ${least} to ${most}.`);
}
