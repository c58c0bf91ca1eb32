/** Keys of a publisher as files: PEM, PKCS #8 for the private one and SubjectPublicKeyInfo for the public one, so that OpenSSL and every other tool reads them too. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { limits } from '../../contract/limits.ts';
import { type PublisherKey, readPublisherKey } from '../../contract/signature.ts';
import { MettleError } from '../../errors.ts';
import { readSmall } from '../disk.ts';

/** A new pair: the private key in `path`, for its owner's eyes alone, the public one in `path`.pub. Throws `write` where either is there already. */
export async function writeKeys(path: string): Promise<PublisherKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const files = [
    { path, text: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), mode: 0o600 },
    { path: `${path}.pub`, text: String(publicKey.export({ type: 'spki', format: 'pem' })), mode: 0o644 },
  ];
  const begun: string[] = [];
  try {
    for (const { path, text, mode } of files) {
      begun.push(path);
      // `wx`: a key that is lost is lost for ever.
      await writeFile(path, text, { flag: 'wx', mode });
    }
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    if (taken) begun.pop();
    for (const path of begun) await rm(path, { force: true });
    throw new MettleError('write', `${(cause as Error).message}.`, {
      hint: taken
        ? 'Keys are never written over: name another file.'
        : 'Check that the folder is there and yours to write.',
      cause,
    });
  }
  return publicOf(privateKey);
}

/** The private key in a PEM file, and whether others may read it. Throws `not-found`, or `invalid-file` for anything but an Ed25519 key without a passphrase. */
export async function readPrivateKey(
  path: string,
): Promise<{ key: KeyObject; publisher: PublisherKey; open: boolean }> {
  const text = new TextDecoder().decode(await readSmall(path, 'a key', limits.noteBytes));
  const key = parsePrivate(text, path);
  const others = process.platform === 'win32' ? 0 : (await stat(path)).mode & 0o077;
  return { key, publisher: publicOf(key), open: others !== 0 };
}

/** What an option names: a key as it is, or the path of a PEM file. Throws `not-found` or `invalid-file`. */
export async function readPublicKey(named: string): Promise<PublisherKey> {
  const given = readPublisherKey(named);
  if (given) return given;
  const text = new TextDecoder().decode(await readSmall(named, 'a key', limits.noteBytes));
  const key = readPublisherKey(text);
  if (key) return key;
  const isPrivate = text.includes('PRIVATE KEY-----');
  throw new MettleError(
    'invalid-file',
    `${named} holds ${isPrivate ? 'a private key' : 'no Ed25519 key'}; expected a public one (-----BEGIN PUBLIC KEY-----).`,
    {
      hint: isPrivate
        ? `Name the public one, such as ${named}.pub, and give this one to nobody.`
        : 'Name what "mettle keygen" wrote.',
    },
  );
}

function parsePrivate(text: string, path: string): KeyObject {
  let found = 'no private key';
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === 'ed25519') return key;
    found = `a key of the kind ${key.asymmetricKeyType}`;
  } catch {
    if (text.includes('ENCRYPTED')) found = 'a key behind a passphrase';
  }
  throw new MettleError('invalid-file', `${path} holds ${found}; expected an Ed25519 key in PEM.`, {
    hint: 'Make one with "mettle keygen FILE"; one behind a passphrase is opened by "openssl pkey -in FILE".',
  });
}

function publicOf(key: KeyObject): PublisherKey {
  return readPublisherKey(String(createPublicKey(key).export({ type: 'spki', format: 'pem' })))!;
}
