/**
 * The first of the two doors to the platform: bytes. `#bytes` (package.json, "imports") resolves to `sdk/page/bytes.ts` or `sdk/node/bytes.ts`. Models come through
 * {@link Bytes}, media through {@link Sources}.
 */
import type { Source } from 'mediabunny';
import type { ByteLimit } from './limits.ts';
import type { Integrity } from './manifest.ts';

export type ReadOptions = { signal?: AbortSignal; onBytes?: (received: number) => void; limit?: ByteLimit };

/** What the hub needs of a platform. */
export interface Bytes {
  /** Folder of the models that ship with the package, as a URL that ends with `/`. */
  readonly modelsUrl: string;
  /** Whole file at a `file:` or `http(s):` URL, held once and no more of it than `limit` allows. Throws `not-found`, `network`, or the error of `limit`. */
  readFile(url: URL, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** SHA-256 without a copy of the bytes. Default: WebCrypto, which makes one. */
  digest?(bytes: Uint8Array): Promise<Integrity>;
  /** Turns what a caller wrote (path, URL) into an absolute URL. */
  resolveUrl(location: string): URL;
}

/** What media needs of it. */
export interface Sources {
  /** Makes codecs ready that the platform does not bring along (Node). Throws `missing-package` where there is none. */
  prepareDecoders(): Promise<void>;
  /** A source over a path or URL that the caller named. Throws `not-found`. */
  openSource(location: string | URL): Promise<Source>;
}
