/**
 * Whether a document is signed by someone whom the caller trusts. A library checks it, everywhere alike: WebCrypto of Chrome knows Ed25519 only since 137, and platforms
 * differ in which odd keys and signatures they let pass.
 */
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

/** Whether `signature` is of this content. False too for a key or a signature that is no point of the curve. */
export async function isSignedBy(content: unknown, { key, signature }: Signature): Promise<boolean> {
  const { verifyAsync } = await import('@noble/ed25519');
  // As RFC 8032 and OpenSSL have it, not the laxer rule of ZIP 215 that is the library's default.
  return await verifyAsync(bytesOf(signature), signedBytes(content), bytesOf(key.slice(8)), { zip215: false });
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

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
