/** Whether an adapter was made for a backbone: the digest of everything about a backbone that an adapter depends on. */
import { MettleError } from '../errors.ts';
import { canonicalJson } from './canonical-json.ts';
import { sha256Integrity } from './integrity.ts';
import type { AdapterManifest, BackboneManifest, Integrity } from './manifest.ts';

/**
 * SHA-256 of the canonical JSON of `{ inputs, networks, taps }` of a backbone: what an adapter names as `base.contract`. The form of the weights is not in it: an
 * adapter serves them all.
 */
export function contractOf({
  inputs,
  networks,
  taps,
}: Pick<BackboneManifest, 'inputs' | 'networks' | 'taps'>): Promise<Integrity> {
  return sha256Integrity(new TextEncoder().encode(canonicalJson({ inputs, networks, taps })));
}

/**
 * Resolves if `adapter` can read the taps of `backbone`; nothing but the two manifests is needed.
 * Throws `incompatible` if it was made for another backbone, or for other inputs, weights or taps of this one.
 */
export async function checkFits(adapter: AdapterManifest, backbone: BackboneManifest): Promise<void> {
  const { id, base } = adapter;
  const contract = await contractOf(backbone);
  if (base.id !== backbone.id || base.contract !== contract) {
    const loaded =
      base.id === backbone.id
        ? `"${backbone.id}" ${backbone.version} with contract ${brief(contract)}`
        : `"${backbone.id}"`;
    throw new MettleError(
      'incompatible',
      `Adapter "${id}" was made for backbone "${base.id}" (contract ${brief(base.contract)}), but ${loaded} is loaded.`,
      { hint: `Load the backbone that it was made for, or pick an adapter made for "${backbone.id}".` },
    );
  }
  const names = [...backbone.taps.visual, ...backbone.taps.audio].map((tap) => tap.name);
  const absent = adapter.segment.reads.filter((name) => !names.includes(name));
  if (absent.length > 0) {
    throw new MettleError(
      'incompatible',
      `Adapter "${id}" reads ${absent.join(', ')}, but backbone "${backbone.id}" has the taps ${names.join(', ')}.`,
      { hint: 'Export the adapter again from the backbone that it was trained on.' },
    );
  }
}

/** Enough of a digest to tell two apart. */
function brief(integrity: Integrity): string {
  return `${integrity.slice(0, 15)}...`;
}
