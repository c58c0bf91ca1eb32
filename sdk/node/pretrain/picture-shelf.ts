/** Pictures, and frames of films, decoded when they are asked for; the latest of them are kept in a bounded room. */
import { basename, dirname } from 'node:path';
import type { Clip, RgbImage } from '../../contract/clip.ts';
import { MettleError } from '../../errors.ts';
import { resizeImage } from '../../front-end/resize.ts';
import { openClip } from '../../media/clip.ts';
import { openFolder } from '../data/folder.ts';
import { readPicture } from '../data/picture.ts';
import { isFilm } from './files.ts';

/** Shorter side of pictures that are kept, in pixels; larger ones are reduced to it. */
const pictureSide = 256;
const framesPerFilm = 24;
const roomBytes = 256 * 2 ** 20;

export class PictureShelf {
  readonly #kept = new Map<string, RgbImage[]>();
  #bytes = 0;

  /** The picture, or frames evenly over a film's length. Throws what reading and decoding throw. */
  async open(path: string): Promise<RgbImage[]> {
    const found = this.#kept.get(path) ?? (isFilm(path) ? await frames(path) : [await picture(path)]);
    this.#bytes += this.#kept.delete(path) ? 0 : bytesOf(found);
    this.#kept.set(path, found);
    for (const [oldest, images] of this.#kept) {
      if (this.#bytes <= roomBytes || oldest === path) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytesOf(images);
    }
    return found;
  }
}

const bytesOf = (images: readonly RgbImage[]): number => images.reduce((sum, { data }) => sum + data.length, 0);

async function picture(path: string): Promise<RgbImage> {
  const folder = await openFolder(dirname(path));
  const image = await readPicture(await folder.readBytes(basename(path)), basename(path));
  const scale = Math.min(1, pictureSide / Math.min(image.width, image.height));
  return resizeImage(image, Math.round(image.width * scale), Math.round(image.height * scale));
}

async function frames(path: string): Promise<RgbImage[]> {
  await using clip = await openClip(path);
  const found: RgbImage[] = [];
  const every = Math.max(1, Math.floor(clip.segmentCount / framesPerFilm));
  for await (const { index, frame } of clip.segments({ frame: sizeOf(clip), sampleRate: 8000 })) {
    if (frame && index % every === 0) found.push(frame);
    if (found.length === framesPerFilm) break;
  }
  if (found.length > 0) return found;
  throw new MettleError('empty-media', 'There is no picture in it.', { hint: 'Leave it out.' });
}

function sizeOf({ video }: Clip): { width: number; height: number } {
  const { width, height } = video ?? { width: 1, height: 1 };
  const scale = Math.min(1, pictureSide / Math.min(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
