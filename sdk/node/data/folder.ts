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

type Listing = Map<string, 'file' | 'folder'>;

/**
 * Names are those of the disk in Unicode's composed form (NFC), as tables have them: some systems and archives write "é" as two characters. Once a folder was listed, its
 * names lead to what is really there.
 */
export class DiskFolder implements DataFolder {
  readonly name: string;
  /** Paths on disk, relative to the folder, of what was listed under another name. */
  readonly #real = new Map<string, string>();
  readonly #listings = new Map<string, Promise<Listing>>();

  constructor(path: string) {
    this.name = path;
  }

  /** Absolute or relative path on disk of a path in the folder. Throws `invalid-argument` if it leads outside. */
  pathOf(path: string): string {
    if (path.startsWith('/') || /[\\\0]/.test(path) || path.split('/').includes('..')) {
      throw new MettleError('invalid-argument', `${JSON.stringify(path)} leads outside ${this.name}.`);
    }
    return join(this.name, this.#realPath(path));
  }

  #realPath(path: string): string {
    if (this.#real.size === 0) return path;
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const real = this.#real.get(path.slice(0, end));
      if (real !== undefined) return real + path.slice(end);
    }
    return path;
  }

  async list(path: string): Promise<string[]> {
    return [...(await this.#listing(path))].map(([name, kind]) => (kind === 'folder' ? `${name}/` : name));
  }

  async exists(path: string): Promise<boolean> {
    const at = path.replace(/\/$/, '').lastIndexOf('/');
    const name = path.slice(at + 1).replace(/\/$/, '');
    return (await this.#listing(path.slice(0, Math.max(0, at)))).has(name.normalize('NFC'));
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

  #listing(path: string): Promise<Listing> {
    const folder = path.replace(/\/$/, '');
    let listing = this.#listings.get(folder);
    if (!listing) {
      listing = this.#readListing(folder);
      this.#listings.set(folder, listing);
    }
    return listing;
  }

  async #readListing(folder: string): Promise<Listing> {
    const listing: Listing = new Map();
    const inside = folder === '' ? '' : `${folder}/`;
    for (const [name, kind] of await readListing(this.pathOf(folder))) {
      const composed = name.normalize('NFC');
      // A name that is composed already goes before one that only looks the same.
      if (composed !== name && listing.has(composed)) continue;
      listing.set(composed, kind);
      if (composed !== name) this.#real.set(inside + composed, this.#realPath(folder) + (inside && '/') + name);
      else this.#real.delete(inside + composed);
    }
    return listing;
  }
}

/** Links are followed; what is neither file nor folder is left out. */
async function readListing(path: string): Promise<Listing> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const listing: Listing = new Map();
  for (const entry of entries) {
    const target = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => null) : entry;
    if (target?.isDirectory()) listing.set(entry.name, 'folder');
    else if (target?.isFile()) listing.set(entry.name, 'file');
  }
  return listing;
}
