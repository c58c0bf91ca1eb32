/** A folder of data on disk. Listings are kept, since readers ask for thousands of names; files that appear later are not seen. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../contract/limits.ts';
import { MettleError } from '../../errors.ts';
import { openClip } from '../../media/clip.ts';
import type { ClipFacts, DataFolder, MaskFacts } from '../../train/data/types.ts';
import { readSmall } from '../disk.ts';
import { readMask } from './mask.ts';
import { readPicture } from './picture.ts';

/** Throws `not-found` if `path` is no folder. */
export async function openFolder(path: string): Promise<DiskFolder> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return new DiskFolder(path);
  throw new MettleError('not-found', found ? `${path} is a file; expected a folder.` : `There is no folder ${path}.`, {
    hint: 'Give the folder that holds the tables of the dataset.',
  });
}

export class DiskFolder implements DataFolder {
  readonly name: string;
  readonly #listings = new Map<string, Promise<Map<string, 'file' | 'folder'>>>();

  constructor(path: string) {
    this.name = path;
  }

  /** Absolute or relative path on disk of a path in the folder. Throws `invalid-argument` if it leads outside. */
  pathOf(path: string): string {
    if (path.startsWith('/') || /[\\\0]/.test(path) || path.split('/').includes('..')) {
      throw new MettleError('invalid-argument', `${JSON.stringify(path)} leads outside ${this.name}.`);
    }
    return join(this.name, path);
  }

  async list(path: string): Promise<string[]> {
    return [...(await this.#listing(path))].map(([name, kind]) => (kind === 'folder' ? `${name}/` : name));
  }

  async exists(path: string): Promise<boolean> {
    const at = path.replace(/\/$/, '').lastIndexOf('/');
    return (await this.#listing(path.slice(0, Math.max(0, at)))).has(path.slice(at + 1).replace(/\/$/, ''));
  }

  async readBytes(path: string): Promise<Uint8Array> {
    return await readSmall(this.pathOf(path), 'a file of a data set', limits.dataFileBytes);
  }

  async readText(path: string): Promise<string> {
    const bytes = await this.readBytes(path);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new MettleError('invalid-file', `${path}: the text is not UTF-8.`, {
        hint: 'Save the file as UTF-8.',
        cause,
      });
    }
  }

  async probeClip(path: string): Promise<ClipFacts> {
    await using clip = await openClip(this.pathOf(path));
    return { seconds: clip.duration, hasPicture: clip.video !== null, hasSound: clip.audio !== null };
  }

  async probeMask(path: string): Promise<MaskFacts> {
    const { data, levels } = readMask(await this.readBytes(path), path);
    return { levels, area: data.reduce((sum, on) => sum + on, 0) / data.length };
  }

  async probeFrame(path: string): Promise<{ width: number; height: number }> {
    const { width, height } = await readPicture(await this.readBytes(path), path);
    return { width, height };
  }

  #listing(path: string): Promise<Map<string, 'file' | 'folder'>> {
    const folder = path.replace(/\/$/, '');
    let listing = this.#listings.get(folder);
    if (!listing) {
      listing = readListing(this.pathOf(folder));
      this.#listings.set(folder, listing);
    }
    return listing;
  }
}

/** Links are followed; what is neither file nor folder is left out. */
async function readListing(path: string): Promise<Map<string, 'file' | 'folder'>> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const listing = new Map<string, 'file' | 'folder'>();
  for (const entry of entries) {
    const target = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => null) : entry;
    if (target?.isDirectory()) listing.set(entry.name, 'folder');
    else if (target?.isFile()) listing.set(entry.name, 'file');
  }
  return listing;
}
