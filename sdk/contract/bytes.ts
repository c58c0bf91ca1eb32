/**
 * The first of the two doors to the platform: bytes. `#bytes` (package.json, "imports") resolves to `sdk/page/bytes.ts` or `sdk/node/bytes.ts`. Models come through
 * {@link Bytes}, media through {@link Sources}.
 */
import type { Source } from 'mediabunny';
import { MettleError } from '../errors.ts';
import type { ByteLimit } from './limits.ts';
import type { Integrity } from './manifest.ts';
import type { Store } from './store.ts';

export type ReadOptions = { signal?: AbortSignal; onBytes?: (received: number) => void; limit?: ByteLimit };

/** What the hub needs of a platform. */
export interface Bytes {
  /** Folder of the models that ship with the package, as a URL that ends with `/`. */
  readonly modelsUrl: string;
  /** Whole file at a URL that is not `http(s):`, held once and no more of it than `limit` allows. Throws `not-found`, or the error of `limit`. */
  readFile(url: URL, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** What `http(s):` URLs are read with. Without it they go through `readFile` too. */
  readonly http?: Http;
  /** Where bytes are kept between runs: `place` (Node: a folder), or where the platform has its own. Without it nothing is kept. */
  openStore?(place?: string): Promise<Store>;
  /** SHA-256 without a copy of the bytes. Default: WebCrypto, which makes one. */
  digest?(bytes: Uint8Array): Promise<Integrity>;
  /** Turns what a caller wrote (path, URL) into an absolute URL. */
  resolveUrl(location: string): URL;
}

/** One request at a time, as a platform makes it; the hub says when and how often. */
export interface Http {
  /** `fetch`. Redirects are followed, but not to another protocol: that throws `network`. */
  fetch(url: URL, init: RequestInit): Promise<Response>;
  /**
   * Why the platform's own `fetch` gave up, as far as that can be known, and what to do about it. `answered` where the server was heard before; `final` where asking again
   * is of no use.
   */
  explain(url: URL, cause: unknown, answered: boolean): Promise<{ what: string; hint: string; final?: boolean }>;
  /** Whether the header `If-Range` may be sent: across origins it would cost a page a question that many hosts refuse. */
  mayCompare(url: URL): boolean;
  /** Whether the URL is of the page's own server, whose documents change with every deployment. */
  isOwn(url: URL): boolean;
}

/** What media needs of it. */
export interface Sources {
  /** Makes codecs ready that the platform does not bring along (Node). Throws `missing-package` where there is none. */
  prepareDecoders(): Promise<void>;
  /** A source over a path or URL that the caller named. Throws `not-found`, or {@link emptySource}. */
  openSource(location: string | URL): Promise<Source>;
}

/** The error for a file or Blob of 0 bytes. */
export function emptySource(): MettleError {
  return new MettleError('not-media', 'The source holds 0 bytes; expected a media file.', {
    hint: 'Check that the file was read or uploaded completely.',
  });
}
