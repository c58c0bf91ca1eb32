/** Events as chapters, which players show on their seek bar: stretches that do not overlap, each named by what is most certain in it. */
import { checkOptions, number, oneOf, type Rules } from '../contract/options.ts';
import { oneLine } from '../contract/plain-text.ts';
import { cueText, timestamp } from '../tasks/cue.ts';
import { type FoundEvent, foundEvents, type Results, resultsOf } from '../tasks/given.ts';

/** How chapters are cut and written. */
export type ChapterOptions = {
  /** WebVTT for `<track kind="chapters">` (the default), or FFmpeg's metadata file, for `ffmpeg -i film.mp4 -i chapters.txt -map_chapters 1 -c copy`. */
  format?: 'vtt' | 'ffmetadata';
  /** Seconds below which a stretch becomes part of the one before it; default 3. */
  minDuration?: number;
};

const rules: Rules<ChapterOptions> = {
  format: oneOf('vtt', 'ffmetadata'),
  minDuration: number(0, 86_400, 'a number of seconds'),
};

/** Chapters as text; none where nothing happens. Throws `invalid-argument`. */
export function toChapters(from: Results, options: ChapterOptions = {}): string {
  checkOptions(options, rules);
  const { format = 'vtt', minDuration = 3 } = options;
  const chapters = chaptersOf(foundEvents(resultsOf(from)), minDuration);
  return format === 'vtt' ? webVTT(chapters) : metadata(chapters);
}

/** Milliseconds. */
type Chapter = { start: number; end: number; label: string };

/** Of all events at a time the most certain one counts; of its borders and those of others the stretches are made. */
function chaptersOf(events: readonly FoundEvent[], minDuration: number): Chapter[] {
  const milliseconds = (seconds: number): number => Math.round(seconds * 1000);
  const borders = [...new Set(events.flatMap(({ start, end }) => [milliseconds(start), milliseconds(end)]))];
  borders.sort((a, b) => a - b);
  const chapters: Chapter[] = [];
  borders.slice(0, -1).forEach((start, index) => {
    const end = borders[index + 1]!;
    const here = events.filter((event) => milliseconds(event.start) <= start && milliseconds(event.end) >= end);
    if (here.length === 0) return;
    const { label } = here.reduce((best, event) => (event.confidence > best.confidence ? event : best));
    const last = chapters.at(-1);
    const follows = last?.end === start;
    if (follows && (last.label === label || end - start < minDuration * 1000)) last.end = end;
    else chapters.push({ start, end, label });
  });
  return chapters;
}

function webVTT(chapters: readonly Chapter[]): string {
  const cues = chapters.map(
    ({ start, end, label }) => `${timestamp(start)} --> ${timestamp(end)}\n${cueText(label)}\n`,
  );
  return ['WEBVTT\n', ...cues].join('\n');
}

function metadata(chapters: readonly Chapter[]): string {
  const escaped = (label: string): string => oneLine(label).replace(/[=;#\\]/g, String.raw`\$&`);
  const sections = chapters.map(
    ({ start, end, label }) => `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=${escaped(label)}\n`,
  );
  return [';FFMETADATA1\n', ...sections].join('\n');
}
