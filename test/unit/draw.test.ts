/** Canvas helpers. Pixels are checked everywhere; a real canvas where there is one, a recording one elsewhere. */
import { describe, expect, test } from 'vitest';
import type { DrawContext } from '../../sdk/tasks/canvas.ts';
import { classColor, classRgb } from '../../sdk/tasks/color.ts';
import { drawMask, drawTimeline } from '../../sdk/tasks/draw.ts';
import type { Mask, ParsingResult, SegmentationResult } from '../../sdk/tasks/types.ts';

/** Left half sure, right half empty. */
const mask: Mask = {
  ...{ start: 0, end: 1, width: 2, height: 1, data: Uint8Array.of(255, 0), area: 0.5 },
  ...{ familiarity: null, withheld: false },
};
const base = { adapter: 'a', duration: 4, untrained: false, scope: null, withheld: 0, warnings: [] };
const parsing: ParsingResult = {
  ...base,
  task: 'parse',
  classes: ['Dog', 'Bell'],
  seconds: [],
  events: [
    { modality: 'audio', label: 'Dog', classIndex: 0, start: 0, end: 2, resolution: 1, confidence: 1 },
    { modality: 'audio', label: 'Bell', classIndex: 1, start: 1, end: 4, resolution: 1, confidence: 1 },
    { modality: 'visual', label: 'Dog', classIndex: 0, start: 3, end: 4, resolution: 1, confidence: 1 },
  ],
};
const segmentation: SegmentationResult = { ...base, task: 'segment', masks: [{ ...mask, start: 1, end: 2 }] };

/** A canvas that only remembers filled rectangles and texts. */
function recorder() {
  const rects: [string, ...number[]][] = [];
  const texts: string[] = [];
  const ctx = {
    fillStyle: '',
    fillRect(...box: number[]) {
      rects.push([this.fillStyle, ...box]);
    },
    fillText: (text: string) => texts.push(text),
    measureText: (text: string) => ({ width: 6 * text.length }),
    save() {},
    restore() {},
    beginPath() {},
    rect() {},
    clip() {},
  };
  return { ctx: ctx as unknown as DrawContext, rects, texts };
}

describe('colours', () => {
  test('are stable, distinct for the 28 classes of AVE, and light enough for dark text', () => {
    const colors = Array.from({ length: 28 }, (_, index) => classColor(index));
    expect(new Set(colors).size).toBe(28);
    for (const [index, color] of colors.entries()) {
      expect(color).toMatch(/^#[0-9a-f]{6}$/);
      const linear = classRgb(index).map((c) =>
        c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
      );
      const luminance = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
      // WCAG contrast against #16181d (luminance 0.0092) of at least 4.5.
      expect((luminance + 0.05) / (0.0092 + 0.05)).toBeGreaterThan(4.5);
    }
  });
});

describe('drawMask on pixels', () => {
  test('blends where the mask is, and nowhere else', () => {
    const pixels = { width: 4, height: 2, data: new Uint8ClampedArray(32).fill(100) };
    drawMask(pixels, mask, { color: [200, 0, 100], alpha: 0.5 });
    const at = (x: number, y: number) => [...pixels.data.subarray(4 * (4 * y + x), 4 * (4 * y + x) + 4)];
    for (const y of [0, 1]) {
      expect(at(0, y)).toEqual([150, 50, 100, 100]);
      expect(at(1, y)).toEqual([150, 50, 100, 100]);
      expect(at(2, y)).toEqual([100, 100, 100, 100]);
      expect(at(3, y)).toEqual([100, 100, 100, 100]);
    }
  });
});

describe('drawTimeline', () => {
  test('events lie where their times say, lanes and overlaps below each other', () => {
    const { ctx, rects, texts } = recorder();
    drawTimeline(ctx, parsing, { width: 400, height: 80, x: 10, y: 5, faint: 'faint' });
    expect(rects).toEqual([
      ['faint', 10, 5, 400, 80],
      [classColor(0), 10, 6, 199, 18],
      [classColor(1), 110, 26, 299, 18],
      [classColor(0), 310, 46, 99, 18],
    ]);
    expect(texts).toEqual(['Dog', 'Bell', 'Dog']);
  });

  test('masked area as bars, and a marker', () => {
    const { ctx, rects } = recorder();
    drawTimeline(ctx, segmentation, { width: 400, height: 80, ink: 'ink', faint: 'faint', now: 3 });
    expect(rects).toEqual([
      ['faint', 0, 0, 400, 80],
      ['ink', 100, 40, 99, 40],
      ['ink', 299, 0, 2, 80],
    ]);
  });
});

describe.skipIf(typeof OffscreenCanvas === 'undefined')('on an OffscreenCanvas', () => {
  test('drawMask scales to the canvas and respects alpha', () => {
    const ctx = new OffscreenCanvas(40, 20).getContext('2d')!;
    ctx.fillStyle = '#000';
    ctx.fillRect(0, 0, 40, 20);
    drawMask(ctx, mask, { color: [200, 100, 0], alpha: 0.5 });
    const [red, green, blue] = ctx.getImageData(2, 10, 1, 1).data;
    expect(Math.abs(red! - 100)).toBeLessThanOrEqual(2);
    expect(Math.abs(green! - 50)).toBeLessThanOrEqual(2);
    expect(blue).toBe(0);
    expect([...ctx.getImageData(38, 10, 1, 1).data]).toEqual([0, 0, 0, 255]);
  });

  test('drawTimeline paints class colours and leaves the rest of the canvas alone', () => {
    const ctx = new OffscreenCanvas(400, 100).getContext('2d')!;
    drawTimeline(ctx, parsing, { width: 400, height: 80, font: null });
    expect([...ctx.getImageData(50, 10, 1, 1).data]).toEqual([...classRgb(0), 255]);
    expect([...ctx.getImageData(350, 30, 1, 1).data]).toEqual([...classRgb(1), 255]);
    expect(ctx.getImageData(50, 90, 1, 1).data[3]).toBe(0);
  });
});
