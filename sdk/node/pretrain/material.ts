/** Pictures and sounds of folders, read once and held in memory: what a pretraining draws its samples from. */
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { concatenate } from '../../arrays.ts';
import type { Clip, RgbImage } from '../../contract/clip.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import { MettleError } from '../../errors.ts';
import { resizeImage } from '../../front-end/resize.ts';
import { openClip } from '../../media/clip.ts';
import { openFolder } from '../data/folder.ts';
import { readPicture } from '../data/picture.ts';

export type MaterialFiles = { paths: string[]; digest: string };

const pictureTypes = ['.jpg', '.jpeg', '.png'];
const filmTypes = ['.mp4', '.m4v', '.mov', '.webm', '.mkv'];
const soundTypes = ['.wav', '.ogg', '.flac', '.mp3', '.m4a'];

/** Shorter side of pictures that are kept, in pixels; larger ones are reduced to it. */
const pictureSide = 384;
const framesPerFilm = 24;
const secondsPerSound = 120;

/**
 * All files of a sense below the folders, in a fixed order, but for those whose path (with `/`) `exclude` fits. Throws `not-found` for a folder that is none or
 * where nothing is found.
 */
export async function listMaterial(
  folders: readonly string[],
  modality: 'visual' | 'audio',
  exclude: RegExp | null,
): Promise<MaterialFiles> {
  const types = modality === 'visual' ? [...pictureTypes, ...filmTypes] : [...soundTypes, ...filmTypes];
  const found: { path: string; facts: string }[] = [];
  for (const folder of folders) {
    await openFolder(folder);
    const entries = await readdir(folder, { recursive: true });
    for (const entry of entries.sort()) {
      const path = join(folder, entry);
      if (!types.includes(extname(path).toLowerCase()) || exclude?.test(path.replaceAll('\\', '/'))) continue;
      const facts = await stat(path);
      if (facts.isFile()) found.push({ path, facts: `${relative(folder, path)} ${facts.size}` });
    }
  }
  if (found.length === 0) {
    throw new MettleError(
      'not-found',
      `There is nothing to ${modality === 'visual' ? 'see' : 'hear'} in ${folders.join(', ')}.`,
      {
        hint: `Files that count end in ${types.join(', ')}.`,
      },
    );
  }
  const digest = await sha256Integrity(new TextEncoder().encode(found.map(({ facts }) => facts).join('\n')));
  return { paths: found.map(({ path }) => path), digest };
}

export type MaterialOptions = {
  signal?: AbortSignal;
  /** Called for each file that was looked at; `problem` says why it was left out. */
  onFile?: (done: number, problem: string | null) => void;
};

/** Pictures, and frames of films evenly over their length. What cannot be read is left out and told. */
export const readPictures = (paths: readonly string[], options: MaterialOptions = {}): Promise<RgbImage[]> =>
  eachFile(paths, options, async (path) => {
    if (filmTypes.includes(extname(path).toLowerCase())) return await frames(path, options.signal);
    const folder = await openFolder(join(path, '..'));
    const image = await readPicture(await folder.readBytes(relative(join(path, '..'), path)), path);
    return [reduced(image)];
  });

/** Mono sound of files at `rate` Hz, their first two minutes. What cannot be read is left out and told. */
export const readSounds = (
  paths: readonly string[],
  rate: number,
  options: MaterialOptions = {},
): Promise<Float32Array[]> =>
  eachFile(paths, options, async (path) => {
    await using clip = await openClip(path, { signal: options.signal });
    const seconds: Float32Array[] = [];
    for await (const { pcm } of clip.segments({ frame: { width: 1, height: 1 }, sampleRate: rate }, options)) {
      if (pcm) seconds.push(pcm);
      if (!pcm || seconds.length === secondsPerSound) break;
    }
    const sound = concatenate(seconds);
    const end = sound.findLastIndex((value) => value !== 0) + 1;
    return end > 0 ? [sound.slice(0, end)] : [];
  });

async function eachFile<T>(
  paths: readonly string[],
  { signal, onFile }: MaterialOptions,
  read: (path: string) => Promise<T[]>,
): Promise<T[]> {
  const all: T[] = [];
  for (const [index, path] of paths.entries()) {
    signal?.throwIfAborted();
    let problem: string | null = null;
    try {
      all.push(...(await read(path)));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MettleError) || error.code === 'missing-package') throw error;
      problem = `${path}: ${error.message}`;
    }
    onFile?.(index + 1, problem);
  }
  return all;
}

function reduced(image: RgbImage): RgbImage {
  const scale = Math.min(1, pictureSide / Math.min(image.width, image.height));
  return resizeImage(image, Math.round(image.width * scale), Math.round(image.height * scale));
}

async function frames(path: string, signal: AbortSignal | undefined): Promise<RgbImage[]> {
  await using clip = await openClip(path, { signal });
  const found: RgbImage[] = [];
  const every = Math.max(1, Math.floor(clip.segmentCount / framesPerFilm));
  for await (const { index, frame } of clip.segments({ frame: sizeOf(clip), sampleRate: 8000 }, { signal })) {
    if (frame && index % every === 0) found.push(frame);
    if (found.length === framesPerFilm) break;
  }
  return found;
}

function sizeOf({ video }: Clip): { width: number; height: number } {
  const { width, height } = video ?? { width: 1, height: 1 };
  const scale = Math.min(1, pictureSide / Math.min(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
