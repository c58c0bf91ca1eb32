/** How bytes reach Node: from files and over HTTP. A string is a URL if it starts with http:, https: or file:, else a path. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FilePathSource, type Source } from 'mediabunny';
import { type Bytes, emptySource, type ReadOptions, type Sources } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';
import { fetchFile, urlSource } from '../page/http.ts';
import { packageRoot } from './package-root.ts';

/** Node finds its models in the package, whatever `assets` a page is given. */
export const bytesFor = (_assets?: string): Bytes => ({
  modelsUrl: new URL('adapters/', packageRoot).href,
  readFile,
  resolveUrl,
});

export const sources: Sources = {
  async prepareDecoders() {
    const decoder = await import('./decoder.ts');
    await decoder.prepareDecoders();
  },
  openSource,
};

/** A path becomes a `file:` URL against the working directory; a slash at its end stays, so that it still names a folder. */
export function resolveUrl(location: string): URL {
  if (!/^(https?|file):/i.test(location)) {
    const url = pathToFileURL(resolve(location));
    if (/[\\/]$/.test(location) && !url.pathname.endsWith('/')) url.pathname += '/';
    return url;
  }
  if (URL.canParse(location)) return new URL(location);
  throw new MettleError('invalid-argument', `"${location}" is no URL.`);
}

async function openSource(location: string | URL): Promise<Source> {
  const url = resolveUrl(String(location));
  if (url.protocol !== 'file:') return urlSource(url);
  const { path, size } = await statFile(url);
  if (size === 0) throw emptySource();
  return new FilePathSource(path);
}

async function readFile(url: URL, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol !== 'file:') return await fetchFile(url, options);
  const { signal, onBytes } = options;
  signal?.throwIfAborted();
  const { path, size } = await statFile(url);
  const bytes = new Uint8Array(size);
  let received = 0;
  try {
    for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20, end: Math.max(0, size - 1) })) {
      bytes.set(chunk, received);
      received += chunk.length;
      onBytes?.(received);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(path, error);
  }
  return bytes.subarray(0, received);
}

async function statFile(url: URL): Promise<{ path: string; size: number }> {
  const path = fileURLToPath(url);
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (stats.isDirectory()) {
    throw new MettleError('invalid-argument', `${path} is a folder, not a file.`, { hint: 'Name a file in it.' });
  }
  return { path, size: stats.size };
}

function unreadable(path: string, cause: unknown): MettleError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
  return new MettleError('not-found', `${path} ${what}.`, { hint: 'Check the path.', cause });
}
