/** How a training reaches the items of a dataset on disk. */
import { stat } from 'node:fs/promises';
import type { Segment, SegmentFormat } from '../../contract/clip.ts';
import type { DatasetItem } from '../../train/data/types.ts';
import type { ItemAccess } from '../../train/features/clip-features.ts';
import { type DiskFolder, openItem, readMask } from '../data/index.ts';

export function diskAccess(folder: DiskFolder): ItemAccess {
  return {
    segments: (item, format, signal) => segmentsOf(folder, item, format, signal),
    async fingerprint({ source }) {
      const paths = source.kind === 'video' ? [source.path] : [...source.paths, source.audio ?? ''];
      const marks = await Promise.all(
        paths.map(async (path) => {
          const facts = await stat(folder.pathOf(path)).catch(() => null);
          return `${path} ${facts?.size} ${facts?.mtimeMs}`;
        }),
      );
      return marks.join('\n');
    },
    readMask: async (path) => readMask(await folder.readBytes(path), path),
  };
}

async function* segmentsOf(
  folder: DiskFolder,
  item: DatasetItem,
  format: SegmentFormat,
  signal?: AbortSignal,
): AsyncGenerator<Segment> {
  const clip = await openItem(folder, item, { signal });
  try {
    yield* clip.segments(format, { signal });
  } finally {
    await clip.dispose();
  }
}
