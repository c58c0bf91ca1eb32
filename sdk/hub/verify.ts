/** Checks every byte of a model where it lies: its manifest, and each file that the manifest lists, documents included. Keeps nothing and runs nothing. */
import type { Bytes } from '../contract/bytes.ts';
import type { Integrity, Manifest } from '../contract/manifest.ts';
import type { PublisherKey } from '../contract/signature.ts';
import { MettleError } from '../errors.ts';
import { accessFor, type HubOptions } from './access.ts';
import { besides } from './addresses.ts';
import { readVerified } from './download.ts';
import { type OpenedManifest, openManifest } from './hub.ts';
import { isSignedBy, otherContent } from './publishers.ts';
import { shown } from './request.ts';

export type VerifyOptions = Pick<HubOptions, 'hosts' | 'publishers'> & {
  signal?: AbortSignal;
  platform?: Bytes;
  onProgress?: (progress: { path: string; done: number; total: number }) => void;
};

export type Verification = {
  manifest: Manifest;
  /** Address of the manifest. */
  url: URL;
  /** Digest of manifest.json: what a pin holds. */
  integrity: Integrity;
  /** Who vouches for the manifest itself: a pinned digest, a pinned key, the registry that came with the package, or nobody. */
  vouched: OpenedManifest['vouched'];
  /** Keys that signed the manifest as it is, whoever they belong to. */
  signers: PublisherKey[];
  /** Bytes of all files that are as the manifest says. */
  bytes: number;
  /** What is not. */
  failures: { path: string; error: MettleError }[];
};

/**
 * Reads the model at `location`, which is named as for `createMettle`, whatever its kind. A file that is damaged or missing is a failure among others; throws as `openModel` does
 * where the manifest itself cannot be had, or the signal's reason.
 */
export async function verifyModel(location: string, options: VerifyOptions = {}): Promise<Verification> {
  const { signal, platform, hosts, publishers, onProgress } = options;
  // What the cache holds was checked when it came: the files themselves are asked about.
  const access = accessFor({ platform, hosts, publishers, cache: false });
  const { manifest, url, integrity, vouched } = await openManifest(location, null, access, { signal });
  const failures: Verification['failures'] = [];
  const { signatures = [], ...content } = manifest;
  const signers: PublisherKey[] = [];
  for (const signature of signatures) {
    if (await isSignedBy(content, signature)) signers.push(signature.key);
    else failures.push({ path: 'manifest.json', error: otherContent(signature, shown(url)) });
  }
  const total = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  let [done, good] = [0, 0];
  for (const file of manifest.files) {
    try {
      const onBytes = (received: number) => onProgress?.({ path: file.path, done: done + received, total });
      await readVerified(access, besides(url, file.path), file, { signal, onBytes });
      good += file.bytes;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MettleError)) throw error;
      failures.push({ path: file.path, error });
    }
    done += file.bytes;
  }
  return { manifest, url, integrity, vouched, signers, bytes: good, failures };
}
