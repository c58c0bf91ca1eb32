/**
 * `mettle-edge/explain`: where an adapter looked and listened, drawn onto a canvas or onto pixels. What is drawn comes with a result that was asked for with
 * `explain: true`.
 *
 * @example
 * import { drawPictureAttention, drawSoundAttention } from 'mettle-edge/explain';
 *
 * const { explanation } = await mettle.localize(file, { explain: true });
 * drawPictureAttention(canvas.getContext('2d'), explanation[3]);
 * drawSoundAttention(below.getContext('2d'), explanation);
 *
 * @module mettle-edge/explain
 */
export { type AttentionStyle, drawPictureAttention, drawSoundAttention, type SoundStyle } from './draw.ts';
