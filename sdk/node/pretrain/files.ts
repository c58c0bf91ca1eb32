/** Which files of a folder are material, by their endings, and what each is called where something is kept of it. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';

export const pictureTypes = ['.jpg', '.jpeg', '.png'];
export const filmTypes = ['.mp4', '.m4v', '.mov', '.webm', '.mkv'];
export const soundTypes = ['.wav', '.ogg', '.flac', '.mp3', '.m4a'];

export const isFilm = (path: string): boolean => filmTypes.includes(extname(path).toLowerCase());

/** A name for what a file holds now. */
export async function nameFor(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return createHash('sha256').update(`${path} ${size} ${mtimeMs}`).digest('hex').slice(0, 32);
}
