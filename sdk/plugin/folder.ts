/** The folder as the plugin's forms take it: all of it at once, or file by file. */
import type { AssetFile } from '../node/assets/index.ts';
import type { Chosen } from './options.ts';

/** Loaded when it is used, so that reading a bundler's configuration stays quick. */
const load = () => import('../node/assets/index.ts');

/** Writes the folder, where anything in it differs. Throws as `writeAssets` does. */
export async function writeFolder(folder: string, { models }: Chosen): Promise<void> {
  const { writeAssets } = await load();
  await writeAssets(folder, { models });
}

/** All files with their bytes, the list of them last. Throws as `listAssets` does. */
export async function readFolder({ models }: Chosen): Promise<{ path: string; bytes: Uint8Array }[]> {
  const { listAssets, readAsset, entryOf, assetsListFile, assetsListOf, assetsListText } = await load();
  const files = [];
  for (const asset of await listAssets({ models })) files.push({ path: asset.path, bytes: await readAsset(asset) });
  const text = assetsListText(assetsListOf(files.map(({ path, bytes }) => entryOf(path, bytes))));
  return [...files, { path: assetsListFile, bytes: new TextEncoder().encode(text) }];
}

/** Reads one file by its path in the folder, from where it lies on this machine; null for a path that is none of the folder's. Throws as `listAssets` does. */
export function folderReader({ models }: Chosen): (path: string) => Promise<Uint8Array | null> {
  let listed: Promise<Map<string, AssetFile>> | null = null;
  return async (path) => {
    const { listAssets, readAsset } = await load();
    listed ??= listAssets({ models }).then((assets) => new Map(assets.map((asset) => [asset.path, asset])));
    const asset = (await listed).get(path);
    return asset ? await readAsset(asset) : null;
  };
}
