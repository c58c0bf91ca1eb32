/** The identity of a network: a digest of its numbers by name, the same whatever form a package keeps them in. */
import { canonicalJson } from '../contract/canonical-json.ts';
import { sha256Integrity } from '../contract/integrity.ts';
import type { Integrity } from '../contract/manifest.ts';

export class NetworkDigest {
  readonly #tensors = new Map<string, Integrity>();

  /** In any order; a name that is there already is not looked at again. */
  async add(name: string, numbers: Float32Array | Uint8Array): Promise<void> {
    if (this.#tensors.has(name)) return;
    const { buffer, byteOffset, byteLength } = numbers;
    this.#tensors.set(name, await sha256Integrity(new Uint8Array(buffer, byteOffset, byteLength)));
  }

  /** Of all that was added. */
  finish(): Promise<Integrity> {
    return sha256Integrity(new TextEncoder().encode(canonicalJson(Object.fromEntries(this.#tensors))));
  }
}
