/** A file that is there already, replaced in one step: whoever reads it meanwhile has the old one or the new one. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MettleError } from '../../errors.ts';
import { removeStale, stagingName } from '../files/staging.ts';

/** Throws `write`; then the old file is as it was. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  const draft = join(folder, stagingName(name));
  try {
    await removeStale(folder, name);
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new MettleError('write', `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
