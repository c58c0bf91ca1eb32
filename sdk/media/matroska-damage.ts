/**
 * Lets mediabunny 1.61 read Matroska and WebM around damage: what lies inside a cluster before a damaged element is kept, and the search for the next cluster begins there. By itself
 * it gives up the whole file for one element of undefined size, or skips as far as a damaged size says.
 */
import { isFinal } from './damage.ts';
import { bytesOf, changed, type Reader, type Slice } from './file-slice.ts';

/** What is used of mediabunny's own cluster and demuxer. */
type Block = { lacing: number };
type Cluster = { trackData: Map<number, { blocks: Block[] }> };
export type MatroskaDemuxer = {
  reader: Reader;
  currentCluster: Cluster | null;
  readCluster(this: MatroskaDemuxer, start: number, segment: unknown): Promise<Cluster>;
  readContiguousElements(this: MatroskaDemuxer, slice: Slice, stopIds?: readonly number[]): number;
  traverseElement(this: MatroskaDemuxer, slice: Slice, stopIds?: readonly number[]): boolean;
  expandLacedBlocks(this: MatroskaDemuxer, blocks: Block[], track: unknown): void;
};

/** Of a block that holds one frame. */
const noLacing = 0;

/** Changes how `demuxer` reads clusters; `onDamage` is told of damage that it meets, perhaps often. */
export function readAroundDamage(demuxer: MatroskaDemuxer, onDamage: () => void): void {
  const { readCluster, readContiguousElements, traverseElement, expandLacedBlocks } = demuxer;
  const within = Object.assign(Object.create(demuxer) as MatroskaDemuxer, {
    // The children of a cluster are read with `stopIds`, and theirs without.
    readContiguousElements(this: MatroskaDemuxer, slice: Slice, stopIds?: readonly number[]) {
      const end = readContiguousElements.call(this, slice, stopIds);
      return stopIds ? Math.min(end, slice.end) : end;
    },
    traverseElement(this: MatroskaDemuxer, slice: Slice, stopIds?: readonly number[]) {
      if (!stopIds) return traverseElement.call(this, slice);
      try {
        return traverseElement.call(this, slice, stopIds);
      } catch (error) {
        if (isFinal(error)) throw error;
        onDamage();
        dropEmpty(this.currentCluster);
        return false;
      }
    },
    expandLacedBlocks(this: MatroskaDemuxer, blocks: Block[], track: unknown) {
      const whole = blocks.splice(0);
      for (const block of whole) {
        const frames = [block];
        try {
          expandLacedBlocks.call(this, frames, track);
          blocks.push(...frames);
        } catch {
          onDamage();
          blocks.push({ ...block, lacing: noLacing });
        }
      }
    },
  });
  demuxer.readCluster = (start, segment) =>
    readCluster.call(
      Object.assign(Object.create(within), { reader: untilDamage(demuxer.reader, start) }),
      start,
      segment,
    );
}

/** A track of which the damaged element would have been the first block. */
function dropEmpty(cluster: Cluster | null): void {
  for (const [track, { blocks }] of cluster?.trackData ?? []) if (blocks.length === 0) cluster!.trackData.delete(track);
}

/** Where the end of a cluster of unknown size is looked for, headers follow each other; one of undefined size is damage, behind which there is nothing to follow. */
function untilDamage(reader: Reader, clusterStart: number): Reader {
  const checked = (slice: Slice | null) => (slice && hasUndefinedSize(bytesOf(slice)) ? null : slice);
  return Object.assign(Object.create(reader) as Reader, {
    requestSliceRange(start: number, least: number, most: number) {
      const slice = reader.requestSliceRange(start, least, most);
      if (start === clusterStart) return slice;
      return changed(slice, checked);
    },
  });
}

/** Of an element's header: its identifier's first byte tells the identifier's length; eight bits or fifty-six of ones behind it are no size. Clusters and segments may have none. */
function hasUndefinedSize(header: Uint8Array): boolean {
  const length = Math.clz32(header[0] ?? 0) - 23;
  const id = header.subarray(0, length).reduce((sum, byte) => sum * 256 + byte, 0);
  if (id === 0x1f43b675 || id === 0x18538067) return false;
  const size = header.subarray(length, length + 8);
  return size[0] === 0xff || (size[0] === 0x01 && size.length === 8 && size.subarray(1).every((byte) => byte === 0xff));
}
