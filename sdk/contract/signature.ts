/**
 * Signatures of manifests and registries: a field `signatures` in the document itself, so that they come, are cached and are replaced with it. Each is Ed25519 over
 * {@link signedBytes}, the canonical JSON of everything else that the document holds; a manifest holds the digests of all files. What checks them is `hub/publishers.ts`.
 */
import { canonicalJson } from './canonical-json.ts';
import { type Check, list, matching, object, type Place } from './strict-json.ts';

/** `ed25519-` and the 32 bytes of a public key in base64. */
export type PublisherKey = `ed25519-${string}`;

/** Who vouches for a document. */
export type Signature = {
  /** The public key that checks it. */
  key: PublisherKey;
  /** Its 64 bytes in base64. */
  signature: string;
};

export const keyPattern = /^ed25519-[A-Za-z0-9+/]{43}=$/;

/** What may stand in the field. */
export const signatureList: Check<Signature[]> = list(
  object<Signature>({
    key: matching<PublisherKey>(keyPattern, 'ed25519- and a public key in base64'),
    signature: matching(/^[A-Za-z0-9+/]{86}==$/, 'the 64 bytes of a signature in base64'),
  }),
  { min: 1, key: ({ key }) => key },
);

/** A parsed document without its signatures, and these by themselves; undefined where it has none. Throws `invalid-file` where they are none. */
export function splitSignatures(json: unknown, at: Place): { content: unknown; signatures?: Signature[] } {
  const signed = typeof json === 'object' && json !== null && !Array.isArray(json) && Object.hasOwn(json, 'signatures');
  if (!signed) return { content: json };
  const { signatures, ...content } = json as { signatures: unknown };
  return { content, signatures: signatureList(signatures, at.field('signatures')) };
}

/** What is signed of a document: its content without `signatures`, in the form of RFC 8785, as UTF-8. */
export const signedBytes = (content: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(canonicalJson(content));

/** Everything of an Ed25519 key's SubjectPublicKeyInfo (RFC 8410) that comes before its 32 bytes. */
const spkiHead = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/** A public key as people hand it on: `ed25519-...`, or the text of a PEM file. Null for anything else. */
export function readPublisherKey(text: string): PublisherKey | null {
  const trimmed = text.trim();
  if (keyPattern.test(trimmed)) return trimmed as PublisherKey;
  const [, body] =
    /^-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]{1,200}?)\s*-----END PUBLIC KEY-----$/.exec(trimmed) ?? [];
  if (body === undefined) return null;
  try {
    const spki = Array.from(atob(body.replace(/\s/g, '')), (byte) => byte.charCodeAt(0));
    if (spki.length !== spkiHead.length + 32 || spkiHead.some((byte, index) => spki[index] !== byte)) return null;
    return `ed25519-${btoa(String.fromCharCode(...spki.slice(spkiHead.length)))}`;
  } catch {
    return null;
  }
}
