/**
 * The cache: bytes by their digest, whoever they came from, so that a backbone that ten adapters share lies there once; and which manifest an address led to. Everything
 * is hashed before it is put there and again when it is taken out. A cache that fails is given up with one warning, and the work goes on without it.
 */

import type { Integrity } from '../contract/manifest.ts';
import { parseJson } from '../contract/parse-json.ts';
import type { Store } from '../contract/store.ts';
import type { Warning } from '../errors.ts';

export type Digest = (bytes: Uint8Array) => Promise<Integrity>;
/** `address` is without what follows its question mark, which may be secret; `used` is a time of this machine's clock. */
export type AddressRecord = { address: string; manifest: Integrity; used: string };

/** How old a record's time may be before a use writes it again. */
const usedAgainMs = 3_600_000;

export class Shelf {
  readonly store: Store;
  readonly #digest: Digest;
  readonly #warn: (warning: Warning) => void;
  #given = false;

  constructor(store: Store, digest: Digest, warn: (warning: Warning) => void) {
    this.store = store;
    this.#digest = digest;
    this.#warn = warn;
  }

  /** Bytes with this digest, or null. What lies there damaged is removed. */
  async get(integrity: Integrity): Promise<Uint8Array<ArrayBuffer> | null> {
    const name = blobName(integrity);
    const bytes = await this.#trying(() => this.store.get(name), null);
    if (!bytes || (await this.#digest(bytes)) === integrity) return bytes;
    await this.#trying(() => this.store.delete(name), undefined);
    return null;
  }

  /** `bytes` must have been found to have this digest. */
  async put(integrity: Integrity, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (!this.#given) await this.#trying(() => this.store.put(blobName(integrity), bytes), undefined);
  }

  async drop(integrity: Integrity): Promise<void> {
    await this.#trying(() => this.store.delete(blobName(integrity)), undefined);
  }

  /** What `url` led to the last time; null where it was never read. */
  async recall(url: URL): Promise<AddressRecord | null> {
    const name = await this.#recordName(url);
    return await this.#trying(async () => readRecord(await this.store.get(name)), null);
  }

  /** Notes what `url` leads to, and that it was used. */
  async note(url: URL, manifest: Integrity): Promise<void> {
    if (this.#given) return;
    const known = await this.recall(url);
    const age = known ? Math.abs(Date.now() - Date.parse(known.used)) : Infinity;
    if (known?.manifest === manifest && age < usedAgainMs) return;
    const record: AddressRecord = {
      address: url.origin + url.pathname,
      manifest,
      used: new Date().toISOString(),
    };
    const name = await this.#recordName(url);
    await this.#trying(() => this.store.put(name, new TextEncoder().encode(JSON.stringify(record))), undefined);
  }

  async #recordName(url: URL): Promise<string> {
    return `${recordPrefix}${hexOf(await this.#digest(new TextEncoder().encode(url.href.replace(/#.*/, ''))))}`;
  }

  async #trying<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!this.#given) this.#warn(noCache(this.store.place, error));
      this.#given = true;
      return otherwise;
    }
  }
}

export const recordPrefix = 'at-';
export const blobPrefix = 'sha256-';

/** What a blob is called in a store: file systems and addresses do not like base64. */
export const blobName = (integrity: Integrity): string => blobPrefix + hexOf(integrity);

/** The digest that a blob of this name must have. */
export function integrityOf(name: string): Integrity {
  const pairs = name.slice(blobPrefix.length).match(/../g) ?? [];
  return `sha256-${btoa(String.fromCharCode(...pairs.map((pair) => Number.parseInt(pair, 16))))}`;
}

/** Null for what is no record. */
export function readRecord(bytes: Uint8Array | null): AddressRecord | null {
  if (!bytes) return null;
  try {
    const record = parseJson(bytes, 'record') as AddressRecord;
    const isRecord = [record?.address, record?.manifest, record?.used].every((value) => typeof value === 'string');
    return isRecord ? record : null;
  } catch {
    return null;
  }
}

export function noCache(place: string, cause: unknown): Warning {
  const { name, message } = cause as Error;
  return {
    code: 'no-cache',
    message: `Nothing more is kept for the next time in ${place}: ${name === 'Error' ? '' : `${name}: `}${message}`,
  };
}

function hexOf(integrity: Integrity): string {
  return Array.from(atob(integrity.slice(7)), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
