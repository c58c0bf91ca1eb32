/** Heat maps on pixels everywhere, and on a real canvas where there is one. */
import { describe, expect, test } from 'vitest';
import { drawPictureAttention, drawSoundAttention } from '../../sdk/explain/index.ts';
import { even, explainedSecond, spot } from '../helpers/explanation.ts';

const pixels = (width: number, height: number) => ({
  width,
  height,
  data: new Uint8ClampedArray(4 * width * height).fill(100),
});
type Pixels = ReturnType<typeof pixels>;
const at = ({ width, data }: Pixels, x: number, y: number): number[] => [
  ...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4),
];
const untouched = [100, 100, 100, 100];

describe('over a picture', () => {
  test('full attention is as opaque as alpha says, and none where it is not', () => {
    const target = pixels(36, 18);
    drawPictureAttention(target, explainedSecond(0, spot(2, 4, 5), null), { color: [200, 0, 100], alpha: 0.5 });
    // The middle of the cell in row 1, column 1.
    expect(at(target, 13, 13)).toEqual([150, 50, 100, 100]);
    expect(at(target, 35, 17)).toEqual(untouched);
    expect(at(target, 2, 2)).toEqual(untouched);
  });

  test('even attention draws nothing, and twice the even share half as much as three times does', () => {
    const flat = pixels(8, 8);
    drawPictureAttention(flat, explainedSecond(0, even(4, 4), null));
    expect([...new Set(flat.data)]).toEqual([100]);
    const shares = { rows: 1, columns: 4, data: Float32Array.of(0.5, 0.25, 0.25, 0) };
    const [twice, thrice] = [shares, { ...shares, data: Float32Array.of(0.75, 0.25, 0, 0) }].map((map) => {
      const target = pixels(40, 1);
      drawPictureAttention(target, explainedSecond(0, map, null), { color: [200, 100, 100], alpha: 1, full: 4 });
      return at(target, 4, 0)[0]! - 100;
    });
    expect(twice! / 100).toBeCloseTo(1 / 3, 1);
    expect(thrice! / 100).toBeCloseTo(2 / 3, 1);
  });

  test('stays in its box', () => {
    const target = pixels(20, 10);
    drawPictureAttention(target, explainedSecond(0, spot(1, 1, 0), null), {
      x: 10,
      y: 5,
      width: 5,
      height: 3,
      full: 1.01,
    });
    expect([...new Set(target.data)]).toEqual([100]);
    drawPictureAttention(target, explainedSecond(0, { rows: 1, columns: 2, data: Float32Array.of(0, 1) }, null), {
      ...{ x: 10, y: 5, width: 6, height: 3, full: 1.5, alpha: 1, color: [0, 0, 0] },
    });
    expect(at(target, 15, 6)).toEqual([0, 0, 0, 100]);
    for (const [x, y] of [
      [9, 6],
      [16, 6],
      [15, 4],
      [15, 8],
    ] as const)
      expect(at(target, x, y)).toEqual(untouched);
  });

  test('without picture nothing is drawn; a layer that was not read is refused', () => {
    const target = pixels(4, 4);
    drawPictureAttention(target, explainedSecond(0, null, null));
    expect([...new Set(target.data)]).toEqual([100]);
    const second = explainedSecond(0, spot(2, 2, 0), null);
    drawPictureAttention(target, second, { layer: 'visual.top' });
    expect(at(target, 0, 0)).not.toEqual(untouched);
    expect(() => drawPictureAttention(target, second, { layer: 'visual.tup' })).toThrow(
      /not read. Did you mean "visual.top"/,
    );
    expect(() => drawPictureAttention(target, second, { full: 1 })).toThrow(/style.full must be/);
    expect(() => drawPictureAttention(target, {} as never)).toThrow(/second must be a second of an explanation/);
    expect(() => drawPictureAttention({ width: 4, height: 4, data: new Uint8Array(3) }, second)).toThrow(
      /target must be/,
    );
  });
});

describe('over a sound', () => {
  test('time runs from left to right, low bands are below', () => {
    const target = pixels(80, 20);
    // The second second: its last of four steps, the lower of two bands.
    const seconds = [explainedSecond(0, null, even(4, 2)), explainedSecond(1, null, spot(4, 2, 6))];
    drawSoundAttention(target, seconds, { ink: null, alpha: 1, color: [0, 0, 0], full: 2 });
    expect(at(target, 75, 15)).toEqual([0, 0, 0, 100]);
    for (const [x, y] of [
      [75, 4],
      [65, 15],
      [35, 15],
      [5, 15],
    ] as const)
      expect(at(target, x, y)).toEqual(untouched);
  });

  test('louder is more opaque, a second without sound is empty', () => {
    const target = pixels(60, 4);
    const loud = { rows: 2, columns: 1, data: Float32Array.of(-80, -10) };
    const seconds = [0, 1, 2].map((start) => explainedSecond(start, null, start === 1 ? null : even(2, 1), loud));
    drawSoundAttention(target, seconds, { ink: [0, 0, 0] });
    expect(at(target, 15, 2)[0]).toBeLessThan(20);
    expect(at(target, 5, 2)[0]).toBeGreaterThan(at(target, 15, 2)[0]!);
    expect(at(target, 30, 2)).toEqual(untouched);
    drawSoundAttention(target, []);
    drawSoundAttention(pixels(4, 4), [explainedSecond(0, null, null)]);
    expect(() => drawSoundAttention(target, seconds[0] as never)).toThrow(/seconds must be a list/);
  });

  test('the last second, where it is short, takes no more room than its time', () => {
    const target = pixels(60, 2);
    const short = { ...explainedSecond(1, null, spot(4, 1, 1)), end: 1.5 };
    drawSoundAttention(target, [explainedSecond(0, null, even(4, 1)), short], {
      ink: null,
      alpha: 1,
      color: [0, 0, 0],
      full: 2,
    });
    // 60 pixels for 1.5 s: the second step of the last second is from 1.25 to 1.5 s.
    expect(at(target, 55, 1)).toEqual([0, 0, 0, 100]);
    expect(at(target, 45, 1)).toEqual(untouched);
  });
});

describe.skipIf(typeof OffscreenCanvas === 'undefined')('on an OffscreenCanvas', () => {
  test('both lie in their boxes, over what was there', () => {
    const ctx = new OffscreenCanvas(80, 40).getContext('2d')!;
    ctx.fillStyle = '#fff';
    ctx.fillRect(0, 0, 80, 40);
    const color = (x: number, y: number): number[] => [...ctx.getImageData(x, y, 1, 1).data];
    drawPictureAttention(ctx, explainedSecond(0, spot(2, 2, 3), null), { alpha: 0.5, color: [0, 0, 0], height: 20 });
    for (const channel of color(70, 17).slice(0, 3)) expect(Math.abs(channel - 127)).toBeLessThanOrEqual(2);
    expect(color(5, 5)).toEqual([255, 255, 255, 255]);
    expect(color(70, 30)).toEqual([255, 255, 255, 255]);
    const style = { y: 20, height: 20, ink: null, alpha: 1, color: [255, 0, 0] as const, full: 2 };
    drawSoundAttention(ctx, [explainedSecond(0, null, spot(4, 2, 1))], style);
    expect(color(10, 22)).toEqual([255, 0, 0, 255]);
    expect(color(50, 22)).toEqual([255, 255, 255, 255]);
  });
});
