/** registry.json: the models that ship with the SDK, by id. */
import { untilAborted } from '../abort.ts';
import { assetsHint } from '../contract/assets-hint.ts';
import type { Bytes } from '../contract/bytes.ts';
import { integrityPattern } from '../contract/integrity.ts';
import { limits } from '../contract/limits.ts';
import type { Integrity } from '../contract/manifest.ts';
import { parseJson } from '../contract/parse-json.ts';
import { filePath, idPattern } from '../contract/parse-manifest.ts';
import { dictionary, matching, object, oneOf, Place } from '../contract/strict-json.ts';
import { MettleError } from '../errors.ts';
import { readBounded } from './download.ts';

/** `manifest` is the path of the model's manifest, relative to the registry; `integrity` its digest. */
export type RegistryEntry = { kind: 'backbone' | 'adapter'; manifest: string; integrity: Integrity };
export type Registry = Record<string, RegistryEntry>;

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
export async function readRegistry(platform: Bytes, signal?: AbortSignal): Promise<Registry> {
  signal?.throwIfAborted();
  const known = read.get(platform) ?? fetchRegistry(platform);
  read.set(platform, known);
  known.catch(() => read.delete(platform));
  return await untilAborted(known, signal);
}

async function fetchRegistry(platform: Bytes): Promise<Registry> {
  const url = registryUrl(platform);
  const bytes = await readBounded(platform, url, limits.manifestBytes).catch((error: unknown) => {
    if (!(error instanceof MettleError) || error.code !== 'not-found') throw error;
    throw new MettleError('not-found', `There is no list of shipped models at ${url}.`, {
      hint: assetsHint,
      cause: error,
    });
  });
  return parseRegistry(parseJson(bytes, `registry at ${url}`), `registry at ${url}`);
}
