/** Explanations in a real page, and drawn onto its canvases. That a GPU gives the same maps is shown where it gives the same answers. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawPictureAttention, drawSoundAttention } from '../../sdk/explain/index.ts';
import { createMettle, type Mettle } from '../../sdk/index.ts';
import { checkExplainedMoments, checkExplains, checkMissingSense } from '../helpers/explain-cases.ts';
import { toyStream } from '../helpers/live-toybox.ts';

let mettle: Mettle;
beforeAll(async () => {
  mettle = await createMettle({ adapters: ['toybox-ave', 'toybox-s4'], device: 'wasm' });
});
afterAll(() => mettle.dispose());

test('answers are the same with and without, and nothing is there that was not asked for', () =>
  checkExplains(mettle, toyStream(3).clip(2)));

test('of a sense that is not there nothing is told', () => checkMissingSense(mettle, toyStream(3).clip(1)));

test('moments of a running source are explained as seconds of a clip are', () =>
  checkExplainedMoments(mettle, toyStream(3)));

test('what is drawn lies on canvases, and nothing of it outside its box', async () => {
  const { explanation } = await mettle.localize(toyStream(3).clip(2), { explain: true });
  const ctx = new OffscreenCanvas(200, 100).getContext('2d')!;
  drawPictureAttention(ctx, explanation![0]!, { x: 100, width: 100 });
  const opacity = (x: number, width: number): number =>
    ctx.getImageData(x, 0, width, 100).data.reduce((sum, value, i) => sum + (i % 4 === 3 ? value : 0), 0);
  expect(opacity(0, 98)).toBe(0);
  expect(opacity(100, 100)).toBeGreaterThan(0);
  drawSoundAttention(ctx, explanation!, { width: 100 });
  expect(opacity(0, 50)).toBeGreaterThan(0);
  expect(opacity(50, 50)).toBeGreaterThan(0);
});
