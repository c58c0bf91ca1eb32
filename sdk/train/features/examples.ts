/** Items of a dataset as examples for the trainer: features from the cache, labels as arrays. */

import type { AdapterConfig } from '../../models/adapter.ts';
import type { DatasetItem } from '../data/types.ts';
import type { BatchSource, Example } from '../loop/batches.ts';
import type { Batch } from '../loop/runner.ts';
import { binaryMask, type MaskImage } from './masks.ts';
import type { Piece } from './pieces.ts';
import type { TapCache } from './tap-cache.ts';

export type ExampleOptions = {
  items: readonly Piece[];
  config: AdapterConfig;
  /** Taps that the adapter reads: name and numbers per second. */
  taps: ReadonlyMap<string, number>;
  cache: TapCache;
  /** Place of an item in the cache. */
  indexOf: (item: Piece) => number;
  /** Size of the masks that the model predicts. */
  maskSize?: { width: number; height: number };
  readMask?: (path: string) => Promise<MaskImage>;
  /** Leaves out the seconds of segmentation that have no mask to learn from; `config.segments` must hold the others. */
  supervisedOnly?: boolean;
  signal?: AbortSignal;
};

/** Examples in the order of the items. */
export function examplesOf(options: ExampleOptions): BatchSource {
  const { items, config, taps, cache, indexOf, signal } = options;
  return {
    size: items.length,
    id: (index) => items[index]!.id,
    async read(index) {
      const item = items[index]!;
      const features = await cache.read(indexOf(item), taps.keys(), signal);
      const there = Math.min(features.seconds, item.seconds);
      const seconds = secondsToLearn(item, options.supervisedOnly).filter((second) => second < there);
      seconds.splice(config.segments);
      const batch: Example = { mask: new Float32Array(config.segments).fill(1, 0, seconds.length) };
      for (const [name, perSecond] of taps) {
        batch[name] = rowsOf(features.taps[name]!, seconds, perSecond, config.segments);
      }
      return { ...batch, ...(await labelsOf(item, seconds, options)) };
    },
  };
}

/** Numbers of an item's seconds that an example holds. */
export function secondsToLearn({ labels, seconds }: DatasetItem, supervisedOnly = false): number[] {
  const all = Array.from({ length: seconds }, (_, second) => second);
  if (!supervisedOnly || labels.task !== 'segment') return all;
  return all.filter((second) => labels.supervised[second] && labels.masks[second] !== null);
}

/** These rows one after another, and zeros up to `count` rows. */
function rowsOf<T extends Float32Array | Uint16Array>(
  data: T,
  rows: readonly number[],
  width: number,
  count: number,
): T {
  const isWhole = data.length === count * width && rows.length === count;
  if (isWhole && rows.every((row, i) => row === i)) return data;
  const chosen = new (data.constructor as new (length: number) => T)(count * width);
  rows.forEach((row, i) => void chosen.set(data.subarray(row * width, (row + 1) * width), i * width));
  return chosen;
}

async function labelsOf({ labels }: DatasetItem, seconds: readonly number[], options: ExampleOptions): Promise<Batch> {
  const { segments, classes } = options.config;
  if (labels.task === 'parse') return { labels: Float32Array.from(labels.clip) };
  if (labels.task === 'localize') {
    const width = classes.length + 1;
    const rows = new Float32Array(segments * width);
    labels.seconds.subarray(0, segments).forEach((label, second) => {
      rows[second * width + label] = 1;
    });
    return { labels: rows };
  }
  const { width, height } = options.maskSize!;
  const masks = new Float32Array(segments * width * height);
  const supervised = new Float32Array(segments);
  for (const [place, second] of seconds.entries()) {
    const path = labels.masks[second] ?? null;
    if (path === null || !labels.supervised[second]) continue;
    masks.set(binaryMask(await options.readMask!(path), width, height), place * width * height);
    supervised[place] = 1;
  }
  return { masks, supervised };
}
