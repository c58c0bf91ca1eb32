/** Looks once into every mask, extracted frame and wav file of a dataset: what is broken is taken out, what is odd is noted. Clips in one file are probed earlier. */
import { MettleError } from '../../errors.ts';
import { FindingList, sortFindings } from './findings.ts';
import type { DataFolder, Dataset, DatasetItem, ItemSource, ReadOptions, SegmentationLabels } from './types.ts';

/** The dataset without masks that cannot be read, and without clips that have none left, or a broken frame or sound. A folder that cannot probe vouches for all. */
export async function withUsableParts(folder: DataFolder, dataset: Dataset, options: ReadOptions): Promise<Dataset> {
  const findings = new FindingList();
  const items: DatasetItem[] = [];
  const seen = { masks: 0, empty: 0 };
  for (const [done, item] of dataset.items.entries()) {
    options.signal?.throwIfAborted();
    const labels = await checkMasks(folder, item.labels as SegmentationLabels, findings, seen);
    if (labels.masks.every((mask) => mask === null)) {
      findings.add('error', 'missing-mask', 'The clip has no mask that can be read and is left out.', item.id);
    } else if (await sourceIsGood(folder, item.source, findings)) items.push({ ...item, labels });
    options.onProgress?.({ done: done + 1, total: dataset.items.length });
  }
  if (seen.masks > 0 && seen.empty === seen.masks) {
    throw new MettleError(
      'invalid-file',
      `${folder.name}: all ${seen.masks} masks are empty; nothing sounds anywhere.`,
      {
        hint: 'Look at how they are saved: 0 or black is the background, everything else the object.',
      },
    );
  }
  return { ...dataset, items, findings: sortFindings([...dataset.findings, ...findings.list()]) };
}

async function checkMasks(
  folder: DataFolder,
  labels: SegmentationLabels,
  findings: FindingList,
  seen: { masks: number; empty: number },
): Promise<SegmentationLabels> {
  const masks: (string | null)[] = [];
  for (const path of labels.masks) {
    const probe = path === null ? null : folder.probeMask?.bind(folder, path);
    const facts = probe && (await orNote(probe, 'broken-mask', 'The mask cannot be read and is not used.', findings));
    masks.push(facts || !folder.probeMask ? path : null);
    if (facts && facts.levels > 2) {
      const message =
        'The mask has more than two values: numbers of objects are all object, 255 or the border beside them is left out, and of shades object is what reaches one half.';
      findings.add('info', 'mask-levels', message, path!);
    }
    if (facts) seen.masks++;
    if (facts && facts.area === 0) seen.empty++;
    if (facts && facts.area === 0) findings.add('info', 'empty-mask', 'Nothing sounds in this mask.', path!);
  }
  return { ...labels, masks, supervised: labels.supervised.map((on, second) => on && masks[second] !== null) };
}

async function sourceIsGood(folder: DataFolder, source: ItemSource, findings: FindingList): Promise<boolean> {
  if (source.kind === 'video') return true;
  const broken = (what: string) => `The ${what} cannot be decoded; its clip is left out.`;
  for (const path of source.paths) {
    const probe = folder.probeFrame?.bind(folder, path);
    if (probe && (await orNote(probe, 'broken-frame', broken('frame'), findings)) === null) return false;
  }
  const { audio } = source;
  if (audio === null || !folder.probeClip) return true;
  const facts = await orNote(() => folder.probeClip!(audio), 'broken-sound', broken('sound'), findings, audio);
  return facts !== null;
}

/** What the probe tells, or null and a finding where it throws. */
async function orNote<T>(
  probe: () => Promise<T>,
  code: string,
  message: string,
  findings: FindingList,
  path?: string,
): Promise<T | null> {
  try {
    return await probe();
  } catch (error) {
    if (!(error instanceof MettleError) || error.code === 'missing-package') throw error;
    findings.add('error', code, message, path === undefined ? error.message : `${path} (${error.message})`);
    return null;
  }
}
