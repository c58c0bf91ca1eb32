/**
 * Manifests and registries: small files whose size nobody knows beforehand. One with a known digest comes from the cache like any file. Of others the cache knows what
 * their address led to the last time, and that counts until the caller wants it refreshed; what the page's own server says is asked for again, because it changes with
 * every deployment, and kept for when there is no network.
 */
import { joinBytes } from '../arrays.ts';
import { limits } from '../contract/limits.ts';
import type { Integrity } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';
import type { Access } from './access.ts';
import { isHttp } from './download.ts';
import { offlineError } from './offline.ts';
import { ask, shown, surelyLonger } from './request.ts';
import { retrying } from './retry.ts';
import type { Shelf } from './shelf.ts';

type Document = Uint8Array<ArrayBuffer>;

/**
 * What `parse` makes of the document at `url`. It must have all digests in `pins`. Nothing that `parse` refuses is kept. Throws what `parse` throws, `integrity`,
 * `invalid-file` where the document is larger than any of its kind, `not-found`, `network`, or the signal's reason.
 */
export async function readDocument<T>(
  access: Access,
  url: URL,
  {
    pins,
    parse,
    signal,
  }: { pins: readonly Integrity[]; parse: (bytes: Document) => T | Promise<T>; signal?: AbortSignal },
): Promise<T> {
  signal?.throwIfAborted();
  const { platform, offline } = access;
  if (!isHttp(platform, url)) {
    const bytes = await platform.readFile(url, { signal, limit: limitOf(url) });
    await checkPins(access, bytes, pins, url);
    return await parse(bytes);
  }
  const shelf = await access.shelf();
  const known = await kept(shelf, url, pins);
  const useKnown = async (): Promise<T> => {
    await checkPins(access, known!.bytes, pins, url);
    const document = await parse(known!.bytes);
    await shelf!.note(url, known!.digest);
    return document;
  };
  if (known && (offline || pins.length > 0)) return await useKnown();
  if (offline) throw offlineError(url);
  if (known && !mustAsk(access, url)) {
    // What this version cannot read may have been published anew since.
    const document = await useKnown().catch(() => undefined);
    if (document !== undefined) return document;
  }
  let bytes: Document;
  try {
    bytes = await fetchDocument(access, url, known !== null, signal);
  } catch (error) {
    if (known && error instanceof MettleError && error.code === 'network') return await useKnown();
    throw error;
  }
  const digest = await checkPins(access, bytes, pins, url);
  const document = await parse(bytes);
  await shelf?.put(digest, bytes);
  await shelf?.note(url, digest);
  return document;
}

const mustAsk = ({ refresh, platform }: Access, url: URL): boolean => refresh || platform.http!.isOwn(url);

async function kept(
  shelf: Shelf | null,
  url: URL,
  pins: readonly Integrity[],
): Promise<{ bytes: Document; digest: Integrity } | null> {
  const digest = pins[0] ?? (await shelf?.recall(url))?.manifest;
  const bytes = digest && (await shelf?.get(digest));
  return bytes ? { bytes, digest } : null;
}

/** Where there is another way, `once` does not wait long for the network. */
async function fetchDocument(
  { platform, ...access }: Access,
  url: URL,
  once: boolean,
  signal?: AbortSignal,
): Promise<Document> {
  const stallSeconds = once ? Math.min(5, access.stallSeconds) : access.stallSeconds;
  const limit = limitOf(url);
  const attempt = async (): Promise<Document> => {
    const answer = await ask(platform.http!, url, { signal, stallSeconds, cache: 'no-cache' });
    if (surelyLonger(answer, limit.bytes)) {
      answer.end();
      throw limit.exceeded(answer.stated!);
    }
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of answer.parts()) {
      length += part.byteLength;
      if (length > limit.bytes) throw limit.exceeded(length);
      parts.push(part);
    }
    return joinBytes(parts);
  };
  return once ? await attempt() : await retrying(attempt, () => 0, signal);
}

function limitOf(url: URL) {
  const bytes = limits.manifestBytes;
  return {
    bytes,
    exceeded: (found: number) =>
      new MettleError(
        'invalid-file',
        `${shown(url)}: larger than ${bytes} bytes (${found} or more), which no file of this kind is.`,
        { hint: 'Check that the address leads to the file that was meant.' },
      ),
  };
}

async function checkPins(
  { digest }: Access,
  bytes: Document,
  pins: readonly Integrity[],
  url: URL,
): Promise<Integrity> {
  const found = await digest(bytes);
  const other = pins.find((pin) => pin !== found);
  if (other === undefined) return found;
  throw new MettleError('integrity', `${shown(url)}: expected a manifest with ${other}, got ${found}.`, {
    hint: 'The manifest was damaged or replaced: get the model again, or update the digest that you pinned.',
  });
}
