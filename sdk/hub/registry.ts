/** registry.json: the models that ship with the SDK, by id. */
import { untilAborted } from '../abort.ts';
import { assetsHint } from '../contract/assets-hint.ts';
import type { Bytes } from '../contract/bytes.ts';
import { integrityPattern } from '../contract/integrity.ts';
import { looksLike } from '../contract/looks-like.ts';
import type { Integrity } from '../contract/manifest.ts';
import { filePath, idPattern } from '../contract/manifest-form.ts';
import { parseJson } from '../contract/parse-json.ts';
import type { Registry, RegistryEntry } from '../contract/registry.ts';
import { type Signature, splitSignatures } from '../contract/signature.ts';
import { dictionary, matching, object, oneOf, Place } from '../contract/strict-json.ts';
import { MettleError } from '../errors.ts';
import type { Access } from './access.ts';
import { readDocument } from './documents.ts';
import { isHttp } from './download.ts';
import { checkSigned } from './publishers.ts';
import { shown } from './request.ts';

const registry = dictionary(
  idPattern,
  object<RegistryEntry>({
    kind: oneOf('backbone', 'adapter'),
    manifest: filePath,
    integrity: matching<Integrity>(integrityPattern, 'sha256- and a digest in base64'),
  }),
);

type ReadRegistry = { models: Registry; content: unknown; signatures?: Signature[] };

/** Checks a parsed registry.json, which may hold `signatures` beside the models. Throws `invalid-file` that begins with `where`. */
export function parseRegistry(json: unknown, where: string): ReadRegistry {
  const document = splitSignatures(json, new Place(where));
  return { ...document, models: registry(document.content, new Place(where)) };
}

/** Address of the registry of the shipped models. */
export function registryUrl(platform: Bytes): URL {
  return new URL('registry.json', platform.modelsUrl);
}

const read = new WeakMap<Bytes, Promise<ReadRegistry>>();

/**
 * The registry of the shipped models, read once for each door. Throws `not-found` where none ships, `invalid-file`, or `integrity` where publishers are pinned and none
 * of them signed a registry that comes from elsewhere than the package's own scripts.
 */
export async function readRegistry(access: Access, signal?: AbortSignal): Promise<Registry> {
  signal?.throwIfAborted();
  const { platform } = access;
  const known = read.get(platform) ?? fetchRegistry(access);
  read.set(platform, known);
  known.catch(() => read.delete(platform));
  const document = await untilAborted(known, signal);
  const url = registryUrl(platform);
  const comesWithCode = !isHttp(platform, url) || platform.http!.isOwn(url);
  if (access.publishers.length > 0 && !comesWithCode) {
    await checkSigned(document, access.publishers, `registry at ${shown(url)}`);
  }
  return document.models;
}

async function fetchRegistry(access: Access): Promise<ReadRegistry> {
  const url = registryUrl(access.platform);
  const hint = url.protocol === 'file:' ? 'Install mettle-edge again.' : assetsHint;
  const parse = (bytes: Uint8Array): ReadRegistry => parseRegistry(parseList(bytes, url, hint), `registry at ${url}`);
  return await readDocument(access, url, { pins: [], parse }).catch((cause: unknown) => {
    if (!(cause instanceof MettleError) || cause.code !== 'not-found' || cause.hint === hint) throw cause;
    throw new MettleError('not-found', `There is no list of shipped models at ${url}.`, { hint, cause });
  });
}

/** Servers of single-page apps answer every address that they do not know with their index page. */
function parseList(bytes: Uint8Array, url: URL, hint: string): unknown {
  try {
    return parseJson(bytes, `registry at ${url}`);
  } catch (cause) {
    const message = `${url} is no list of shipped models: expected JSON, got ${looksLike(bytes)}.`;
    throw new MettleError('not-found', message, { hint, cause });
  }
}
