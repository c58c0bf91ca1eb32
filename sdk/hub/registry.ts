/** registry.json: the models that ship with the SDK, by id. */
import { limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';
import { type HubPlatform, readBounded } from './download.ts';
import { integrityPattern } from './integrity.ts';
import type { Integrity } from './manifest.ts';
import { parseJson } from './parse-json.ts';
import { filePath, idPattern } from './parse-manifest.ts';
import { dictionary, matching, object, oneOf, Place } from './strict-json.ts';

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
export function registryUrl(platform: HubPlatform): URL {
  return new URL('registry.json', platform.modelsUrl);
}

/** The registry of the shipped models. Throws `not-found` where none ships, or `invalid-file`. */
export async function readRegistry(platform: HubPlatform, signal?: AbortSignal): Promise<Registry> {
  const url = registryUrl(platform);
  const bytes = await readBounded(platform, url, limits.manifestBytes, signal).catch((error: unknown) => {
    if (!(error instanceof MettleError) || error.code !== 'not-found') throw error;
    throw new MettleError('not-found', `There is no list of shipped models at ${url}.`, {
      hint: 'Name a model by its address, or copy the folder "adapters" of the package to where its code is served from.',
      cause: error,
    });
  });
  return parseRegistry(parseJson(bytes, `registry at ${url}`), `registry at ${url}`);
}
