/**
 * A pinned address of a model: `LOCATION#sha256-...`, where the fragment is the digest of manifest.json in the notation of Subresource Integrity, or
 * `LOCATION#ed25519-...`, the public key that must have signed it. Every file of the model has its digest in the manifest, so either vouches for them all. The same
 * wherever a model is named: in options, on the command line, in configurations.
 */
import { integrityPattern } from '../contract/integrity.ts';
import type { Integrity } from '../contract/manifest.ts';
import { keyPattern, type PublisherKey } from '../contract/signature.ts';
import { MettleError } from '../errors.ts';

export type Pinned = { location: string; integrity?: Integrity; publisher?: PublisherKey };

/** Throws `invalid-argument` for a fragment that begins like a digest or a key and is none, so that a mistyped pin does not pass as none. */
export function splitPin(named: string): Pinned {
  const at = named.lastIndexOf('#');
  const pin = named.slice(at + 1);
  if (at < 0 || !/^(?:sha\d+|ed25519)-/i.test(pin)) return { location: named };
  const location = named.slice(0, at);
  if (integrityPattern.test(pin)) return { location, integrity: pin as Integrity };
  if (keyPattern.test(pin)) return { location, publisher: pin as PublisherKey };
  throw new MettleError(
    'invalid-argument',
    `"${pin.slice(0, 80)}" pins no manifest: expected #sha256- or #ed25519- and 44 letters of base64.`,
    { hint: '"mettle verify" prints the pin of a model, and who signed it.' },
  );
}

export const pinned = (location: string, integrity: Integrity): string => `${splitPin(location).location}#${integrity}`;
