/** True masks: at another size as a picture of them would be, and kept in memory as they were read, as long as there is room. */
import { expect, test } from 'vitest';
import { resizeImage } from '../../sdk/front-end/resize.ts';
import { seededRandom } from '../../sdk/random.ts';
import { binaryMask, keepingMasks, type MaskImage } from '../../sdk/train/features/masks.ts';
import { SegmentationScore } from '../../sdk/train/metrics/segmentation.ts';

/** Discs, so that there are edges in all directions. */
function disc(width: number, height: number, seed: number): MaskImage {
  const random = seededRandom(`disc ${seed}`);
  const [x0, y0, radius] = [random() * width, random() * height, (0.1 + 0.4 * random()) * width];
  const data = Uint8Array.from({ length: width * height }, (_, i) =>
    Math.hypot((i % width) - x0, Math.floor(i / width) - y0) < radius ? 1 + (i % 250) : 0,
  );
  return { width, height, data };
}

test.each([
  [20, 12, 10, 6],
  [20, 12, 7, 5],
  [9, 9, 16, 16],
])('a mask of %d x %d at %d x %d is that of a white picture of it', (width, height, toWidth, toHeight) => {
  for (let seed = 0; seed < 20; seed++) {
    const mask = disc(width, height, seed);
    const white = Uint8Array.from({ length: 3 * mask.data.length }, (_, i) =>
      mask.data[Math.floor(i / 3)]! > 0 ? 255 : 0,
    );
    const picture = resizeImage({ width, height, data: white }, toWidth, toHeight).data;
    const expected = Array.from({ length: toWidth * toHeight }, (_, i) => (picture[3 * i]! >= 128 ? 1 : 0));
    expect([...binaryMask(mask, toWidth, toHeight)]).toEqual(expected);
  }
});

test('at its own size a mask is 0 and 1', () => {
  expect([...binaryMask({ width: 3, height: 1, data: Uint8Array.of(0, 7, 255) }, 3, 1)]).toEqual([0, 1, 1]);
});

test('what was read is kept, as 0 and 1, and not read again', async () => {
  const masks = new Map([3, 5, 8].map((side) => [`${side}.png`, disc(side, side + 1, side)]));
  const reads: string[] = [];
  const read = keepingMasks(async (path) => {
    reads.push(path);
    return masks.get(path)!;
  });
  for (const _ of [1, 2, 3]) {
    for (const [path, { width, height, data }] of masks) {
      const got = await read(path);
      expect([got.width, got.height]).toEqual([width, height]);
      expect([...got.data].map((value) => value > 0)).toEqual([...data].map((value) => value > 0));
      // Whoever writes into a mask does so for himself.
      got.data.fill(0);
      if (got.data === data) masks.set(path, disc(width, width + 1, width));
    }
  }
  expect(reads).toEqual([...masks.keys()]);
});

test('masks beyond the room are read each time', async () => {
  const reads: string[] = [];
  const read = keepingMasks(async (path) => {
    reads.push(path);
    return disc(8, 8, 1);
  }, 12);
  for (const path of ['a', 'b', 'a', 'b']) await read(path);
  expect(reads).toEqual(['a', 'b', 'b']);
});

test('a mask that could not be read is tried again', async () => {
  let calls = 0;
  const read = keepingMasks(async () => {
    calls++;
    if (calls === 1) throw new Error('not there yet');
    return disc(4, 4, 2);
  });
  await expect(read('a')).rejects.toThrow('not there yet');
  expect((await read('a')).width).toBe(4);
  await read('a');
  expect(calls).toBe(2);
});

test('pixels that nobody knows are -1, at any size, and stay so when a mask is kept', async () => {
  const data = Uint8Array.of(1, 1, 0, 0, 1, 0, 0, 0);
  const ignored = Uint8Array.of(0, 0, 0, 1, 0, 0, 1, 1);
  const mask = { width: 4, height: 2, data, ignored };
  expect([...binaryMask(mask, 4, 2)]).toEqual([1, 1, 0, -1, 1, 0, -1, -1]);
  expect([...binaryMask(mask, 2, 1)]).toEqual([1, -1]);
  const read = keepingMasks(async () => mask);
  for (const _ of [1, 2]) expect([...binaryMask(await read('a'), 4, 2)]).toEqual([1, 1, 0, -1, 1, 0, -1, -1]);
});

test('pixels that nobody knows count for nothing in the figures', () => {
  const score = (logits: number[], truth: number[]) => {
    const sum = new SegmentationScore();
    sum.addClip(logits, truth, truth.length);
    return sum.figures();
  };
  const known = score([5, -5, 5, -5], [1, 0, 0, 1]);
  expect(score([5, -5, 5, -5, 5, -5], [1, 0, 0, 1, -1, -1])).toEqual(known);
  expect(known.mJ).toBeCloseTo(1 / 3, 6);
});
