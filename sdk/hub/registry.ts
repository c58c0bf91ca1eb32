/** registry.json: the models that ship with the SDK, by id. */
import { untilAborted } from '../abort.ts';
import { assetsHint } from '../contract/assets-hint.ts';
import type { Bytes } from '../contract/bytes.ts';
import { integrityPattern } from '../contract/integrity.ts';
import { looksLike } from '../contract/looks-like.ts';
import type { Integrity } from '../contract/manifest.ts';
import { parseJson } from '../contract/parse-json.ts';
import { filePath, idPattern } from '../contract/parse-manifest.ts';
import type { Registry, RegistryEntry } from '../contract/registry.ts';
import { dictionary, matching, object, oneOf, Place } from '../contract/strict-json.ts';
import { MettleError } from '../errors.ts';
import type { Access } from './access.ts';
import { readDocument } from './documents.ts';

const registry = dictionary(
  idPattern,
  object<RegistryEntry>({
    kind: oneOf('backbone', 'adapter'),
    manifest: filePath,
    integrity: matching<Integrity>(integrityPattern, 'sha256- and a digest in base64'),
  }),
);

/** Checks a parsed registry.json. Throws `invalid-file` that begins with `where`. */
export function parseRegistry(json: unknown, where: string): Registry {
  return registry(json, new Place(where));
}

/** Address of the registry of the shipped models. */
export function registryUrl(platform: Bytes): URL {
  return new URL('registry.json', platform.modelsUrl);
}

const read = new WeakMap<Bytes, Promise<Registry>>();

/** The registry of the shipped models, read once for each door. Throws `not-found` where none ships, or `invalid-file`. */
export async function readRegistry(access: Access, signal?: AbortSignal): Promise<Registry> {
  signal?.throwIfAborted();
  const { platform } = access;
  const known = read.get(platform) ?? fetchRegistry(access);
  read.set(platform, known);
  known.catch(() => read.delete(platform));
  return await untilAborted(known, signal);
}

async function fetchRegistry(access: Access): Promise<Registry> {
  const url = registryUrl(access.platform);
  const hint = url.protocol === 'file:' ? 'Install mettle-edge again.' : assetsHint;
  const parse = (bytes: Uint8Array): Registry => parseRegistry(parseList(bytes, url, hint), `registry at ${url}`);
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
