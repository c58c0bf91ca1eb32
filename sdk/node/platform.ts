/** Node: everything that it has and a browser has not, behind {@link Platform}. A string is a URL if it starts with http:, https: or file:, else a path. */
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FilePathSource, type Source } from 'mediabunny';
import { LocalEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/types.ts';
import { MettleError } from '../errors.ts';
import { emptySource } from '../media/media-error.ts';
import { fetchFile, type ReadOptions, urlSource } from '../page/http.ts';
import type { Platform } from '../platform.ts';
import { sha256Pieces } from './digest.ts';
import { readDisk, statDisk } from './disk.ts';
import { chooseDevice, loadRuntime } from './runtime.ts';

export const platform: Platform = {
  kind: 'node',
  modelsUrl: new URL('../../adapters/', import.meta.url).href,
  async prepareDecoders() {
    const decoder = await import('./decoder.ts');
    await decoder.prepareDecoders();
  },
  openSource,
  readFile,
  digest: sha256Pieces,
  resolveUrl,
  chooseDevice,
  // onnxruntime-node does not tell what its GPU has.
  hasHalf: async () => undefined,
  loadRuntime,
  createEngine,
};

/** A path becomes a `file:` URL against the working directory; a slash at its end stays, so that it still names a folder. */
function resolveUrl(location: string): URL {
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

async function readFile(url: URL, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol !== 'file:') return await fetchFile(url, options);
  return await readDisk(fileURLToPath(url), options);
}

async function createEngine({ worker }: { worker?: Worker | false }): Promise<Engine> {
  if (worker) {
    throw new MettleError(
      'invalid-argument',
      'In Node the engine runs in the thread that creates it, not in a worker.',
      {
        hint: 'Leave out the worker option: the runtime has threads of its own.',
      },
    );
  }
  return new LocalEngine(loadRuntime);
}
