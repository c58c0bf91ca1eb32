/** Features that were kept, on their way into a batch: what a store does to them (nothing), what clips that are short or beyond half precision become. */
import { expect, test } from 'vitest';
import { halfToNumber, numberToHalf } from '../../sdk/onnx/float16.ts';
import { examplesOf } from '../../sdk/train/features/examples.ts';
import type { Piece } from '../../sdk/train/features/pieces.ts';
import { type ClipTaps, type FileStore, TapCache } from '../../sdk/train/features/tap-cache.ts';
import { stackBatch } from '../../sdk/train/loop/batches.ts';
import { tinyConfig } from '../helpers/tiny-training.ts';

const { classes, segments } = tinyConfig;
const taps = new Map([
  ['a', 3],
  ['b', 1],
]);
const shapes = { a: [2 * segments, 3], b: [2 * segments, 1], mask: [2, segments] };

/** Two clips, of all seconds and of two; the second one's `b` leaves half precision. */
const clips: ClipTaps[] = [segments, 2].map((seconds, clip) => ({
  seconds,
  taps: {
    a: Float32Array.from({ length: 3 * seconds }, (_, i) => Math.sin(i + clip)),
    b: Float32Array.from({ length: seconds }, (_, i) => (clip === 0 ? i : 1e6 + i)),
  },
}));
const items = clips.map(({ seconds }, index): Piece => {
  const labels = { task: 'localize' as const, seconds: new Int32Array(seconds).fill(classes.length) };
  return { id: `clip ${index}`, split: 'train', seconds, source: { kind: 'video', path: '' }, labels, start: 0 };
});

function memoryStore(): FileStore {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return { load: async (name) => files.get(name) ?? null, save: async (name, bytes) => void files.set(name, bytes) };
}

async function batchOf(cache: TapCache) {
  const data = examplesOf({ items, config: tinyConfig, taps, cache, indexOf: (item) => items.indexOf(item) });
  return await stackBatch(data, [0, 1], shapes, 2);
}

test('a batch is the same from a store as without one: rounded to half precision, zeros where a clip has ended', async () => {
  let computed = 0;
  const compute = async (index: number): Promise<ClipTaps> => {
    computed++;
    return clips[index]!;
  };
  const store = memoryStore();
  const kept = new TapCache(store, String, compute);
  const first = await batchOf(kept);
  expect(await batchOf(kept)).toEqual(first);
  expect(computed).toBe(2);
  expect(await batchOf(new TapCache(null, String, compute))).toEqual(first);

  const rounded = (x: number): number => halfToNumber(numberToHalf(x));
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const [whole, short] = clips.map((clip) => [...clip.taps.a!].map(rounded)) as [number[], number[]];
  expect([...first.a!]).toEqual([...whole, ...short, ...zeros(3 * (segments - 2))]);
  expect([...first.b!]).toEqual([...clips[0]!.taps.b!, ...clips[1]!.taps.b!, ...zeros(segments - 2)]);
  expect([...first.mask!]).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
});

test('what is no number stays none; a damaged file is computed anew', async () => {
  const store = memoryStore();
  let computed = 0;
  const compute = async (): Promise<ClipTaps> => {
    computed++;
    return { seconds: segments, taps: { a: new Float32Array(3 * segments).fill(Number.NaN), b: clips[0]!.taps.b! } };
  };
  const cache = new TapCache(store, String, compute);
  const firstOf = async (of: TapCache): Promise<number[]> => [...(await batchOf(of)).a!.subarray(0, 3 * segments)];
  const none = Array.from({ length: 3 * segments }, () => Number.NaN);
  expect(await firstOf(cache)).toEqual(none);
  const name = '0.safetensors';
  await store.save(name, (await store.load(name))!.slice(0, 100) as Uint8Array<ArrayBuffer>);
  expect(await firstOf(cache)).toEqual(none);
  expect(computed).toBe(3);
});

test('seconds without a mask to learn from can be left out', async () => {
  const config = { ...tinyConfig, task: 'segment' as const, segments: 1 };
  const labels = {
    task: 'segment' as const,
    masks: [null, 'second.png', 'third.png', null],
    supervised: Uint8Array.of(0, 1, 0, 0),
  };
  const masked = [{ ...items[0]!, labels }] as never as Piece[];
  const cache = new TapCache(null, String, async () => clips[0]!);
  const readMask = async (path: string) => ({
    width: 1,
    height: 1,
    data: Uint8Array.of(path === 'second.png' ? 255 : 0),
  });
  const maskSize = { width: 1, height: 1 };
  const own = { items: masked, taps, cache, indexOf: () => 0, readMask, maskSize };
  const lean = (await examplesOf({ ...own, config, supervisedOnly: true }).read(0)) as Record<string, Float32Array>;
  const whole = await examplesOf({ ...own, config: { ...config, segments } }).read(0);
  expect(lean.mask).toEqual(Float32Array.of(1));
  expect(lean.supervised).toEqual(Float32Array.of(1));
  expect(lean.masks).toEqual(Float32Array.of(1));
  expect(lean.a).toEqual(whole.a!.subarray(3, 6));
  expect(whole.supervised).toEqual(Float32Array.of(0, 1, 0, 0));
});
