/** Writes the folder of assets: whole or not at all, and again only where something differs. */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { FileEntry } from '../../contract/manifest.ts';
import { MettleError } from '../../errors.ts';
import { PackageFolder } from '../files/package-folder.ts';
import { type AssetsChoice, listAssets, readAsset } from './files.ts';
import { type AssetsList, assetsListFile, assetsListOf, assetsListText, entryOf, readAssetsList } from './list.ts';

export type WriteAssetsOptions = AssetsChoice & {
  /** Replace a folder of assets even if it holds files that were not written by this. They go. */
  force?: boolean;
  /** Files that are done, of all. */
  onProgress?: (progress: { done: number; total: number }) => void;
};

export type AssetsReport = {
  /** Absolute path. */
  folder: string;
  files: FileEntry[];
  /** Sum over all files. */
  bytes: number;
  /** Ids of the models in it. */
  models: string[];
  /** False where all of it lay there already. */
  written: boolean;
};

/**
 * Writes what a page needs into `folder`, which may be missing, empty, or a folder of assets of an earlier run. Safe to run again: where nothing differs nothing is written.
 * Throws what `listAssets` throws, `write` where the folder holds anything else or cannot be written, or `signal.reason`; the folder is then as it was.
 */
export async function writeAssets(folder: string, options: WriteAssetsOptions = {}): Promise<AssetsReport> {
  const { signal, onProgress, force = false } = options;
  const place = await realpath(folder).catch(() => resolve(folder));
  const present = await presentAssets(place, force);
  const sources = await listAssets(options);
  const files: FileEntry[] = [];
  for (const source of sources) {
    signal?.throwIfAborted();
    files.push(entryOf(source.path, await readAsset(source)));
  }
  const report = {
    folder: place,
    files,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    models: sources.flatMap(({ path }) => /([^/]+)\/manifest\.json$/.exec(path)?.[1] ?? []),
  };
  if (present && (await isSame(place, present, files))) return { ...report, written: false };
  const isOurs = async (): Promise<boolean> => (await readAssetsList(place)) !== null;
  await using draft = await PackageFolder.create(place, { force: present !== null, isOurs });
  for (const [done, source] of sources.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ done, total: sources.length });
    await draft.write(source.path, [await readAsset(source)]);
  }
  signal?.throwIfAborted();
  await draft.write(assetsListFile, [new TextEncoder().encode(assetsListText(assetsListOf(files)))]);
  await draft.finish();
  onProgress?.({ done: sources.length, total: sources.length });
  return { ...report, written: true };
}

/** What an earlier run has left at `place`; null where there is nothing. Throws `write` where anything else is there. */
async function presentAssets(place: string, force: boolean): Promise<AssetsList | null> {
  const list = await readAssetsList(place);
  const ours = new Set([assetsListFile, ...(list?.files ?? []).map(({ path }) => path)]);
  const others = (await filesIn(place)).filter((path) => !ours.has(path));
  if (others.length === 0 || (list && force)) return list;
  const names = others.slice(0, 3).join(', ') + (others.length > 3 ? ' and others' : '');
  throw new MettleError('write', `${place} holds files that "mettle assets" did not write: ${names}.`, {
    hint: list
      ? 'Move them elsewhere, or let them go with --force.'
      : `Give the assets a folder of their own, such as ${join(place, 'mettle')}.`,
  });
}

/** Paths of all files below `folder`, with `/` between names; none where it is missing. */
async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    const what = code === 'ENOTDIR' ? 'is a file, expected a folder or nothing' : `cannot be read: ${message}`;
    throw new MettleError('write', `${folder} ${what}.`, { hint: 'Choose another folder.', cause });
  }
}

async function isSame(place: string, present: AssetsList, files: readonly FileEntry[]): Promise<boolean> {
  if (assetsListText(present) !== assetsListText(assetsListOf(files))) return false;
  if ((await filesIn(place)).length !== files.length + 1) return false;
  for (const file of files) {
    const bytes = await readFile(join(place, file.path)).catch(() => null);
    if (!bytes || entryOf(file.path, bytes).integrity !== file.integrity) return false;
  }
  return true;
}
