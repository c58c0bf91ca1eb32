/** An adapter's folder as one zip file: how people hand on what a page made. */
import { unzipSync, zipSync } from 'fflate';
import { bytesText, limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';

type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** Files by their path in the folder. Weights are noise to a packer: they are stored as they are. */
export function zipFiles(files: Readonly<Files>): Blob {
  // A fixed time, so that the same files make the same zip.
  const bytes = zipSync({ ...files }, { level: 0, mtime: new Date(1980, 0, 1) });
  return new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/zip' });
}

/** An adapter has a dozen files. */
const mostFiles = 1000;

/**
 * The files of a zip that holds an adapter's folder, or the files of one, by their path in the folder. Throws `invalid-file` that begins with `where` for what is no zip, holds no
 * manifest.json, or would unpack to more than a zipped adapter may have.
 */
export async function unzipFiles(zip: Blob, where: string): Promise<Files> {
  const fault = (problem: string, cause?: unknown): MettleError =>
    new MettleError('invalid-file', `${where}: ${problem}.`, {
      hint: 'Give the zip of an adapter as teach makes it, or a folder.',
      cause,
    });
  const most = limits.zipBytes;
  if (zip.size > most) throw fault(`${bytesText(zip.size)}, expected at most ${bytesText(most)}`);
  const bytes = new Uint8Array(await zip.arrayBuffer());
  let [total, count] = [0, 0];
  const files: Files = {};
  try {
    // Sizes are those that the zip states, before anything is unpacked; no file gets more room than its own.
    const unpacked = unzipSync(bytes, {
      filter({ name, originalSize }) {
        if (name.endsWith('/')) return false;
        total += originalSize;
        count++;
        if (total > most) throw fault(`its files take more than ${bytesText(most)}`);
        if (count > mostFiles) throw fault(`more than ${mostFiles} files`);
        return true;
      },
    });
    for (const [path, data] of Object.entries(unpacked)) files[path] = Uint8Array.from(data);
  } catch (cause) {
    if (cause instanceof MettleError) throw cause;
    throw fault(`no zip file that can be read (${(cause as Error).message})`, cause);
  }
  const folder = Object.keys(files)
    .find((path) => /^(?:[^/]+\/)?manifest\.json$/.test(path))
    ?.slice(0, -'manifest.json'.length);
  if (folder === undefined) throw fault('holds no manifest.json');
  const inside = Object.entries(files).filter(([path]) => path.startsWith(folder));
  return Object.fromEntries(inside.map(([path, data]) => [path.slice(folder.length), data]));
}
