/** A lesson on this machine: examples from a folder, and at the end the adapter's folder, or one zip file, whole or not at all. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { MettleError } from '../../errors.ts';
import { openLessons } from '../../train/teach/lessons.ts';
import type { TaughtAdapter, TeachExample, TeachOptions } from '../../train/teach/options.ts';
import { teach } from '../../train/teach/teach.ts';
import { readPicture } from '../data/index.ts';
import { exists } from '../files/file-store.ts';
import { savePackage } from '../files/save-package.ts';
import { stagingName } from '../files/staging.ts';

/** The folder whose examples show none of the events. */
export const nothingFolder = 'nothing';

const pictures = /^\.(png|jpe?g)$/i;
const films = /^\.(mp4|m4v|mov|webm|mkv|ts|mts|m2ts|mp3|m4a|aac|ogg|oga|opus|flac|wav)$/i;

export type TeachRun = Omit<TeachOptions, 'examples' | 'progress'> & {
  /** A folder with one of examples for each event, named after it, and `nothing`. */
  examples: string;
  /** The adapter's folder, or a file that ends with `.zip`; must not be there. */
  out: string;
  /** Folder that keeps what was seen, so that a lesson that was broken off goes on. Without it nothing is left of one. */
  keep?: string;
};

/** Throws what `teach` throws, `not-found` for a folder without examples, and `write`. */
export async function teachOnDisk({ examples: folder, out, keep, ...options }: TeachRun): Promise<TaughtAdapter> {
  if (await exists(out)) {
    throw new MettleError('write', `${resolve(out)} is there already.`, { hint: 'Name another with --out.' });
  }
  const examples = await examplesIn(folder);
  const progress = keep === undefined ? undefined : (await openLessons({ place: keep })).progress;
  // What was asked to be kept outlives an interruption.
  const lasting = progress && { ...progress, delete: async () => {} };
  const taught = await teach({ ...options, examples, progress: lasting });
  if (/\.zip$/i.test(out)) await writeWhole(out, new Uint8Array(await taught.zip().arrayBuffer()));
  else await savePackage(out, taught.files);
  return taught;
}

/** Examples by the names of their folders, in the order of names. */
async function examplesIn(folder: string): Promise<TeachExample[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new MettleError('not-found', `${folder} is no folder that can be read.`, { hint: layout, cause });
  });
  const labels = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  const examples: TeachExample[] = [];
  for (const label of labels.sort()) {
    for (const file of (await readdir(join(folder, label))).sort()) {
      const path = join(folder, label, file);
      const event = label === nothingFolder ? null : label;
      const name = `${label}/${file}`;
      if (pictures.test(extname(file))) {
        const frame = await readPicture(new Uint8Array(await readFile(path)), path);
        examples.push({ label: event, name, source: { frames: [frame], frameRate: 1 } });
      } else if (films.test(extname(file))) examples.push({ label: event, name, source: path });
    }
  }
  if (examples.length > 0) return examples;
  throw new MettleError('not-found', `${folder} holds no examples.`, { hint: layout });
}

const layout = `Make one folder for each event, named after it, and one named "${nothingFolder}"; clips, sounds or pictures lie in them.`;

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = join(dirname(resolve(path)), stagingName(basename(path)));
  try {
    await writeFile(draft, bytes);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new MettleError('write', `Cannot write ${path}: ${(cause as Error).message}`, {
      hint: 'Check that the folder is yours to write and the disk has room.',
      cause,
    });
  }
}
