/** How one call gets at bytes: the platform's door, the cache in front of it, and what the caller allows. Made once per call of the public API. */
import { bytesFor } from '#bytes';
import type { Bytes } from '../contract/bytes.ts';
import { sha256Integrity } from '../contract/integrity.ts';
import type { Integrity } from '../contract/manifest.ts';
import { either, flag, nested, positive, type Rules, text, texts } from '../contract/options.ts';
import type { PublisherKey } from '../contract/signature.ts';
import { defaultStallSeconds } from '../contract/worker.ts';
import type { Warning } from '../errors.ts';
import type { Hosts } from './addresses.ts';
import { parsePublisher } from './publishers.ts';
import { noCache, Shelf } from './shelf.ts';

/** How models are fetched and kept. */
export type HubOptions = {
  /** `false` keeps nothing. Node: a folder. Default: the browser's own store; in Node $METTLE_CACHE, else the folder for caches of the operating system. */
  cache?: false | string;
  /** Never touches the network: what is not on this device fails. Default `false`. */
  offline?: boolean;
  /** Asks again what addresses lead to that were read before. Files are known by their digest and never come twice. Default `false`. */
  refresh?: boolean;
  /** Addresses of the hosts that `hf:` and `npm:` names stand for. Without one such a name is refused. */
  hosts?: Hosts;
  /**
   * Public keys, `ed25519-...` or the text of a PEM file. With them a model is refused unless one of them signed its manifest, or its digest is pinned, or it ships with
   * the package. `LOCATION#ed25519-...` asks for one key for one model.
   */
  publishers?: readonly string[];
  /** Seconds without a byte after which a download is asked for again. Default 20. */
  stallSeconds?: number;
};

export const hubRules: Rules<HubOptions> = {
  cache: either(false, text),
  offline: flag,
  refresh: flag,
  hosts: nested<Hosts>({ hf: text, npm: text }),
  publishers: {
    expected: 'a list of public keys, at least one',
    fits: (value) => texts.fits(value) && (value as string[]).length > 0,
  },
  stallSeconds: positive('a number of seconds'),
};

export type AccessOptions = HubOptions & {
  /** Where files come from. Default: the platform that the code runs on. */
  platform?: Bytes;
  onWarning?: (warning: Warning) => void;
};

export type Access = {
  platform: Bytes;
  digest(bytes: Uint8Array): Promise<Integrity>;
  /** Null where nothing is kept. */
  shelf(): Promise<Shelf | null>;
  offline: boolean;
  refresh: boolean;
  hosts: Hosts;
  publishers: readonly PublisherKey[];
  stallSeconds: number;
};

/** Throws `invalid-argument` where a publisher's key is none. */
export function accessFor(options: AccessOptions): Access {
  const {
    platform = bytesFor(),
    cache,
    offline = false,
    refresh = false,
    hosts = {},
    publishers = [],
    stallSeconds = defaultStallSeconds,
  } = options;
  const digest = digestInTurn(platform);
  let shelf: Promise<Shelf | null> | undefined;
  return {
    platform,
    digest,
    shelf: () => {
      shelf ??= cache === false ? Promise.resolve(null) : openShelf(platform, cache, digest, options.onWarning);
      return shelf;
    },
    offline,
    refresh,
    hosts,
    publishers: publishers.map((key, index) => parsePublisher(key, `options.publishers[${index}]`)),
    stallSeconds,
  };
}

async function openShelf(
  platform: Bytes,
  place: string | undefined,
  digest: Access['digest'],
  warn: (warning: Warning) => void = () => {},
): Promise<Shelf | null> {
  try {
    const store = await platform.openStore?.(place);
    return store ? new Shelf(store, digest, warn) : null;
  } catch (error) {
    warn(noCache(place ?? 'this browser', error));
    return null;
  }
}

let lastDigest: Promise<unknown> = Promise.resolve();

/** One digest at a time: WebCrypto copies what it is given, and files of a model arrive together. */
const digestInTurn =
  (platform: Bytes) =>
  (bytes: Uint8Array): Promise<Integrity> => {
    const digest = lastDigest.then(() => platform.digest?.(bytes) ?? sha256Integrity(bytes));
    lastDigest = digest.catch(() => {});
    return digest;
  };
