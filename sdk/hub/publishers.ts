/** Whether a document is signed by someone whom the caller trusts: Ed25519 (RFC 8032), by the platform's own cryptography. */
import { type PublisherKey, readPublisherKey, type Signature, signedBytes } from '../contract/signature.ts';
import { MettleError } from '../errors.ts';

/** Throws `invalid-argument` for a text that is no public key. */
export function parsePublisher(text: string, what: string): PublisherKey {
  const key = readPublisherKey(text);
  if (key) return key;
  throw new MettleError(
    'invalid-argument',
    `${what} is no public key: expected ed25519- and 44 letters of base64, or the text of a PEM file.`,
    { hint: '"mettle keygen" writes a pair of keys, and prints the public one.' },
  );
}

/** Keys of small order, with the sign left out: some signature fits whatever they are said to have signed, and not every platform refuses them. */
const smallOrder = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
];

function isSmallOrder(key: Uint8Array): boolean {
  const digits = Array.from(key, (byte, at) => (at === 31 ? byte & 127 : byte).toString(16).padStart(2, '0'));
  return smallOrder.includes(digits.join(''));
}

/** Whether `signature` is of this content. False too for a key that is no point of the curve. Throws `incompatible` where the platform does not know Ed25519. */
export async function isSignedBy(content: unknown, { key, signature }: Signature): Promise<boolean> {
  const { subtle } = crypto;
  const point = bytesOf(key.slice(8));
  if (isSmallOrder(point)) return false;
  let opened: CryptoKey;
  try {
    opened = await subtle.importKey('raw', point, 'Ed25519', false, ['verify']);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'DataError') return false;
    throw new MettleError('incompatible', 'This platform cannot check Ed25519 signatures.', {
      hint: 'Chrome can from version 137 on, Firefox from 129, Safari from 17, all on https; pin the digest of the manifest instead.',
      cause,
    });
  }
  return await subtle.verify('Ed25519', opened, bytesOf(signature), signedBytes(content));
}

/**
 * Resolves with the first of `keys` that signed `content`. Throws `integrity` that says which key was expected and which signed, where none did or where the content
 * is not what was signed.
 */
export async function checkSigned(
  { content, signatures = [] }: { content: unknown; signatures?: readonly Signature[] },
  keys: readonly PublisherKey[],
  where: string,
): Promise<PublisherKey> {
  const wanted = keys.join(' or ');
  const own = signatures.filter(({ key }) => keys.includes(key));
  for (const signature of own) if (await isSignedBy(content, signature)) return signature.key;
  if (own.length > 0) throw otherContent(own[0]!, where);
  const found = signatures.length === 0 ? 'it is not signed' : `it is signed by ${keysOf(signatures)}`;
  throw new MettleError('integrity', `${where}: expected a signature of ${wanted}, but ${found}.`, {
    hint: 'Take the model from its publisher, pin the digest of its manifest instead, or trust that key if you know whose it is.',
  });
}

export function otherContent({ key }: Signature, where: string): MettleError {
  return new MettleError('integrity', `${where}: the signature of ${key} is of other content.`, {
    hint: 'The document was changed after it was signed: get it again, or have its publisher sign it again.',
  });
}

const keysOf = (signatures: readonly Signature[]): string => signatures.map(({ key }) => key).join(', ');

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
