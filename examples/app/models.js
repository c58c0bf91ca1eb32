/** The loaded models: made when they are first needed, kept for the next film, made anew when others are chosen. */
import { createMettle } from '../../dist/page/index.js';
import { kept } from './offline.js';

const device = new URLSearchParams(location.search).get('device') ?? 'auto';
/** In a checkout, which npm did not install, the runtime does not lie beside the package. */
const runtimePath = '../../node_modules/onnxruntime-web/dist/';

let loaded = null;

/** Where models run, for all that loads some. */
export const place = { device, runtimePath };

/** A Mettle with these adapters: ids, or adapters that were taught. Throws as `createMettle`. */
export async function modelsFor(adapters, { signal, onProgress }) {
  const key = adapters.map((adapter) => adapter.manifest?.files.map(({ integrity }) => integrity) ?? adapter).join();
  if (loaded?.key === key) return loaded.mettle;
  await Promise.all([kept, release()]);
  const mettle = await createMettle({ ...place, adapters, signal, onProgress });
  loaded = { key, mettle };
  return mettle;
}

/** Neither a lost GPU nor a dead worker comes back: the next film gets new ones. */
export async function releaseBroken({ code }) {
  if (code === 'device' || code === 'worker-died') await release();
}

async function release() {
  const before = loaded;
  loaded = null;
  await before?.mettle.dispose();
}

addEventListener('pagehide', ({ persisted }) => persisted || release());
