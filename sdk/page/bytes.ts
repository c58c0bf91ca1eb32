/** How bytes reach a page: over HTTP, relative to the page. */
import type { Bytes, Sources } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';
import { fetchFile, urlSource } from './http.ts';
import { placesOf } from './places.ts';
import { pageHttp } from './request.ts';
import { openPageStore } from './store.ts';

/** `assets` is the folder that holds the shipped models too. Throws as `placesOf` does. */
export const bytesFor = (assets?: string): Bytes => ({
  modelsUrl: placesOf(assets).models.href,
  readFile: fetchFile,
  http: pageHttp,
  openStore: openPageStore,
  resolveUrl,
});

export { feedsOf } from './live-feeds.ts';

export const sources: Sources = {
  async prepareDecoders() {},
  openSource: async (location) => urlSource(resolveUrl(String(location))),
};

/** Relative to the page, or to the worker's script in a worker. */
export function resolveUrl(location: string): URL {
  const base = globalThis.document?.baseURI ?? globalThis.location.href;
  if (URL.canParse(location, base)) return new URL(location, base);
  throw new MettleError('invalid-argument', `"${location}" is no URL.`);
}
