/** The publisher's side: from graphs and weights in memory to a manifest that the hub accepts, and an entry for a registry. Writes no files. */
import { sortKeys } from '../contract/canonical-json.ts';
import { sha256Integrity } from '../contract/integrity.ts';
import type { AdapterManifest, BackboneManifest, FileEntry, Integrity, Manifest } from '../contract/manifest.ts';
import { parseManifest } from '../contract/parse-manifest.ts';
import type { Registry, RegistryEntry } from '../contract/registry.ts';
import type { Signature } from '../contract/signature.ts';

/** What is known of a backbone's manifest when its graphs are; weights that mean nothing are marked `untrained`. */
export function backboneDraft(
  { id, version, license }: Pick<BackboneManifest, 'id' | 'version' | 'license'>,
  parts: Pick<BackboneManifest, 'canary' | 'inputs' | 'networks' | 'taps' | 'variants'> & { untrained?: boolean },
): Omit<BackboneManifest, 'files'> {
  return {
    schema: 1,
    kind: 'backbone',
    id,
    version,
    license,
    untrained: false,
    requires: { sdk: '>=0.1 <1' },
    ...parts,
  };
}

/**
 * Adds the size and digest of every file, by path, and checks the manifest as a reader would.
 * Throws `invalid-file` that names the field at fault, e.g. a graph that is not among `files`, or a file that no variant uses.
 */
export function finishManifest(
  draft: Omit<BackboneManifest, 'files'>,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<BackboneManifest>;
export function finishManifest(
  draft: Omit<AdapterManifest, 'files'>,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<AdapterManifest>;
export async function finishManifest(
  draft: Omit<BackboneManifest, 'files'> | Omit<AdapterManifest, 'files'>,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Manifest> {
  const entries: FileEntry[] = [];
  for (const path of Object.keys(files).sort()) {
    entries.push(await fileEntry(path, files[path]!));
  }
  return parseManifest({ ...draft, files: entries }, `manifest of ${draft.kind} "${draft.id}"`);
}

/** The manifest with what is to be read about the model listed too: cards and reports have a digest like every other file. Throws as `finishManifest`. */
export async function withDocuments<M extends Manifest>(
  manifest: M,
  documents: Readonly<Record<string, Uint8Array>>,
): Promise<M> {
  const entries = manifest.files.filter(({ path }) => !Object.hasOwn(documents, path));
  for (const [path, bytes] of Object.entries(documents)) entries.push(await fileEntry(path, bytes));
  return withFiles(
    manifest,
    entries.sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
}

/** Bytes of a piece of a file that has a digest of its own, unless the caller wants another size. */
export const usualChunkBytes = 4 * 2 ** 20;

/** The manifest with digests for the pieces of the files given, as far as they have more than one. Throws as `finishManifest`. */
export async function withChunks<M extends Manifest>(
  manifest: M,
  files: Readonly<Record<string, Uint8Array>>,
  chunkBytes = usualChunkBytes,
): Promise<M> {
  const entries = manifest.files.map(async (entry): Promise<FileEntry> => {
    const data = files[entry.path];
    return data ? await fileEntry(entry.path, data, chunkBytes) : entry;
  });
  return withFiles(manifest, await Promise.all(entries));
}

/** A file as a manifest lists it, with digests of its pieces where it has more than one. */
export async function fileEntry(path: string, data: Uint8Array, chunkBytes = Infinity): Promise<FileEntry> {
  const entry: FileEntry = { path, bytes: data.byteLength, integrity: await sha256Integrity(data) };
  if (entry.bytes <= chunkBytes) return entry;
  const chunks: Integrity[] = [];
  for (let start = 0; start < entry.bytes; start += chunkBytes) {
    chunks.push(await sha256Integrity(data.subarray(start, start + chunkBytes)));
  }
  return { ...entry, chunkBytes, chunks };
}

/** With these files in place of the former, checked as a reader would, and without signatures, which were of other content. */
export function withFiles<M extends Manifest>({ signatures: _, ...manifest }: M, files: FileEntry[]): M {
  return parseManifest({ ...manifest, files }, `manifest of ${manifest.kind} "${manifest.id}"`) as M;
}

/** The text of manifest.json: keys sorted, two spaces, a newline at the end. Equal manifests have equal texts. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, sortKeys, 2)}\n`;
}

/** What registry.json says about a model whose `manifestText` lies at `path`, relative to the registry. */
export async function registryEntry(manifest: Manifest, path: string): Promise<RegistryEntry> {
  const integrity = await sha256Integrity(new TextEncoder().encode(manifestText(manifest)));
  return { kind: manifest.kind, manifest: path, integrity };
}

/** The text of registry.json, in the form of `manifestText`. */
export function registryText(registry: Registry, signatures?: readonly Signature[]): string {
  return `${JSON.stringify({ ...registry, signatures }, sortKeys, 2)}\n`;
}
