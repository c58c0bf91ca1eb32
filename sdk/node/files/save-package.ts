/** Writes a finished package into a new folder, whole or not at all. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MettleError } from '../../errors.ts';
import { removeStale, stagingName } from './staging.ts';

/** `files` by their path in the package. Throws `write` where something lies in `folder` already, or it cannot be written; nothing is left behind then. */
export async function savePackage(folder: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const target = resolve(folder);
  let draft: string | null = null;
  try {
    const present = await readdir(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    if (present.length > 0) {
      throw new MettleError('write', `${target} holds files already; a package needs a folder of its own.`, {
        hint: 'Name a folder that is not there yet, or remove this one.',
      });
    }
    await mkdir(dirname(target), { recursive: true });
    await removeStale(dirname(target), basename(target));
    draft = join(dirname(target), stagingName(basename(target)));
    const whole = join(draft, 'package');
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(whole, path)), { recursive: true });
      await writeFile(join(whole, path), bytes);
    }
    await rename(whole, target);
  } catch (error) {
    if (error instanceof MettleError) throw error;
    throw new MettleError('write', `Cannot write the package to ${target}: ${(error as Error).message}`, {
      hint: 'Check that the folder is yours to write and the disk has room.',
      cause: error,
    });
  } finally {
    if (draft) await rm(draft, { recursive: true, force: true });
  }
}
