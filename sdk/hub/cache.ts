/** The cache as its owner sees it: models by name, not digests. A piece that several models share counts for each of them, and goes with the last. */
import type { Bytes } from '../contract/bytes.ts';
import {
  checkArgument,
  checkOptions,
  number,
  type Rules,
  record,
  signal as signalRule,
  text,
} from '../contract/options.ts';
import type { Store, StoredItem } from '../contract/store.ts';
import { MettleError } from '../errors.ts';
import { type Access, accessFor } from './access.ts';
import { type AddressRecord, blobName, blobPrefix, integrityOf, readRecord, recordPrefix } from './shelf.ts';

/** A model that was opened on this device. */
export type CachedModel = {
  /** As its manifest says. */
  id: string;
  /** What it is. */
  kind: 'backbone' | 'adapter';
  /** As its manifest says. */
  version: string;
  /** Where it came from, without what follows a question mark. */
  address: string;
  /** Bytes of its files that are here, shared ones included. */
  bytes: number;
  /** When it was last opened, to the hour. */
  used: Date;
};

/** What `verify` found. */
export type CacheCheck = {
  /** Files that were read and hashed. */
  files: number;
  /** Their bytes. */
  bytes: number;
  /** Of those, how many had other bytes than they should. They were removed. */
  damaged: number;
};

/** What earlier calls kept on this device. Get it from `openCache`. Its methods reject with `write` where the store cannot be read or written. */
export interface ModelCache {
  /** The folder, or the name of the browser's store. */
  readonly place: string;
  /** Bytes of everything. */
  size(): Promise<number>;
  /** Models that were opened, the one used last first. */
  list(): Promise<CachedModel[]>;
  /** Removes the models with this id, and of their files what no other model needs. Returns the bytes that are free now. */
  delete(id: string): Promise<number>;
  /** Reads and hashes everything, and removes what is damaged: it comes again with the next load. */
  verify(options?: { signal?: AbortSignal }): Promise<CacheCheck>;
  /** Removes leftovers, then the models that were used least lately, until at most `maxBytes` are taken. Returns the bytes that are free now. */
  prune(maxBytes: number): Promise<number>;
}

/** What `openCache` takes. */
export type OpenCacheOptions = {
  /** Node: a folder; page: the name of a store. Default: those of `createMettle`. */
  cache?: string;
  /** Where it is kept. Default: the platform that the code runs on. */
  platform?: Bytes;
};
const cacheRules: Rules<OpenCacheOptions> = { cache: text, platform: record };
const verifyRules: Rules<{ signal?: AbortSignal }> = { signal: signalRule };
type Content = { records: Entry[]; items: Map<string, StoredItem> };
/** An address that was read; `blobs` are its manifest and whatever else it names. */
type Entry = AddressRecord & {
  name: string;
  model: Pick<CachedModel, 'id' | 'kind' | 'version'> | null;
  blobs: string[];
};

/**
 * The cache that `createMettle` uses with the same option `cache`: in Node a folder, in a page the name of a store.
 * Throws `incompatible` where this platform keeps nothing.
 *
 * @example
 * const cache = await openCache();
 * for (const { id, version, bytes } of await cache.list()) console.log(id, version, bytes);
 * await cache.prune(200e6);
 */
export async function openCache(options: OpenCacheOptions = {}): Promise<ModelCache> {
  checkOptions(options, cacheRules);
  const { platform, digest } = accessFor(options);
  const store = await platform.openStore?.(options.cache).catch((cause: unknown) => {
    throw new MettleError('incompatible', `There is no cache here: ${(cause as Error).message}`, { cause });
  });
  if (!store) throw new MettleError('incompatible', 'This platform keeps nothing.');
  return {
    place: store.place,
    size: () => withStore(store, async () => sizeOf(await store.list())),
    list: () => withStore(store, async () => modelsOf(await contentOf(store))),
    delete: (id) => withStore(store, () => deleteModel(store, id)),
    verify: (given = {}) =>
      withStore(
        store,
        async () => {
          checkOptions(given, verifyRules);
          return await verifyAll(store, digest, given.signal);
        },
        given?.signal,
      ),
    prune: (maxBytes) =>
      withStore(store, async () => {
        checkArgument(maxBytes, number(0, Infinity, 'a number of bytes'), 'maxBytes');
        return await pruneTo(store, maxBytes);
      }),
  };
}

