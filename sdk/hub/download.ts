/**
 * The one door through which files of a model come in: read, measured, hashed, and only then handed on. Two callers that want the same file at the same time share one
 * download. Files on the disk are read where they are; what comes over the network is kept in the cache.
 */
import type { Bytes, ReadOptions } from '../contract/bytes.ts';
import { looksLike } from '../contract/looks-like.ts';
import type { Access } from './access.ts';
import { transfer, unfit, type Wanted } from './transfer.ts';

type Download = {
  bytes: Promise<Uint8Array<ArrayBuffer>>;
  controller: AbortController;
  /** One per caller that still waits. */
  listeners: Set<(received: number) => void>;
  /** True once a caller has the bytes themselves; the others get copies, since any may transfer them away. */
  taken: boolean;
};

/** Addresses of the network mean the same whoever asks; others are of one platform. */
const fromNetwork = new Map<string, Download>();
const fromPlatform = new WeakMap<Bytes, Map<string, Download>>();

/**
 * The file at `url`, in memory that belongs to the caller. Stops reading as soon as the file is longer than it should be, or a piece of it another.
 * Throws `integrity` unless it has this size and digest, `not-found` or `network` if it cannot be read; rejects with the signal's reason.
 */
export async function readVerified(
  access: Access,
  url: URL,
  wanted: Wanted,
  { signal, onBytes }: Omit<ReadOptions, 'limit'> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  const downloads = downloadsOf(access, url);
  const key = `${wanted.integrity} ${wanted.bytes} ${access.offline} ${url}`;
  const download = downloads.get(key) ?? begin();

  function begin(): Download {
    const controller = new AbortController();
    const listeners: Download['listeners'] = new Set();
    const bytes = readAndVerify(access, url, wanted, controller.signal, (received) => {
      for (const listener of listeners) listener(received);
    });
    const begun = { bytes, controller, listeners, taken: false };
    const end = () => {
      if (downloads.get(key) === begun) downloads.delete(key);
    };
    bytes.then(end, end);
    downloads.set(key, begun);
    return begun;
  }

  return await new Promise((resolve, reject) => {
    const leave = () => {
      signal?.removeEventListener('abort', abort);
      download.listeners.delete(listen);
    };
    const giveUp = (reason: unknown) => {
      leave();
      reject(reason);
      if (download.listeners.size > 0) return;
      // Nobody waits any more: the next caller begins anew.
      if (downloads.get(key) === download) downloads.delete(key);
      download.controller.abort(reason);
    };
    const abort = () => giveUp(signal!.reason);
    const listen = (received: number) => {
      try {
        onBytes?.(received);
      } catch (error) {
        giveUp(error);
      }
    };
    signal?.addEventListener('abort', abort, { once: true });
    download.listeners.add(listen);
    download.bytes.then(
      (bytes) => {
        leave();
        const own = download.taken ? bytes.slice() : bytes;
        download.taken = true;
        resolve(own);
      },
      (error: unknown) => {
        leave();
        reject(error);
      },
    );
  });
}

/** Whether `url` is read over the network, by the hub itself. */
export const isHttp = ({ http }: Bytes, { protocol }: URL): boolean =>
  http !== undefined && (protocol === 'http:' || protocol === 'https:');

function downloadsOf({ platform }: Access, url: URL): Map<string, Download> {
  if (isHttp(platform, url)) return fromNetwork;
  const downloads = fromPlatform.get(platform) ?? new Map<string, Download>();
  fromPlatform.set(platform, downloads);
  return downloads;
}

async function readAndVerify(
  access: Access,
  url: URL,
  wanted: Wanted,
  signal: AbortSignal,
  onBytes: (received: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const { platform, digest, stallSeconds } = access;
  if (isHttp(platform, url)) {
    const shelf = await access.shelf();
    const http = access.offline ? null : platform.http!;
    const options = { digest, shelf, stallSeconds, signal, onBytes };
    return await transfer(http, url, wanted, options);
  }
  const exceeded = () => unfit(url, wanted, `more than ${wanted.bytes} bytes`);
  const bytes = await platform.readFile(url, { signal, onBytes, limit: { bytes: wanted.bytes, exceeded } });
  const found = await digest(bytes);
  if (bytes.byteLength === wanted.bytes && found === wanted.integrity) return bytes;
  throw unfit(url, wanted, `${looksLike(bytes)} with ${found}`);
}
