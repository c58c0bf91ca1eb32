/** `assets.json`: what lies in the folder, with size and digest, and by which version it was written. It is also the sign that the folder is ours to replace. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { integrityPattern } from '../../contract/integrity.ts';
import type { FileEntry, Integrity } from '../../contract/manifest.ts';
import { filePath } from '../../contract/manifest-form.ts';
import { parseJson } from '../../contract/parse-json.ts';
import { integer, list, matching, object, oneOf, Place, text } from '../../contract/strict-json.ts';
import { runtimeVersion, sdkVersion } from '../../contract/version.ts';

export const assetsListFile = 'assets.json';

export type AssetsList = {
  schema: 1;
  /** Version of mettle-edge that the scripts are of. */
  sdk: string;
  /** Version of onnxruntime-web. */
  runtime: string;
  /** All other files, in the order of their paths. */
  files: FileEntry[];
};

const assetsList = object<AssetsList>({
  schema: oneOf(1),
  sdk: text,
  runtime: text,
  files: list(
    object<FileEntry>({
      path: filePath,
      bytes: integer(0),
      integrity: matching<Integrity>(integrityPattern, 'sha256- and a digest in base64'),
    }),
    { key: ({ path }) => path },
  ),
});

/** The list over these files; the same for the same files. */
export function assetsListOf(files: readonly FileEntry[]): AssetsList {
  return { schema: 1, sdk: sdkVersion, runtime: runtimeVersion, files: [...files] };
}

/** What stands in assets.json. */
export const assetsListText = (list: AssetsList): string => `${JSON.stringify(list, null, 2)}\n`;

/** The list in a folder; null where there is none that can be read. */
export async function readAssetsList(folder: string): Promise<AssetsList | null> {
  const path = join(folder, assetsListFile);
  try {
    return assetsList(parseJson(await readFile(path), path), new Place(path));
  } catch {
    return null;
  }
}

export function entryOf(path: string, bytes: Uint8Array): FileEntry {
  const digest = createHash('sha256').update(bytes).digest('base64');
  return { path, bytes: bytes.byteLength, integrity: `sha256-${digest}` };
}