/** What fails in a store, whose errors are the platform's, is told as an error of this place. */
async function withStore<T>(store: Store, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof MettleError || (signal?.aborted && cause === signal.reason)) throw cause;
    throw new MettleError('write', `The cache in ${store.place} cannot be used: ${(cause as Error).message}`, {
      hint: 'Check that it is a folder of yours, with the right to read and write, or name another with the option cache.',
      cause,
    });
  }
}

async function deleteModel(store: Store, id: string): Promise<number> {
  const before = sizeOf(await store.list());
  for (const { name, model } of (await contentOf(store)).records) if (model?.id === id) await store.delete(name);
  await dropUnnamed(store);
  return before - sizeOf(await store.list());
}

async function verifyAll(store: Store, digest: Access['digest'], signal: AbortSignal | undefined): Promise<CacheCheck> {
  const check: CacheCheck = { files: 0, bytes: 0, damaged: 0 };
  for (const { name } of await store.list()) {
    signal?.throwIfAborted();
    const bytes = await store.get(name);
    if (!bytes) continue;
    check.files++;
    check.bytes += bytes.byteLength;
    const sound = name.startsWith(blobPrefix) ? (await digest(bytes)) === integrityOf(name) : readRecord(bytes);
    if (sound) continue;
    check.damaged++;
    await store.delete(name);
  }
  return check;
}

async function pruneTo(store: Store, maxBytes: number): Promise<number> {
  const before = sizeOf(await store.list());
  await store.sweep();
  await dropUnnamed(store);
  const oldestFirst = (await contentOf(store)).records.sort((a, b) => timeOf(a) - timeOf(b));
  for (const { name } of oldestFirst) {
    if (sizeOf(await store.list()) <= maxBytes) break;
    await store.delete(name);
    await dropUnnamed(store);
  }
  return before - sizeOf(await store.list());
}

async function contentOf(store: Store): Promise<Content> {
  const items = new Map((await store.list()).map((item) => [item.name, item]));
  const records: Entry[] = [];
  for (const name of items.keys()) {
    if (!name.startsWith(recordPrefix)) continue;
    const record = readRecord(await store.get(name));
    if (record) records.push({ ...record, name, ...(await named(store, record)) });
  }
  return { records, items };
}

/** What a document names, read leniently: it was checked when it came, perhaps by another version of this package. */
async function named(store: Store, { manifest }: AddressRecord): Promise<Pick<Entry, 'model' | 'blobs'>> {
  const own = blobName(manifest);
  try {
    const json = JSON.parse(new TextDecoder().decode((await store.get(own))!));
    const { id, kind, version, files } = json;
    if (!Array.isArray(files)) return { model: null, blobs: [own] };
    const pieces = files.flatMap((file) => [file.integrity, ...(file.chunks ?? [])]);
    return { model: { id, kind, version }, blobs: [own, ...pieces.map(blobName)] };
  } catch {
    return { model: null, blobs: [own] };
  }
}

/** Removes what no address led to. */
async function dropUnnamed(store: Store): Promise<void> {
  const { records, items } = await contentOf(store);
  const wanted = new Set(records.flatMap(({ blobs }) => blobs));
  for (const name of items.keys()) {
    if (name.startsWith(blobPrefix) && !wanted.has(name)) await store.delete(name);
  }
}

function modelsOf({ records, items }: Content): CachedModel[] {
  const models = records.flatMap((record) => {
    const bytes = [...new Set(record.blobs)].reduce((sum, blob) => sum + (items.get(blob)?.bytes ?? 0), 0);
    return record.model ? [{ ...record.model, address: record.address, bytes, used: new Date(timeOf(record)) }] : [];
  });
  return models.sort((a, b) => b.used.getTime() - a.used.getTime());
}

/** A clock that went ahead once must not keep a model for ever. */
const timeOf = ({ used }: AddressRecord): number => Math.min(Date.now(), Date.parse(used) || 0);

const sizeOf = (items: readonly StoredItem[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0);
