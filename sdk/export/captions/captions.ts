/**
 * Captions of the sounds that are no speech, for people who do not hear: `[dog barking]` where the dog is in the picture, `[off-screen: dog barking]` where it is not,
 * which only parsing of both senses can tell.
 */
import { checkOptions, number, oneOf, type Rules, record, text } from '../../contract/options.ts';
import { oneLine } from '../../contract/plain-text.ts';
import { MettleError } from '../../errors.ts';
import { cueText, timestamp } from '../../tasks/cue.ts';
import { type Results, resultsOf } from '../../tasks/given.ts';
import { type CaptionCue, layOut } from './layout.ts';
import { type CaptionLanguage, captionLanguages, offScreenWord, phraseFor } from './phrases.ts';
import { soundsOf } from './sounds.ts';
import { insertCues, isBusy, readSubtitles, type SubtitleFormat, type Subtitles } from './subtitles.ts';

/** Which sounds are named, and how long. */
export type CaptionTiming = {
  /** Seconds that a caption is shown at least, also of a shorter sound; default 5/6. */
  minDuration?: number;
  /** Seconds that it is shown at most, also of a longer sound; default 5. */
  maxDuration?: number;
  /** Seconds between two captions; default 1/12, two frames of 24 a second. */
  minGap?: number;
  /** A sound that pauses for less than so many seconds is not named again; default 3. */
  pause?: number;
  /** What has less confidence is left out, 0 to 1; default 0: the adapter decides. */
  minConfidence?: number;
  /** Labels that are left out, such as `Person speaking` beside subtitles of what is said. */
  leaveOut?: readonly string[];
};

/** How captions are written. */
export type CaptionOptions = CaptionTiming & {
  /** Default `en`. */
  language?: CaptionLanguage;
  /** Text by label, before the language's own. */
  phrases?: Record<string, string>;
  /** Default: that of `merge`, or `vtt`. */
  format?: SubtitleFormat;
  /** Text of a WebVTT or SubRip file with what is said; its cues stay as they are, and captions that meet one stand at the top of the picture. */
  merge?: string;
};

const timingRules: Rules<CaptionTiming> = {
  minDuration: number(0.1, 60, 'a number of seconds'),
  maxDuration: number(0.1, 86_400, 'a number of seconds'),
  minGap: number(0, 60, 'a number of seconds'),
  pause: number(0, 86_400, 'a number of seconds'),
  minConfidence: number(0, 1),
  leaveOut: { expected: 'a list of labels', fits: (value) => Array.isArray(value) },
};
const rules: Rules<CaptionOptions> = {
  ...timingRules,
  language: oneOf(...captionLanguages),
  phrases: record,
  format: oneOf('vtt', 'srt'),
  merge: text,
};

/**
 * When captions are shown and what they name. From results of `parse`, whose heard events are named as on-screen while they are seen too and as off-screen
 * else; events of `localize` are on-screen, or of no place where the adapter listens alone. Throws `invalid-argument`.
 */
export function captionCues(from: Results, options: CaptionTiming = {}): CaptionCue[] {
  checkOptions(options, timingRules);
  const results = resultsOf(from);
  const {
    minDuration = 5 / 6,
    maxDuration = 5,
    minGap = 1 / 12,
    pause = 3,
    minConfidence = 0,
    leaveOut = [],
  } = options;
  if (maxDuration < minDuration) {
    throw new MettleError('invalid-argument', 'options.maxDuration must not be below options.minDuration.');
  }
  const sounds = soundsOf(results, pause).filter(
    ({ label, confidence }) => confidence >= minConfidence && !leaveOut.includes(label),
  );
  const duration = Math.max(0, ...results.map((result) => result.duration));
  return layOut(sounds, duration, { minDuration, maxDuration, minGap });
}

/**
 * Captions as the text of a WebVTT or SubRip file. Throws `invalid-argument`, and `invalid-file`, naming the line, where `merge` cannot be read.
 *
 * @example
 * const vtt = captions(await mettle.parse(film), { language: 'en', merge: await speech.text() });
 */
export function captions(from: Results, options: CaptionOptions = {}): string {
  checkOptions(options, rules);
  const { language = 'en', phrases, merge, format: asked, ...timing } = options;
  const speech = merge === undefined ? empty(asked ?? 'vtt') : readSubtitles(merge);
  const { format } = speech;
  if (asked !== undefined && asked !== format) {
    throw new MettleError(
      'invalid-argument',
      `options.format is ${asked}, but the subtitles to merge with are ${format}.`,
      {
        hint: 'Leave the format out, or convert the subtitles first.',
      },
    );
  }
  const cues = captionCues(from, timing).map((cue) => {
    const [start, end] = [Math.round(cue.start * 1000), Math.round(cue.end * 1000)];
    const top = isBusy(speech, cue.start, cue.end);
    const lines = cue.sounds.map(({ label, place }) => {
      const said = `${place === 'off-screen' ? `${offScreenWord(language)}: ` : ''}${phraseFor(label, language, phrases)}`;
      return `[${format === 'vtt' ? cueText(said) : withoutMarkup(said)}]`;
    });
    return { start: cue.start, lines: written(format, start, end, lines, top) };
  });
  return insertCues(speech, cues);
}

const empty = (format: SubtitleFormat): Subtitles => ({
  format,
  blocks: format === 'vtt' ? [{ lines: ['WEBVTT'], cue: null }] : [],
  newline: '\n',
});

/** SubRip knows no escapes. */
const withoutMarkup = (said: string): string => oneLine(said).replace(/[<>{}]/g, '');

/** SubRip has no settings, but players agree on `{\an8}` for the top. */
function written(format: SubtitleFormat, start: number, end: number, lines: readonly string[], top: boolean): string[] {
  const point = format === 'vtt' ? '.' : ',';
  const times = `${timestamp(start, point)} --> ${timestamp(end, point)}`;
  if (format === 'vtt') return [`${times}${top ? ' line:0' : ''}`, ...lines];
  return [times, `${top ? String.raw`{\an8}` : ''}${lines[0]}`, ...lines.slice(1)];
}
