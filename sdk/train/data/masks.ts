/** Looks into every mask of a dataset once: broken ones are taken out, odd ones noted. */
import { MettleError } from '../../errors.ts';
import { FindingList } from './findings.ts';
import type { DataFolder, Dataset, DatasetItem, MaskFacts, ReadOptions, SegmentationLabels } from './types.ts';

/** The dataset without masks that cannot be read, and without clips that then have none. A folder that cannot probe vouches for all. */
export async function withGoodMasks(folder: DataFolder, dataset: Dataset, options: ReadOptions): Promise<Dataset> {
  if (!folder.probeMask) return dataset;
  const findings = new FindingList();
  const items: DatasetItem[] = [];
  for (const [done, item] of dataset.items.entries()) {
    options.signal?.throwIfAborted();
    const labels = await checkItem(folder, item.labels as SegmentationLabels, findings);
    if (labels.masks.some((mask) => mask !== null)) items.push({ ...item, labels });
    else findings.add('error', 'missing-mask', 'The clip has no mask that can be read and is left out.', item.id);
    options.onProgress?.({ done: done + 1, total: dataset.items.length });
  }
  return { ...dataset, items, findings: [...dataset.findings, ...findings.list()] };
}

async function checkItem(
  folder: DataFolder,
  labels: SegmentationLabels,
  findings: FindingList,
): Promise<SegmentationLabels> {
  const masks: (string | null)[] = [];
  for (const path of labels.masks) {
    const facts = path === null ? null : await probe(folder, path, findings);
    masks.push(facts ? path : null);
    if (facts && facts.levels > 2) {
      const message =
        'The mask has more than two values: read as object from one half on, or where it is not 0 if none is that bright.';
      findings.add('info', 'mask-levels', message, path!);
    }
    if (facts && facts.area === 0) findings.add('info', 'empty-mask', 'Nothing sounds in this mask.', path!);
  }
  return { ...labels, masks, supervised: labels.supervised.map((on, second) => on && masks[second] !== null) };
}

async function probe(folder: DataFolder, path: string, findings: FindingList): Promise<MaskFacts | null> {
  try {
    return await folder.probeMask!(path);
  } catch (error) {
    if (!(error instanceof MettleError)) throw error;
    findings.add('error', 'broken-mask', 'The mask cannot be read and is not used.', error.message);
    return null;
  }
}
