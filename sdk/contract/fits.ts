/** Whether an adapter was made for a backbone: the digest of everything about a backbone that an adapter depends on. */
import { MettleError } from '../errors.ts';
import { canonicalJson, sortKeys } from './canonical-json.ts';
import { sha256Integrity } from './integrity.ts';
import type { AdapterManifest, BackboneManifest, Integrity, Likeness } from './manifest.ts';
import { tapsReadBy } from './taps.ts';

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

/** `same`: the backbone that an adapter was made for. `alike`: it takes and gives the same, and whether its numbers agree is to be found out by running it. */
export type Fit = 'same' | 'alike';

/**
 * Whether `adapter` can read the taps of `backbone`; nothing but the two manifests is needed.
 * Throws `incompatible` if it was made for another backbone, or for other inputs, weights or taps of this one and does not say what a backbone must be like.
 */
export async function checkFits(adapter: AdapterManifest, backbone: BackboneManifest): Promise<Fit> {
  const { id, base } = adapter;
  const contract = await contractOf(backbone);
  const fit = base.contract === contract ? 'same' : looksAlike(base.likeness, backbone) ? 'alike' : null;
  if (base.id !== backbone.id || fit === null) {
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
  const absent = tapsReadBy(adapter).filter((name) => !names.includes(name));
  if (absent.length > 0) {
    throw new MettleError(
      'incompatible',
      `Adapter "${id}" reads ${absent.join(', ')}, but backbone "${backbone.id}" has the taps ${names.join(', ')}.`,
      { hint: 'Export the adapter again from the backbone that it was trained on.' },
    );
  }
  return fit;
}

/** Whether a backbone is fed the same and has the same taps, as far as the adapter has to do with them. What a graph calls its input is its own business. */
function looksAlike(likeness: Likeness | undefined, { inputs, taps }: BackboneManifest): boolean {
  if (!likeness) return false;
  return (['visual', 'audio'] as const).every((sense) => {
    const read = likeness.taps[sense];
    if (read.length === 0) return true;
    const there = new Map(taps[sense].map((tap) => [tap.name, canonicalJson(tap)]));
    return (
      read.every((tap) => there.get(tap.name) === canonicalJson(tap)) &&
      isFedAlike(likeness.inputs[sense], inputs[sense])
    );
  });
}

/** The same fields with the same values; numbers may have been written with fewer digits. */
function isFedAlike(one: object | null, other: object | null): boolean {
  if (!one || !other) return false;
  const rounded = (key: string, value: unknown): unknown =>
    key === 'input' ? undefined : typeof value === 'number' ? Number(value.toPrecision(5)) : sortKeys(key, value);
  return JSON.stringify(one, rounded) === JSON.stringify(other, rounded);
}

/** Enough of a digest to tell two apart. */
function brief(integrity: Integrity): string {
  return `${integrity.slice(0, 15)}...`;
}
