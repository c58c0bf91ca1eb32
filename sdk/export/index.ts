/**
 * `mettle-edge/export`: results in the forms that other programs read. Captions of sounds for people who do not hear, chapters, tables, markers for cutting
 * programs, masks as run lengths. Nothing is loaded and no file is written here: each takes results and gives text.
 *
 * @example
 * import { captions, toChapters } from 'mettle-edge/export';
 *
 * const result = await mettle.parse('film.mp4');
 * const vtt = captions(result, { language: 'en', merge: await readFile('film.en.vtt', 'utf8') });
 * const chapters = toChapters(result, { format: 'ffmetadata' });
 *
 * @module mettle-edge/export
 */
export { type CaptionOptions, type CaptionTiming, captionCues, captions } from './captions/captions.ts';
export type { CaptionCue, CaptionedSound } from './captions/layout.ts';
export { type CaptionLanguage, captionLanguages } from './captions/phrases.ts';
export type { SubtitleFormat } from './captions/subtitles.ts';
export { type ChapterOptions, toChapters } from './chapters.ts';
export { fromJSON } from './document.ts';
export { type FrameRate, frameRates, type MarkerOptions, toMarkers } from './markers.ts';
export { type MaskRuns, toMaskRuns } from './mask-runs.ts';
export { toCSV } from './table.ts';
