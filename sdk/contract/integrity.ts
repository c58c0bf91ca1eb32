/** SHA-256 digests in the notation of Subresource Integrity, by the platform's own WebCrypto. */
import { MettleError } from '../errors.ts';
import type { Integrity } from './manifest.ts';

/** `sha256-` and the 32 bytes of the digest in base64. */
export const integrityPattern = /^sha256-[A-Za-z0-9+/]{43}=$/;

/** The digest of `bytes`, which must not be shared memory. Throws `incompatible` on a page without a secure context, where browsers hide WebCrypto. */
export async function sha256Integrity(bytes: Uint8Array): Promise<Integrity> {
  if (!crypto.subtle) {
    throw new MettleError('incompatible', 'Downloads cannot be checked: this page has no WebCrypto (crypto.subtle).', {
      hint: 'Serve the page over https or from localhost.',
    });
  }
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

/** The same digest from 64 hexadecimal digits, as most publishers write it. */
export function hexIntegrity(hex: string): Integrity {
  const bytes = (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}
