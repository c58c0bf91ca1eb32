/** The page: everything that a browser has and Node has not, behind {@link Platform}. */
import { connectEngine } from '../engine/bridge.ts';
import type { Engine } from '../engine/types.ts';
import { MettleError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { fetchFile, urlSource } from './http.ts';
import { chooseDevice, hasHalf, loadRuntime } from './runtime.ts';

/** Apart from `new URL`, because bundlers take the two together for a file to copy, and this names a folder. */
const here = import.meta.url;

export const platform: Platform = {
  kind: 'page',
  modelsUrl: new URL('../../adapters/', here).href,
  async prepareDecoders() {},
  async openSource(location) {
    return urlSource(resolveUrl(String(location)));
  },
  readFile: fetchFile,
  resolveUrl,
  chooseDevice,
  hasHalf,
  loadRuntime,
  createEngine,
};

/** Relative to the page, or to the worker's script in a worker. */
function resolveUrl(location: string): URL {
  const base = globalThis.document?.baseURI ?? globalThis.location.href;
  if (URL.canParse(location, base)) return new URL(location, base);
  throw new MettleError('invalid-argument', `"${location}" is no URL.`);
}

/** In a worker of its own, in the caller's worker, or (`false`) in this thread. Only a worker made here ends with the engine. */
async function createEngine({ worker }: { worker?: Worker | false }): Promise<Engine> {
  if (worker === false) {
    const { LocalEngine } = await import('../engine/engine.ts');
    return new LocalEngine(loadRuntime);
  }
  const resolveRuntimePath = (path: string) => resolveUrl(path).href;
  if (worker) return connectEngine(worker, { resolveRuntimePath });
  const own = new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: 'mettle-edge' });
  return connectEngine(own, { owned: true, resolveRuntimePath });
}
