/**
 * The recordings of an ESC-10 folder: `NNN - Class/FOLD-RECORDING-TAKE.ogg` and `attribution.csv`. All takes of a recording lie in one fold, so whoever splits by
 * recording splits by fold too. Only names are read here, no sound.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MettleError } from '../../sdk/errors.ts';
import { readRows } from './rows.ts';

export type Take = {
  /** Name of the class, such as `Dog bark`. */
  label: string;
  fold: number;
  /** `FOLD-RECORDING`, the same for all takes of one recording. */
  recording: string;
  /** Path inside the folder, with `/`; the file lies at `path`. */
  name: string;
  path: string;
};

/** Who made a recording, and what its licence asks for. */
export type SoundCredit = { name: string; title: string; author: string; source: string; licence: string };

const hint =
  'Name the folder of ESC-10 that holds "001 - Dog bark" and nine more, with files such as 1-100032-A.ogg and attribution.csv.';

/** All takes by class and name, in the order of their paths. Throws `not-found` for a folder that is no ESC-10. */
export async function listTakes(folder: string): Promise<{ classes: string[]; takes: Take[] }> {
  const classFolders = (await entriesOf(folder)).filter((name) => /^\d{3} - ./.test(name)).sort();
  if (classFolders.length === 0) {
    throw new MettleError('not-found', `${folder} holds no folder of a class of ESC-10.`, { hint });
  }
  const takes: Take[] = [];
  for (const classFolder of classFolders) {
    for (const file of (await entriesOf(join(folder, classFolder))).sort()) {
      const match = /^(\d)-(\d+)-[A-Z]\.ogg$/.exec(file);
      if (!match) continue;
      const [, fold, id] = match as unknown as [string, string, string];
      const label = classFolder.slice(6);
      const name = `${classFolder}/${file}`;
      takes.push({
        label,
        fold: Number(fold),
        recording: `${fold}-${id}`,
        name,
        path: join(folder, classFolder, file),
      });
    }
  }
  return { classes: classFolders.map((name) => name.slice(6)), takes };
}

/** Credits by the takes' names. Throws `not-found` or `invalid-file`. */
export async function readSoundCredits(folder: string): Promise<Map<string, SoundCredit>> {
  const path = join(folder, 'attribution.csv');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MettleError('not-found', `${path} is not there; without it nobody can be credited.`, { hint, cause });
  });
  const rows = readRows(text, path, ['folder', 'file', 'title', 'author', 'sound', 'licence']);
  return new Map(
    rows.map(({ folder: classFolder, file, title, author, sound, licence }) => {
      const name = `${classFolder}/${file}`;
      return [name, { name, title: title!, author: author!, source: sound!, licence: licence! }];
    }),
  );
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new MettleError('not-found', `${folder} is no folder that can be read.`, { hint, cause });
  }
}
