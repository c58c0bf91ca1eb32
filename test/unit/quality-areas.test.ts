/** How much of a mask lies on silent things, against the owners of pixels of a clip that is composed for the purpose. */
import { expect, test } from 'vitest';
import { centreOf, composeClip, createRenderer, type ToyClip } from '../../sdk/toybox/index.ts';
import type { DatasetItem } from '../../sdk/train/data/types.ts';
import { QuietArea, SilentArea } from '../bench/quality-areas.ts';

const size = { width: 48, height: 36 };
const pixels = size.width * size.height;

/** The first clip with a silent object of the kind that sounds, and one of another kind. */
const clip = ((): ToyClip => {
  for (let index = 0; ; index++) {
    const composed = composeClip(1, 'avs-s4', index);
    if (composed.actors.length === 3) return composed;
  }
})();

/** Logits of 5 where `on` says so for the owner of a pixel (0 where there is none), -5 elsewhere. */
function mask(on: (owner: number) => boolean): Float32Array {
  const renderer = createRenderer(clip, size.width, size.height);
  const logits = new Float32Array(clip.seconds * pixels);
  for (let second = 0; second < clip.seconds; second++) {
    renderer.draw(centreOf(second)).owner.forEach((owner, i) => {
      logits[second * pixels + i] = on(owner) ? 5 : -5;
    });
  }
  return logits;
}

function shares(on: (owner: number) => boolean) {
  const area = new SilentArea();
  area.add(clip, mask(on), size);
  return area.shares();
}

test('a perfect mask takes nothing of silent things, a full one all of them', () => {
  expect(clip.actors.map(({ heard }) => heard[0])).toEqual([true, false, false]);
  const nothing = { frames: 5, ofPicture: 0, ofObjects: 0 };
  expect(shares((owner) => owner === 1)).toEqual({ all: nothing, alike: nothing });
  const full = shares(() => true);
  expect(full.all).toMatchObject({ frames: 5, ofObjects: 100 });
  expect(full.alike.ofObjects).toBe(100);
  const silent = mask((owner) => owner > 1).filter((x) => x > 0).length;
  expect(full.all.ofPicture).toBeCloseTo((100 * silent) / (5 * pixels), 9);
});

test('of the two silent ones, that of the kind that sounds is told apart', () => {
  const alike = clip.actors.findIndex(({ label }, i) => i > 0 && label === clip.actors[0]!.label);
  const { all, alike: own } = shares((owner) => owner === alike + 1);
  expect(own.ofObjects).toBe(100);
  expect(all.ofObjects).toBeLessThan(100);
  expect(own.ofPicture).toBeCloseTo(all.ofPicture, 9);
});

test('clips in which all that is seen sounds do not count', () => {
  const area = new SilentArea();
  const alone = { ...clip, actors: clip.actors.slice(0, 1) };
  area.add(alone, new Float32Array(clip.seconds * pixels).fill(1), size);
  expect(area.shares().all).toEqual({ frames: 0, ofPicture: 0, ofObjects: 0 });
});

test('a quiet second is one whose mask is empty; unlabelled seconds do not count', async () => {
  const masks = { empty: [0, 0, 0, 0], full: [1, 1, 1, 1] };
  const area = new QuietArea(async (path) => ({
    width: 2,
    height: 2,
    data: Uint8Array.from(masks[path as keyof typeof masks]),
    levels: 2,
  }));
  const item = { labels: { task: 'segment', masks: ['empty', 'full', null, 'empty'] } } as unknown as DatasetItem;
  // One of four pixels, all of a mask that is not judged, nothing.
  const logits = Float32Array.of(1, -1, -1, 0, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1);
  await area.add(item, logits);
  expect(area.share()).toEqual({ seconds: 2, ofPicture: 12.5 });
});
