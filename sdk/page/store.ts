/** What a browser keeps: its Cache API, which every page over https and every worker has, and all tabs of a site share. An entry appears whole, or not at all. */
import type { Store, StoredItem } from '../contract/store.ts';
import { MettleError } from '../errors.ts';

/** Keys of the Cache API are addresses. Nothing is ever asked for at this one. */
const root = 'https://cache.mettle-edge.invalid/';
const sizeHeader = 'x-bytes';

/** `place` is the name of the store, which no other code of the site should have. Throws where the browser gives none, as in some private windows. */
export async function openPageStore(place = 'mettle-edge'): Promise<Store> {
  if (!globalThis.caches) {
    throw new MettleError('incompatible', 'this page has no Cache API.', {
      hint: 'Serve the page over https or from localhost.',
    });
  }
  const cache = await caches.open(place);
  const names = async (): Promise<string[]> => (await cache.keys()).map(({ url }) => url.slice(root.length));
  return {
    place: `this browser's cache "${place}"`,
    async get(name) {
      const response = await cache.match(root + name);
      return response ? new Uint8Array(await response.arrayBuffer()) : null;
    },
    async put(name, bytes) {
      await cache.put(root + name, new Response(bytes, { headers: { [sizeHeader]: `${bytes.byteLength}` } }));
    },
    async delete(name) {
      await cache.delete(root + name);
    },
    async list() {
      const sizeOf = async (name: string): Promise<StoredItem> => {
        const response = await cache.match(root + name);
        return { name, bytes: Number(response?.headers.get(sizeHeader) ?? 0) };
      };
      return await Promise.all((await names()).map(sizeOf));
    },
    async sweep() {},
  };
}
