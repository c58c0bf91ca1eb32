/** A package being written: a folder beside its place that moves there when it is whole, and of which nothing stays when it is not. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { FileEntry } from '../../contract/manifest.ts';
import { MettleError } from '../../errors.ts';
import { removeStale, stagingName } from './staging.ts';

type PlaceOptions = { force?: boolean; isOurs?: (place: string) => boolean | Promise<boolean> };

export class PackageFolder implements AsyncDisposable {
  readonly #place: string;
  readonly #draft: string;
  readonly #replace: boolean;
  #done = false;

  private constructor(place: string, draft: string, replace: boolean) {
    this.#place = place;
    this.#draft = draft;
    this.#replace = replace;
  }

  /**
   * Checks that `path` is free, or an empty folder, or with `force` one that may be replaced, and makes the draft beside it. `isOurs` tells what may be: by default a
   * package of a model. Throws `write`.
   */
  static async create(
    path: string,
    { force = false, isOurs = holdsPackage }: PlaceOptions = {},
  ): Promise<PackageFolder> {
    const place = resolve(path);
    await removeStale(dirname(place), basename(place));
    const replace = await checkPlace(place, { force, isOurs });
    const draft = join(dirname(place), stagingName(basename(place)));
    await writing(place, () => mkdir(draft, { recursive: true }));
    return new PackageFolder(place, draft, replace);
  }

  /** Where its files lie until it is finished. */
  get path(): string {
    return this.#draft;
  }

  /** Writes a file of the package, in folders below it where its path has some. Throws `write`; errors of `chunks` pass through. */
  async write(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<FileEntry> {
    const hash = createHash('sha256');
    let bytes = 0;
    const file = await writing(this.#place, async () => {
      await mkdir(dirname(join(this.#draft, path)), { recursive: true });
      return await open(join(this.#draft, path), 'wx');
    });
    try {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        await writing(this.#place, () => file.writeFile(chunk));
      }
    } finally {
      await file.close();
    }
    return { path, bytes, integrity: `sha256-${hash.digest('base64')}` };
  }

  /** Moves the package to its place. Throws `write`, and leaves what was there before. */
  async finish(): Promise<void> {
    const old = `${this.#draft}.old`;
    await writing(this.#place, async () => {
      if (this.#replace) await rename(this.#place, old);
      else await rmdir(this.#place).catch(ignoreAbsent);
      try {
        await rename(this.#draft, this.#place);
      } catch (error) {
        if (this.#replace) await rename(old, this.#place);
        throw error;
      }
      this.#done = true;
      await rm(old, { recursive: true, force: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#done) await rm(this.#draft, { recursive: true, force: true });
  }
}

/** True where there is a package to replace. Anything else with files in it is never removed. */
async function checkPlace(place: string, { force, isOurs }: Required<PlaceOptions>): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(place);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    const what = code === 'ENOTDIR' ? 'is a file' : `cannot be read (${code})`;
    throw new MettleError('write', `${place} ${what}, expected a folder or nothing.`, {
      hint: 'Choose another folder.',
    });
  }
  if (names.length === 0) return false;
  if (!force) {
    throw new MettleError('write', `${place} is not empty.`, {
      hint: 'Choose another folder, or replace the package there with --force.',
    });
  }
  if (!(await isOurs(place))) {
    throw new MettleError('write', `${place} is not empty and holds no package, so --force does not replace it.`, {
      hint: 'Choose another folder.',
    });
  }
  return true;
}

async function holdsPackage(place: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(place, 'manifest.json'), 'utf8'));
    return typeof manifest === 'object' && manifest !== null && 'kind' in manifest && 'files' in manifest;
  } catch {
    return false;
  }
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function writing<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const full = code === 'ENOSPC';
    throw new MettleError('write', `${place} cannot be written: ${full ? 'the disk is full' : message}.`, {
      hint: full ? 'Free some room, or choose another folder.' : 'Check the folder and its permissions.',
      cause,
    });
  }
}
