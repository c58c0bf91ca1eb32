/** SHA-256 of bytes in memory, piece by piece: WebCrypto would copy them first. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Integrity } from '../contract/manifest.ts';

/** Between two pieces of this size, some milliseconds each, other work has its turn. */
const pieceBytes = 4 << 20;

export async function sha256Pieces(bytes: Uint8Array): Promise<Integrity> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    hash.update(bytes.subarray(at, at + pieceBytes));
    await setImmediate();
  }
  return `sha256-${hash.digest('base64')}`;
}
