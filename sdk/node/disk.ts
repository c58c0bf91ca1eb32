/** Whole files from the disk: regular ones only, since a pipe or a device has no end, and none beyond what was allowed. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ReadOptions } from '../contract/bytes.ts';
import { bytesText } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';
import { Body } from '../page/body.ts';

/** Throws `not-found`, or `invalid-argument` for a folder and for what is no file. */
export async function statDisk(path: string): Promise<{ path: string; size: number }> {
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (stats.isFile()) return { path, size: stats.size };
  const what = stats.isDirectory() ? 'a folder, not a file' : 'a pipe, socket or device, not a regular file';
  throw new MettleError('invalid-argument', `${path} is ${what}.`, {
    hint: stats.isDirectory() ? 'Name a file in it.' : 'Copy what it gives into a file, and name that.',
  });
}

/** The bytes of a file, held once. Throws as `statDisk` does, the error of `limit` before anything is read, or the signal's reason. */
export async function readDisk(path: string, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, onBytes, limit } = options;
  signal?.throwIfAborted();
  const { size } = await statDisk(path);
  const body = new Body(size, limit);
  const stream = createReadStream(path, { signal, highWaterMark: 1 << 20, end: Math.max(0, size - 1) });
  try {
    for await (const chunk of stream) {
      body.push(chunk);
      onBytes?.(body.length);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof MettleError ? error : unreadable(path, error);
  }
  return body.finish();
}

/** As `readDisk`, of a file that has no business being larger than `bytes`. `what` says which it is, for the `invalid-file` error. */
export async function readSmall(
  path: string,
  what: string,
  bytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const exceeded = (found: number): MettleError =>
    new MettleError('invalid-file', `${path}: ${bytesText(found)}, expected at most ${bytesText(bytes)} of ${what}.`, {
      hint: 'Check that this is the file that was meant.',
    });
  return await readDisk(path, { signal, limit: { bytes, exceeded } });
}

function unreadable(path: string, cause: unknown): MettleError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
  return new MettleError('not-found', `${path} ${what}.`, { hint: 'Check the path.', cause });
}
