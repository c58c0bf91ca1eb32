/**
 * Makes a folder ready to be published: every file is read and held against what readers would refuse, documents that were written since are listed, files get digests of
 * their pieces, and manifest.json is written again. One file is in memory at a time, or a graph and its weights.
 */
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileEntry, manifestText, withFiles } from '../../compile/package.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import { limits } from '../../contract/limits.ts';
import type { FileEntry, GraphFiles, Integrity, Manifest } from '../../contract/manifest.ts';
import { documentNames } from '../../contract/manifest-form.ts';
import { parseJson } from '../../contract/parse-json.ts';
import { parseManifest } from '../../contract/parse-manifest.ts';
import { MettleError } from '../../errors.ts';
import { checkNetwork } from '../../onnx/network-check.ts';
import { readSmall } from '../disk.ts';
import { exists } from '../files/file-store.ts';
import { cardNotes } from './card-notes.ts';
import { type HostFit, hostsFor } from './hosts.ts';
import { npmPackage } from './npm-package.ts';
import { replaceFile } from './replace.ts';

export type PackOptions = {
  /** Bytes of a piece that has a digest of its own. */
  chunkBytes: number;
  /** Name of the npm package whose package.json is written too. */
  npm?: string;
  /** Changes nothing. */
  check?: boolean;
  signal?: AbortSignal;
  onProgress?: (progress: { path: string; done: number; total: number }) => void;
};

export type Packed = {
  manifest: Manifest;
  /** Digest of manifest.json: what a pin holds. */
  integrity: Integrity;
  /** Whether manifest.json or package.json is other than it was. */
  changed: boolean;
  /** Bytes of all files that are listed, without the manifest. */
  bytes: number;
  hosts: HostFit[];
  /** What is worth knowing and no fault. */
  notes: string[];
};

/** Throws `invalid-file`, `integrity` or `not-found` for what a reader would refuse, and `write`; then nothing was changed. */
export async function packFolder(folder: string, options: PackOptions): Promise<Packed> {
  const path = join(folder, 'manifest.json');
  const before = new TextDecoder().decode(await readSmall(path, 'a manifest', limits.manifestBytes));
  const given = parseManifest(parseJson(new TextEncoder().encode(before), path), path);
  const manifest = withFiles(given, await entriesOf(folder, given, options));
  await checkGraphs(folder, manifest, options.signal);
  const text = keptSignatures(manifest, given);
  const own = options.npm === undefined ? null : await npmPackage(folder, manifest, options.npm);
  const changed = text !== before || own?.changed === true;
  if (changed && !options.check) {
    await replaceFile(path, text);
    if (own) await replaceFile(own.path, own.text);
  }
  const sizes = manifest.files.map(({ bytes }) => bytes);
  return {
    manifest,
    integrity: await sha256Integrity(new TextEncoder().encode(text)),
    changed,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    hosts: hostsFor([...sizes, new TextEncoder().encode(text).byteLength]),
    notes: [
      ...(given.signatures && text !== before
        ? ['Its signatures were of other content, and are gone: sign it again.']
        : []),
      ...(await cardNotes(folder, manifest)),
      ...(await unlistedNotes(folder, manifest)),
    ],
  };
}

/** The text of a manifest; with the signatures that it had, where nothing else is new. */
function keptSignatures(manifest: Manifest, { signatures, ...content }: Manifest): string {
  const text = manifestText(manifest);
  return signatures && text === manifestText(content as Manifest) ? manifestText({ ...manifest, signatures }) : text;
}

/** What the manifest will list: its files as they must be, and documents as they are. */
async function entriesOf(
  folder: string,
  { files }: Manifest,
  { chunkBytes, signal, onProgress }: PackOptions,
): Promise<FileEntry[]> {
  const documents: string[] = [];
  for (const name of documentNames) if (await exists(join(folder, name))) documents.push(name);
  const listed = files.filter(({ path }) => !documentNames.includes(path));
  const total = listed.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const entries: FileEntry[] = [];
  for (const wanted of listed) {
    const entry = await fileEntry(wanted.path, await readListed(folder, wanted, signal), chunkBytes);
    if (entry.integrity !== wanted.integrity || entry.bytes !== wanted.bytes) throw otherFile(folder, wanted, entry);
    entries.push(entry);
    done += entry.bytes;
    onProgress?.({ path: entry.path, done, total });
  }
  for (const name of documents) {
    entries.push(
      await fileEntry(name, await readSmall(join(folder, name), 'a document', limits.fileBytes, signal), chunkBytes),
    );
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const readListed = (folder: string, { path, bytes }: FileEntry, signal?: AbortSignal) =>
  readSmall(join(folder, path), 'this file, as its manifest says', bytes, signal);

function otherFile(folder: string, wanted: FileEntry, found: FileEntry): MettleError {
  const message = `${join(folder, wanted.path)}: expected ${wanted.bytes} bytes with ${wanted.integrity}, got ${found.bytes} with ${found.integrity}.`;
  return new MettleError('integrity', message, {
    hint: 'The file is not the one that the package was made with: make the package again. Only documents may be changed by hand.',
  });
}

/** As an engine does before it makes a session. */
async function checkGraphs(folder: string, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  const entryOf = (path: string): FileEntry => manifest.files.find((file) => file.path === path)!;
  const checked = new Set<string>();
  for (const graphs of Object.values<Record<string, GraphFiles | null>>(manifest.variants)) {
    for (const [part, files] of Object.entries(graphs)) {
      if (!files || checked.has(`${files.graph} ${files.weights}`)) continue;
      checked.add(`${files.graph} ${files.weights}`);
      checkNetwork({
        label: `The ${part} graph of ${manifest.kind} "${manifest.id}"`,
        graph: await readListed(folder, entryOf(files.graph), signal),
        weights: { path: files.weights, data: await readListed(folder, entryOf(files.weights), signal) },
      });
    }
  }
}

/** Names in the folder that go along when it is uploaded, and that nobody reads. */
async function unlistedNotes(folder: string, { files }: Manifest): Promise<string[]> {
  const known = new Set(['manifest.json', 'package.json', ...files.map(({ path }) => path)]);
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const extra = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath ?? entry.path, entry.name)
        .slice(join(folder, sep).length)
        .replaceAll(sep, '/'),
    )
    .filter((path) => !known.has(path) && !path.split('/').some((name) => name.startsWith('.')))
    .sort();
  return extra.length > 0 ? [`Not listed, and never read: ${extra.join(', ')}.`] : [];
}
