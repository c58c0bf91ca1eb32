/**
 * The one door through which bytes of a model come in: read, measure, hash, and only then hand on. Two callers that want the same file at the same time
 * share one download. Keeps nothing afterwards; a cache by digest would stand in front of `readVerified`.
 */
import type { Bytes, ReadOptions } from '../contract/bytes.ts';
import { sha256Integrity } from '../contract/integrity.ts';
import { looksLike } from '../contract/looks-like.ts';
import type { Integrity } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';

type Download = {
  bytes: Promise<Uint8Array<ArrayBuffer>>;
  controller: AbortController;
  /** One per caller that still waits. */
  listeners: Set<(received: number) => void>;
  /** True once a caller has the bytes themselves; the others get copies, since any may transfer them away. */
  taken: boolean;
};

const running = new WeakMap<Bytes, Map<string, Download>>();

/**
 * The file at `url`, in memory that belongs to the caller. Stops reading as soon as the file is longer than it should be.
 * Throws `integrity` unless it has this size and digest, `not-found` or `network` if it cannot be read; rejects with the signal's reason.
 */
export async function readVerified(
  platform: Bytes,
  url: URL,
  expected: { bytes: number; integrity: Integrity },
  { signal, onBytes }: ReadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  const downloads = running.get(platform) ?? new Map<string, Download>();
  running.set(platform, downloads);
  const key = `${expected.integrity} ${expected.bytes} ${url}`;
  const download = downloads.get(key) ?? begin();

  function begin(): Download {
    const controller = new AbortController();
    const listeners: Download['listeners'] = new Set();
    const bytes = readAndVerify(platform, url, expected, controller.signal, (received) => {
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

/** A file of unknown size that has no business being larger than `limit` bytes. Throws `invalid-file` where it is. */
export async function readBounded(
  platform: Bytes,
  url: URL,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  const exceeded = (found: number): MettleError =>
    new MettleError(
      'invalid-file',
      `${url}: larger than ${limit} bytes (${found} or more), which no file of this kind is.`,
      { hint: 'Check that the address leads to the file that was meant.' },
    );
  return await platform.readFile(url, { signal, limit: { bytes: limit, exceeded } });
}

async function readAndVerify(
  platform: Bytes,
  url: URL,
  expected: { bytes: number; integrity: Integrity },
  signal: AbortSignal,
  onBytes: (received: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const exceeded = () => integrityError(url, expected, `more than ${expected.bytes} bytes`);
  const bytes = await platform.readFile(url, { signal, onBytes, limit: { bytes: expected.bytes, exceeded } });
  const digest = await digestInTurn(platform, bytes);
  if (bytes.byteLength === expected.bytes && digest === expected.integrity) return bytes;
  throw integrityError(url, expected, `${looksLike(bytes)} with ${digest}`);
}

let lastDigest: Promise<unknown> = Promise.resolve();

/** One digest at a time: WebCrypto copies what it is given, and files of a model arrive together. */
function digestInTurn(platform: Bytes, bytes: Uint8Array): Promise<Integrity> {
  const digest = lastDigest.then(() => platform.digest?.(bytes) ?? sha256Integrity(bytes));
  lastDigest = digest.catch(() => {});
  return digest;
}

function integrityError(
  url: URL,
  { bytes, integrity }: { bytes: number; integrity: Integrity },
  got: string,
): MettleError {
  return new MettleError('integrity', `${url}: expected ${bytes} bytes with ${integrity}, got ${got}.`, {
    hint: 'The file was damaged or replaced, or the address leads elsewhere: download or publish the model again.',
  });
}
