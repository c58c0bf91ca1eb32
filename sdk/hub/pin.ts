/**
 * A pinned address of a model: `LOCATION#sha256-...`, where the fragment is the digest of manifest.json in the notation of Subresource Integrity. Every file of the
 * model has its digest in the manifest, so a pin fixes them all. The same wherever a model is named: in options, on the command line, in configurations.
 */
import { integrityPattern } from '../contract/integrity.ts';
import type { Integrity } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';

/** Throws `invalid-argument` for a fragment that begins like a digest and is none, so that a mistyped pin does not pass as none. */
export function splitPin(location: string): { location: string; integrity?: Integrity } {
  const at = location.lastIndexOf('#');
  const pin = location.slice(at + 1);
  if (at < 0 || !/^sha\d+-/i.test(pin)) return { location };
  if (integrityPattern.test(pin)) return { location: location.slice(0, at), integrity: pin as Integrity };
  throw new MettleError(
    'invalid-argument',
    `"${pin.slice(0, 80)}" pins no manifest: expected #sha256- and 44 letters of base64.`,
    {
      hint: '"mettle verify" prints the pin of a model.',
    },
  );
}

export const pinned = (location: string, integrity: Integrity): string => `${splitPin(location).location}#${integrity}`;
