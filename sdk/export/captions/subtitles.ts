/**
 * Subtitles that are there already, as WebVTT or SubRip, and captions put between them: the blocks of a file stay letter for letter, in their order, with their times; only
 * SubRip's numbers are counted anew.
 */
import { limits } from '../../contract/limits.ts';
import { MettleError } from '../../errors.ts';

/** WebVTT or SubRip. */
export type SubtitleFormat = 'vtt' | 'srt';

/** A block of text between empty lines; `cue` has the seconds of one that is shown. */
type Block = { lines: string[]; cue: { start: number; end: number } | null };
export type Subtitles = { format: SubtitleFormat; blocks: Block[]; newline: string };

const time = String.raw`(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})`;
const timing = new RegExp(String.raw`^\s*${time}\s+-->\s+${time}(?:\s.*)?$`);
const startsVtt = /^WEBVTT(?:[ \t]|$)/;

/** Throws `invalid-file`, naming the line, for what is neither WebVTT nor SubRip, or whose times are no times of the film. */
export function readSubtitles(text: string): Subtitles {
  if (text.length > limits.tableCharacters) {
    throw faulty(`have ${text.length} characters, where ${limits.tableCharacters} are read at most.`);
  }
  const plain = text.replace(/^\ufeff/, '');
  const lines = plain.split(/\r\n|\n|\r/);
  const format = startsVtt.test(lines[0]!) ? 'vtt' : 'srt';
  const blocks: Block[] = [];
  let open: string[] = [];
  const close = (end: number): void => {
    if (open.length > 0) blocks.push(blockOf(open, format, end - open.length + 1));
    open = [];
  };
  for (const [index, line] of lines.entries()) {
    if (line.includes('X-TIMESTAMP-MAP')) {
      throw faulty(`are a piece of a stream, whose times do not begin with the film's (line ${index + 1}).`, {
        hint: 'Join the pieces into one file first, for example with ffmpeg -i playlist.m3u8 -map 0:s speech.vtt.',
      });
    }
    if (line.trim() === '') close(index);
    else open.push(line);
  }
  close(lines.length);
  if (format === 'srt' && !blocks.some(({ cue }) => cue)) {
    throw faulty('are neither WebVTT, which begins with WEBVTT, nor SubRip, whose second line has times.');
  }
  return { format, blocks, newline: /\r\n/.test(plain) ? '\r\n' : '\n' };
}

/** `line` is the number of the first of them, from 1. */
function blockOf(lines: string[], format: SubtitleFormat, line: number): Block {
  const at = lines.slice(0, 2).findIndex((text) => text.includes('-->'));
  if (at < 0) {
    if (format === 'vtt') return { lines, cue: null };
    throw faulty(`have no times in line ${line}.`);
  }
  const found = timing.exec(lines[at]!);
  if (!found) throw faulty(`have times in line ${line + at} that cannot be read.`);
  const start = secondsOf(found.slice(1, 5));
  const end = secondsOf(found.slice(5, 9));
  if (end < start) throw faulty(`end before they begin in line ${line + at}.`);
  return { lines, cue: { start, end } };
}

const secondsOf = ([hours = '0', minutes, seconds, fraction]: (string | undefined)[]): number =>
  Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(`0.${fraction}`);

/** Whether speech is shown at any time from `start` to `end`. */
export const isBusy = ({ blocks }: Subtitles, start: number, end: number): boolean =>
  blocks.some(({ cue }) => cue !== null && cue.start < end && cue.end > start);

/** A caption's lines, without its number. */
export type NewCue = { start: number; lines: string[] };

/** The file with `cues`, which are in order, put before the first block that begins later. */
export function insertCues({ format, blocks, newline }: Subtitles, cues: readonly NewCue[]): string {
  const left = [...cues];
  const all: string[][] = [];
  const before = (start: number): void => {
    while (left.length > 0 && left[0]!.start < start) all.push(left.shift()!.lines);
  };
  for (const { lines, cue } of blocks) {
    if (cue) before(cue.start);
    all.push(format === 'srt' ? lines.slice(/^\s*\d+\s*$/.test(lines[0]!) ? 1 : 0) : lines);
  }
  before(Number.POSITIVE_INFINITY);
  const numbered = format === 'srt' ? all.map((lines, index) => [String(index + 1), ...lines]) : all;
  return `${numbered.map((lines) => lines.join(newline)).join(newline + newline)}${newline}`;
}

function faulty(what: string, { hint = 'Give the text of a .vtt or .srt file.' } = {}): MettleError {
  return new MettleError('invalid-file', `The subtitles to merge with ${what}`, { hint });
}
