/** How much of an adapter's attention lies on things in toybox clips, beside how much of the picture these take up. */
import type { AttentionMap, Mettle, RgbImage } from '../../sdk/index.ts';
import { centreOf, composeClip, createRenderer, soundtrackOf, type ToyboxLayout } from '../../sdk/toybox/index.ts';

const side = 128;
const sampleRate = 32_000;

/** Means over seconds: of attention, and of the picture. */
export type Share = {
  seconds: number;
  attention: number;
  area: number /** Seconds in which it is more than the area. */;
  above: number;
};
/** Of things that sound, and of things that are there in silence. */
export type ThingShares = { sounding: Share; silent: Share };

/** By adapter, over all clips of the test split with these numbers; seconds without such a thing do not count. */
export async function attentionOnThings(
  mettle: Mettle,
  layout: ToyboxLayout,
  clips: readonly number[],
): Promise<Map<string, ThingShares>> {
  const all = new Map<string, ThingShares>();
  for (const index of clips) {
    const clip = composeClip(11, layout, 10 * index + 9);
    const renderer = createRenderer(clip, side, side);
    const frames: RgbImage[] = [];
    const owners: Uint8Array[] = [];
    for (let second = 0; second < clip.seconds; second++) {
      const { rgb, owner } = renderer.draw(centreOf(second));
      frames.push({ width: side, height: side, data: Uint8Array.from(rgb) });
      owners.push(Uint8Array.from(owner));
    }
    const audio = { channels: [Float32Array.from(soundtrackOf(clip, sampleRate))], sampleRate };
    const { results } = await mettle.analyze({ frames, frameRate: 1, audio }, { explain: true });
    for (const { adapter, explanation } of results) {
      if (!all.has(adapter)) all.set(adapter, { sounding: nothing(), silent: nothing() });
      explanation!.forEach(({ picture }, second) => {
        for (const kind of ['sounding', 'silent'] as const) {
          const there = clip.actors.map(({ heard }) => heard[second] === (kind === 'sounding'));
          const mask = owners[second]!.map((number) => (number > 0 && there[number - 1] ? 1 : 0));
          count(all.get(adapter)![kind], picture!.map!, mask);
        }
      });
    }
  }
  return all;
}

const nothing = (): Share => ({ seconds: 0, attention: 0, area: 0, above: 0 });

function count(share: Share, { rows, columns, data }: AttentionMap, mask: Uint8Array): void {
  const pixels = mask.reduce((sum, inside) => sum + inside, 0);
  if (pixels === 0) return;
  const perPixel = (rows * columns) / side ** 2;
  let attention = 0;
  mask.forEach((inside, i) => {
    const row = Math.floor((Math.floor(i / side) / side) * rows);
    if (inside) attention += data[row * columns + Math.floor(((i % side) / side) * columns)]! * perPixel;
  });
  const area = pixels / mask.length;
  share.attention = mean(share.attention, share.seconds, attention);
  share.area = mean(share.area, share.seconds, area);
  share.above += attention > area ? 1 : 0;
  share.seconds++;
}

const mean = (before: number, count: number, value: number): number => (before * count + value) / (count + 1);
