/** The shapes in which a backbone is fed one second, and hands out a tap. */
import type { AdapterManifest, LogMelFrontEnd, PictureFrontEnd, Tap } from './manifest.ts';

export const pictureShape = ({ height, width }: Pick<PictureFrontEnd, 'height' | 'width'>): number[] => [
  1,
  3,
  height,
  width,
];

export const soundShape = ({ layout, frames, mels }: Pick<LogMelFrontEnd, 'layout' | 'frames' | 'mels'>): number[] =>
  layout === 'plain' ? [1, frames, mels] : [1, 1, frames, mels];

/** The shape of a tap over `seconds` seconds: [seconds, tokens, width], or [seconds, width, rows, columns] of a map. */
export function tapShape({ layout, tokens, width, grid }: Tap, seconds = 1): number[] {
  return layout === 'map' ? [seconds, width, ...grid] : [seconds, tokens, width];
}

/** Names of all taps that an adapter's graphs read. */
export const tapsReadBy = ({ segment, borders }: Pick<AdapterManifest, 'segment' | 'borders'>): string[] => [
  ...new Set([...segment.reads, ...(borders?.reads ?? [])]),
];
