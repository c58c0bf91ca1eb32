/** A model that the caller holds in memory, checked as one that comes from an address is: every file against its manifest. */
import type { AdapterManifest } from '../contract/manifest.ts';
import type { Rule } from '../contract/options.ts';
import { parseJson } from '../contract/parse-json.ts';
import { parseManifest } from '../contract/parse-manifest.ts';
import { splitSignatures } from '../contract/signature.ts';
import { Place } from '../contract/strict-json.ts';
import { MettleError } from '../errors.ts';
import { type Access, type AccessOptions, accessFor } from './access.ts';
import { filesOf, type OpenedModel } from './hub.ts';
import { checkSigned } from './publishers.ts';
import { unzipFiles } from './zip.ts';

/** An adapter that is at hand: its folder as a zip file, or its files by their path, `manifest.json` included, as `teach` and `trainAdapter` give them. */
export type GivenAdapter =
  | Blob
  | {
      /** Bytes by path. */
      files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
    };

export const given: Rule = {
  expected: 'a zip file as a Blob, or { files }',
  fits: (value) =>
    value instanceof Blob ||
    (typeof value === 'object' && value !== null && typeof (value as { files?: unknown }).files === 'object'),
};

/**
 * Opens it as `openModel` does an address. Throws `invalid-file`, `integrity` for a file that is not what the manifest says, `not-found` for one that is missing, or
 * `invalid-argument` for a backbone.
 */
export async function openGiven(adapter: GivenAdapter, options: AccessOptions): Promise<OpenedModel<AdapterManifest>> {
  const where = adapter instanceof Blob ? 'The zip of an adapter' : 'The adapter that was given';
  const files = adapter instanceof Blob ? await unzipFiles(adapter, where) : adapter.files;
  const access = accessFor(options);
  const manifest = await readManifest(files, where, access);
  for (const entry of manifest.files) {
    const bytes = Object.hasOwn(files, entry.path) ? files[entry.path] : undefined;
    if (!bytes) throw new MettleError('not-found', `${where} lacks its file "${entry.path}".`);
    if (bytes.byteLength === entry.bytes && (await access.digest(bytes)) === entry.integrity) continue;
    throw new MettleError('integrity', `${where} has a file "${entry.path}" that is not what its manifest says.`, {
      hint: 'It was changed or damaged: take the original.',
    });
  }
  return {
    manifest,
    url: new URL(`given:${manifest.id}`),
    bytes: (variant) => filesOf(manifest, variant).reduce((sum, { bytes }) => sum + bytes, 0),
    async download(variant, { signal, onProgress } = {}) {
      signal?.throwIfAborted();
      const entries = filesOf(manifest, variant);
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      onProgress?.({ type: 'total', model: manifest.id, received: bytes, bytes });
      // Copies: an engine keeps the bytes that it is given.
      return { manifest, files: Object.fromEntries(entries.map(({ path }) => [path, files[path]!.slice()])) };
    },
  };
}

async function readManifest(
  files: Readonly<Record<string, Uint8Array>>,
  where: string,
  { publishers }: Access,
): Promise<AdapterManifest> {
  const bytes = Object.hasOwn(files, 'manifest.json') ? files['manifest.json'] : undefined;
  if (!bytes) throw new MettleError('invalid-file', `${where} holds no manifest.json.`);
  const name = `manifest.json of ${where.toLowerCase()}`;
  const json = parseJson(bytes, name);
  const manifest = parseManifest(json, name);
  if (manifest.kind !== 'adapter') {
    throw new MettleError('invalid-argument', `"${manifest.id}" is a backbone, expected an adapter.`, {
      hint: 'Name backbones by their path or URL.',
    });
  }
  if (publishers.length > 0) await checkSigned(splitSignatures(json, new Place(name)), publishers, name);
  return manifest;
}
