/**
 * Writes the findings about one clip into a folder: `results.json`, `events.vtt`, `report.html`, `masks/`, of explained results `attention/`, and texts that others make of them. Everything is written elsewhere first and
 * then moved, so that a folder never holds half of a result; files that are not ours stay.
 */
import { copyFile, link, mkdir, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { jsonText } from '../../contract/plain-text.ts';
import { MettleError } from '../../errors.ts';
import { maskFile, toJSON, toWebVTT } from '../../tasks/export.ts';
import { removeStale, stagingName } from '../files/staging.ts';
import { ATTENTION_FILES, ATTENTION_FOLDER, attentionFiles } from './attention.ts';
import type { Findings } from './findings.ts';
import { encodePng } from './png.ts';
import { reportHtml } from './report.ts';

/** What is written beside masks, `events.vtt` and `results.json`. */
export type WriteOptions = {
  /** Whether `report.html` is; default true. */
  report?: boolean;
  /** Captions, and who asked for the results; both are replaced and removed with the others. */
  texts?: { 'captions.vtt'?: string; 'batch.json'?: string };
  signal?: AbortSignal;
};

/**
 * Writes all files into `folder` and returns its absolute path. A new folder appears at once, complete. In an existing one our files of an earlier run
 * are replaced or, where they have no successor, removed; if that fails half-way, they are put back.
 * @throws MettleError `write` with the path and what to do; the folder is then as it was. `signal.reason` if aborted, likewise.
 */
export async function writeResults(folder: string, findings: Findings, options: WriteOptions = {}): Promise<string> {
  const named = resolve(folder);
  let staging: string | undefined;
  try {
    const target = await existingFolder(named);
    // Inside an existing folder, because its parent may be another file system, or closed to us.
    if (!target) await mkdir(dirname(named), { recursive: true });
    const [home, what] = target ? [target, 'mettle'] : [dirname(named), basename(named)];
    await removeStale(home, what);
    staging = join(home, stagingName(what));
    const fresh = join(staging, 'new');
    await writeFiles(fresh, findings, options);
    options.signal?.throwIfAborted();
    if (target) await replaceOurs(target, fresh, join(staging, 'old'));
    else await rename(fresh, named);
    return named;
  } catch (error) {
    if (options.signal?.aborted && error === options.signal.reason) throw error;
    throw asWriteError(error, named);
  } finally {
    if (staging) await rm(staging, { recursive: true, force: true });
  }
}

/** Files in the main folder, in the order in which they are moved: last those that are the sign that all is there. */
const OUR_FILES = ['captions.vtt', 'events.vtt', 'report.html', 'results.json', 'batch.json'];
/** And in folders: which files of each are ours. */
const OUR_FOLDERS: [folder: RegExp, files: RegExp][] = [
  [/^masks(-\d+)?$/, /^\d{3,}\.png$/],
  [ATTENTION_FOLDER, ATTENTION_FILES],
];
const filesIn = (folder: string): RegExp | undefined => OUR_FOLDERS.find(([name]) => name.test(folder))?.[1];

async function existingFolder(path: string): Promise<string | null> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  throw new MettleError('write', `Cannot write the results into "${path}": it is a file, not a folder.`, {
    hint: 'Name another folder.',
  });
}

async function writeFiles(folder: string, findings: Findings, options: WriteOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, content] of resultFiles(findings, options)) {
    options.signal?.throwIfAborted();
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** Path and content of each file, made one after the other. */
export function* resultFiles(
  findings: Findings,
  { report = true, texts = {} }: WriteOptions,
): Generator<[path: string, content: string | Uint8Array]> {
  let ordinal = 0;
  for (const result of findings.results) {
    if (result.task !== 'segment') continue;
    for (const [index, mask] of result.masks.entries()) yield [maskFile(ordinal, index), encodePng(mask)];
    ordinal++;
  }
  yield* attentionFiles(findings);
  yield ['events.vtt', toWebVTT(findings)];
  if (report) yield ['report.html', reportHtml(findings)];
  const document = toJSON(findings, { source: findings.name, engine: findings.engine });
  yield ['results.json', `${jsonText(document, 2)}\n`];
  yield* Object.entries(texts);
}

/** Puts each new file in the place of the old one, so that there is always one of them; then old ones without a successor go. Undoes all of it if one fails. */
async function replaceOurs(target: string, fresh: string, old: string): Promise<void> {
  const undo: (() => Promise<unknown>)[] = [];
  const place = async (from: string, to: string) => {
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
  };
  const before = new Set(await ours(target));
  const after = await ours(fresh);
  try {
    for (const path of after) {
      const [kept, there] = [join(old, path), join(target, path)];
      if (before.has(path)) {
        await mkdir(dirname(kept), { recursive: true });
        // A second name for the same file, where the file system has such.
        await link(there, kept).catch(() => copyFile(there, kept));
      }
      await place(join(fresh, path), there);
      undo.push(() => (before.has(path) ? rename(kept, there) : rm(there)));
    }
    for (const path of before) {
      if (after.includes(path)) continue;
      await place(join(target, path), join(old, path));
      undo.push(() => rename(join(old, path), join(target, path)));
    }
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
  for (const entry of await folders(target)) {
    // A folder of ours that is left without any goes too; one that holds anything else stays.
    await rmdir(join(target, entry)).catch(() => {});
  }
}

/** Paths of the files in `folder` that we write, those in folders first. */
async function ours(folder: string): Promise<string[]> {
  const entries = new Set(await readdir(folder));
  const inside: string[] = [];
  for (const entry of await folders(folder)) {
    for (const file of await readdir(join(folder, entry)))
      if (filesIn(entry)!.test(file)) inside.push(join(entry, file));
  }
  return [...inside, ...OUR_FILES.filter((file) => entries.has(file))];
}

async function folders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && filesIn(entry.name)).map((entry) => entry.name);
}

const REASONS: Record<string, [reason: string, hint: string]> = {
  ENOSPC: ['no space is left on the disk', 'Free some space, or name a folder on another disk.'],
  EDQUOT: ['your disk quota is used up', 'Free some space, or name a folder on another disk.'],
  EACCES: ['permission denied', 'Name a folder that you may write to.'],
  EPERM: ['permission denied', 'Name a folder that you may write to.'],
  EROFS: ['the file system is read-only', 'Name a folder that you may write to.'],
  ENOTDIR: ['a part of the path is a file', 'Name another folder.'],
  EEXIST: ['a part of the path is a file', 'Name another folder.'],
  ENAMETOOLONG: ['the path is too long', 'Name a folder with a shorter path.'],
};

function asWriteError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof MettleError || typeof (error as NodeJS.ErrnoException).syscall !== 'string') return error;
  const [reason, hint] = REASONS[code ?? ''] ?? [(error as Error).message, 'Check the folder, or name another one.'];
  return new MettleError('write', `Cannot write the results into "${path}": ${reason}.`, { hint, cause: error });
}
