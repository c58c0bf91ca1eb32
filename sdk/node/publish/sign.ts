/** Signs a model, or a list of models, where it lies. Nothing is signed that its readers would refuse: every file must be as the manifest says. */
import { type KeyObject, sign } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { manifestText, registryText } from '../../compile/package.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import { limits } from '../../contract/limits.ts';
import type { Integrity } from '../../contract/manifest.ts';
import { parseJson } from '../../contract/parse-json.ts';
import { parseManifest } from '../../contract/parse-manifest.ts';
import { type PublisherKey, type Signature, signedBytes, splitSignatures } from '../../contract/signature.ts';
import { Place } from '../../contract/strict-json.ts';
import { MettleError } from '../../errors.ts';
import { isSignedBy } from '../../hub/publishers.ts';
import { parseRegistry } from '../../hub/registry.ts';
import { verifyModel } from '../../hub/verify.ts';
import { readSmall } from '../disk.ts';
import { replaceFile } from './replace.ts';

export type Signed = {
  /** The document that was signed. */
  path: string;
  /** Its digest now. */
  integrity: Integrity;
  /** All keys that it is signed by now. */
  signers: PublisherKey[];
  /** Keys whose signatures were of other content, and are gone. */
  dropped: PublisherKey[];
};

/**
 * Adds a signature to the manifest.json or registry.json in `folder`; those of other keys stay as far as they hold. Throws `integrity` or `not-found` where a file is not
 * as the document says, `invalid-file`, or `write`.
 */
export async function signFolder(
  folder: string,
  { key, publisher }: { key: KeyObject; publisher: PublisherKey },
  signal?: AbortSignal,
): Promise<Signed> {
  const { path, kind } = await documentIn(folder);
  const json = parseJson(await readSmall(path, 'a document', limits.manifestBytes), path);
  if (kind === 'manifest') await checkModel(path, json, signal);
  else await checkList(folder, path, json);
  const { content, signatures = [] } = splitSignatures(json, new Place(path));
  const kept: Signature[] = [];
  const dropped: PublisherKey[] = [];
  for (const other of signatures.filter((other) => other.key !== publisher)) {
    if (await isSignedBy(content, other)) kept.push(other);
    else dropped.push(other.key);
  }
  const signature = sign(null, signedBytes(content), key).toString('base64');
  const all = [...kept, { key: publisher, signature }];
  const text = kind === 'manifest' ? textOfManifest(content, all, path) : registryText(content as never, all);
  await replaceFile(path, text);
  const integrity = await sha256Integrity(new TextEncoder().encode(text));
  return { path, integrity, signers: all.map(({ key }) => key), dropped };
}

const textOfManifest = (content: unknown, signatures: Signature[], path: string): string =>
  manifestText(parseManifest({ ...(content as object), signatures }, path));

async function documentIn(folder: string): Promise<{ path: string; kind: 'manifest' | 'registry' }> {
  for (const kind of ['manifest', 'registry'] as const) {
    const path = join(folder, `${kind}.json`);
    if (
      await stat(path).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return { path, kind };
  }
  throw new MettleError('not-found', `${folder} holds neither a manifest.json nor a registry.json.`, {
    hint: 'Name the folder of a model, or of a list of models.',
  });
}

async function checkModel(path: string, json: unknown, signal?: AbortSignal): Promise<void> {
  parseManifest(json, path);
  const { failures } = await verifyModel(path, { signal });
  // Its own signatures are what is about to change.
  const broken = failures.find((failure) => failure.path !== 'manifest.json');
  if (broken) throw broken.error;
}

/** The digests of a list are of manifests alone. */
async function checkList(folder: string, path: string, json: unknown): Promise<void> {
  for (const [id, entry] of Object.entries(parseRegistry(json, path).models)) {
    const manifest = join(folder, entry.manifest);
    const found = await sha256Integrity(await readSmall(manifest, 'a manifest', limits.manifestBytes));
    if (found === entry.integrity) continue;
    throw new MettleError(
      'integrity',
      `${pathToFileURL(manifest)}: expected ${entry.integrity} for "${id}", got ${found}.`,
      {
        hint: 'Sign manifests first, and write the list again from them.',
      },
    );
  }
}
