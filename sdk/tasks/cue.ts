/** The parts of a WebVTT cue. */
import { oneLine } from '../contract/plain-text.ts';

/** `HH:MM:SS.mmm` of whole milliseconds; `point` stands before the last three digits. */
export function timestamp(milliseconds: number, point = '.'): string {
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const seconds = Math.floor(milliseconds / 1000);
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${point}${pad(milliseconds % 1000, 3)}`;
}

/** Cue text must not hold markup, an arrow, a line break or a control character. */
export function cueText(text: string): string {
  return oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
