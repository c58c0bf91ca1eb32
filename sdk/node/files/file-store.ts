/** Files by name in a folder, written whole or not at all: what checkpoints and cached features are kept in. */
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MettleError } from '../../errors.ts';
import { removeAllStale, stagingName } from './staging.ts';

/** Whether there is a file or folder of this name. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

export class DiskStore {
  readonly #folder: string;
  /** Whether leftovers of killed processes were looked for. */
  #isClean = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null where there is no such file. Throws `not-found` where it cannot be read. */
  async load(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      const { buffer, byteOffset, byteLength } = await readFile(join(this.#folder, name));
      return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new MettleError('not-found', `${join(this.#folder, name)} cannot be read: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Throws `write`, and leaves what was there before. */
  async save(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, name);
    const draft = join(this.#folder, stagingName(name));
    try {
      await mkdir(this.#folder, { recursive: true });
      if (!this.#isClean) await removeAllStale(this.#folder);
      this.#isClean = true;
      await writeFile(draft, bytes);
      await rename(draft, path);
    } catch (cause) {
      await rm(draft, { force: true }).catch(() => {});
      const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
      throw new MettleError(
        'write',
        `${path} cannot be written: ${full ? 'the disk is full' : (cause as Error).message}.`,
        {
          hint: full ? 'Free some room, or choose another folder.' : 'Check the folder and its permissions.',
          cause,
        },
      );
    }
  }
}
