/** Datasets on disk: opens the folder, reads it, checks it, and opens its items. */
import { type CheckReport, checkDataset, formatCheck } from '../../train/data/check.ts';
import { readDataset } from '../../train/data/index.ts';
import type { Dataset, ReadOptions } from '../../train/data/types.ts';
import { type DiskFolder, openFolder } from './folder.ts';

export { type MaskImage, readMask } from './mask.ts';
export { openItem } from './open-item.ts';
export { readPicture } from './picture.ts';
export type { CheckReport };
export { type DiskFolder, formatCheck, openFolder };

/** The dataset in a folder on disk, and the folder to open its items with. Throws as `readDataset` and `openFolder` do. */
export async function loadDataset(
  path: string,
  options: ReadOptions = {},
): Promise<{ dataset: Dataset; folder: DiskFolder }> {
  const folder = await openFolder(path);
  return { dataset: await readDataset(folder, options), folder };
}

/**
 * What `mettle data check` prints, see `formatCheck`: opens every clip and unpacks every mask. Throws `not-found` if `path` is no folder,
 * `invalid-argument` where several layouts lie in it, `missing-package` where clips cannot be decoded, or `signal.reason`.
 */
export async function checkFolder(path: string, options: ReadOptions = {}): Promise<CheckReport> {
  return await checkDataset(await openFolder(path), options);
}
