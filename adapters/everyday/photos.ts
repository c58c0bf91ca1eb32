/** The photographs of Caltech-101 and their splits: those that nano is judged by test, of the others an eighth validates. Pixels are read when one is opened. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RgbImage } from '../../sdk/contract/clip.ts';
import type { Split } from '../../sdk/contract/split.ts';
import { MettleError } from '../../sdk/errors.ts';
import { readPicture } from '../../sdk/node/data/picture.ts';
import { diceOf } from '../../sdk/toybox/dice.ts';
import { partPhotos } from '../nano/held.ts';

export type Photo = {
  /** `FOLDER/FILE`. */
  name: string;
  folder: string;
  path: string;
  split: Split;
};

/** What the data set asks for. */
export const photoCredit = {
  author: 'Caltech-101: L. Fei-Fei, R. Fergus, P. Perona, M. Ranzato',
  licence: 'CC BY 4.0',
  source: 'https://doi.org/10.22002/D1.20086',
} as const;

/** In the order of their names; `folder` is the one of Caltech-101. Throws `not-found`. */
export async function listPhotos(folder: string): Promise<Photo[]> {
  const classes = await partPhotos(folder).catch((cause: unknown) => {
    throw new MettleError('not-found', `${folder} cannot be read.`, {
      hint: 'It must hold the folders of Caltech-101.',
      cause,
    });
  });
  return classes.flatMap(({ label, learned, held }) => {
    const mixed = diceOf(`everyday photos ${label}`).shuffle(learned);
    const validating = new Set(mixed.slice(0, Math.max(1, Math.round(mixed.length / 8))));
    const photo = (path: string, split: Split): Photo => ({
      ...{ name: `${label}/${basename(path)}`, folder: label, path: join(path), split },
    });
    return [
      ...learned.map((path) => photo(path, validating.has(path) ? 'val' : 'train')),
      ...held.map((path) => photo(path, 'test')),
    ];
  });
}

/** Throws `not-found` or `invalid-file`. */
export async function openPhoto({ path }: Photo): Promise<RgbImage> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new MettleError('not-found', `${path} cannot be read.`, { cause });
  });
  return await readPicture(bytes, path);
}
