/** Checks every byte of a model where it lies: its manifest, and each file that the manifest lists, documents included. Keeps nothing and runs nothing. */
import { bytesFor } from '#bytes';
import type { Bytes } from '../contract/bytes.ts';
import type { Integrity, Manifest } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';
import { readVerified } from './download.ts';
import { openManifest } from './hub.ts';

export type VerifyOptions = {
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
  /** Who vouches for the manifest itself: a pin, the registry that came with the package, or nobody. */
  vouched: 'pin' | 'registry' | null;
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
  const { signal, platform = bytesFor(), onProgress } = options;
  const { manifest, url, integrity, vouched } = await openManifest(location, null, { signal, platform });
  const failures: Verification['failures'] = [];
  const total = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  let [done, good] = [0, 0];
  for (const file of manifest.files) {
    try {
      const onBytes = (received: number) => onProgress?.({ path: file.path, done: done + received, total });
      await readVerified(platform, new URL(file.path, url), file, { signal, onBytes });
      good += file.bytes;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MettleError)) throw error;
      failures.push({ path: file.path, error });
    }
    done += file.bytes;
  }
  return { manifest, url, integrity, vouched, bytes: good, failures };
}
