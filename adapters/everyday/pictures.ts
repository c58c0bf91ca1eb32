/**
 * Photographs with COCO panoptic annotations: `images/*.jpg`, `panoptic.json`, `licences.csv`. Says what is seen in each, from the categories of its segments.
 * Pixels are read when a picture is opened.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RgbImage } from '../../sdk/contract/clip.ts';
import { MettleError } from '../../sdk/errors.ts';
import { readPicture } from '../../sdk/node/data/picture.ts';
import { readRows } from './rows.ts';

/** Left, top, width and height in pixels. */
export type Box = readonly [number, number, number, number];

export type Photo = {
  /** File name without extension. */
  name: string;
  path: string;
  /** The largest segment of each category that covers at least 0.3 % of the picture. */
  shows: ReadonlyMap<string, Box>;
  licence: string;
  source: string;
};

/**
 * Categories of COCO that can be seen where a class of ESC-10 is heard. A person stands for who sneezes or cries, though no baby was marked as one. What has no
 * entry is never seen.
 */
export const categoryOf: Readonly<Record<string, string>> = {
  'Dog bark': 'dog',
  'Sea waves': 'sea',
  'Baby cry': 'person',
  'Clock tick': 'clock',
  'Person sneeze': 'person',
  Helicopter: 'airplane',
  Rooster: 'bird',
};

const smallestShare = 0.003;
const hint = 'Name the folder that holds images/, panoptic.json (COCO panoptic format) and licences.csv.';

type Panoptic = {
  images: { id: number; file_name: string; width: number; height: number }[];
  annotations: { image_id: number; segments_info: { category_id: number; bbox: Box; area: number }[] }[];
  categories: { id: number; name: string }[];
};

/** All photographs in the order of their names. Throws `not-found` or `invalid-file`. */
export async function listPhotos(folder: string): Promise<Photo[]> {
  const where = join(folder, 'panoptic.json');
  const { images, annotations, categories } = parsePanoptic(await read(where), where);
  const table = join(folder, 'licences.csv');
  const rows = readRows((await read(table)).toString(), table, ['file', 'licence', 'flickr_url']);
  const licences = new Map(rows.map((row) => [row.file, row]));
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const segments = new Map(annotations.map(({ image_id, segments_info }) => [image_id, segments_info]));
  const photos = images.map(({ id, file_name, width, height }): Photo => {
    const licence = licences.get(file_name);
    if (!licence) throw new MettleError('invalid-file', `${table}: there is no row for ${file_name}.`, { hint });
    const shows = new Map<string, Box>();
    for (const { category_id, bbox, area } of [...(segments.get(id) ?? [])].sort((a, b) => b.area - a.area)) {
      const name = names.get(category_id);
      if (name && area >= smallestShare * width * height && !shows.has(name)) shows.set(name, bbox);
    }
    const path = join(folder, 'images', file_name);
    return {
      name: file_name.replace(/\.[^.]+$/, ''),
      path,
      shows,
      licence: licence.licence,
      source: licence.flickr_url,
    };
  });
  return photos.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Throws `not-found` or `invalid-file`. */
export const openPhoto = async ({ path }: Photo): Promise<RgbImage> => await readPicture(await read(path), path);

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new MettleError('not-found', `${path} cannot be read.`, { hint, cause });
  }
}

function parsePanoptic(bytes: Buffer, where: string): Panoptic {
  let json: Partial<Panoptic> | null = null;
  try {
    json = JSON.parse(bytes.toString()) as Partial<Panoptic> | null;
  } catch {}
  const isWhole = [json?.images, json?.annotations, json?.categories].every(Array.isArray);
  if (isWhole) return json as Panoptic;
  throw new MettleError('invalid-file', `${where}: expected lists named images, annotations and categories.`, { hint });
}
