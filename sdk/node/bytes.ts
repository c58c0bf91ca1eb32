/** How bytes reach Node: from files and over HTTP. A string is a URL if it starts with http:, https: or file:, else a path. */
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FilePathSource, type Source } from 'mediabunny';
import { type Bytes, emptySource, type Sources } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';
import { urlSource } from '../page/http.ts';
import { sha256Pieces } from './digest.ts';
import { readDisk, statDisk } from './disk.ts';
import { packageRoot } from './package-root.ts';
import { nodeHttp } from './request.ts';
import { openFolderStore } from './store.ts';

/** Node finds its models in the package, whatever `assets` a page is given. */
export const bytesFor = (_assets?: string): Bytes => ({
  modelsUrl: new URL('adapters/', packageRoot).href,
  readFile: (url, options) => readDisk(fileURLToPath(url), options),
  http: nodeHttp,
  openStore: openFolderStore,
  digest: sha256Pieces,
  resolveUrl,
});

export { feedsOf } from './live-feeds.ts';

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
  const { path, size } = await statDisk(fileURLToPath(url));
  if (size === 0) throw emptySource();
  return new FilePathSource(path);
}
