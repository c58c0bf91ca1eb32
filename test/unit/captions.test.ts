/** Captions of sounds: which are named, where their sources are said to be, how long they stand, and how they join subtitles that are there already. In a browser the text is also read by the browser. */
import { describe, expect, test } from 'vitest';
import type { Sense } from '../../sdk/contract/manifest.ts';
import { type CaptionOptions, captionCues, captions } from '../../sdk/export/index.ts';
import type { LocalizationResult, ParsedEvent, ParsingResult } from '../../sdk/tasks/types.ts';
import { heard as heardEvent, parsed } from '../helpers/parsed.ts';
import { cuesOf } from '../helpers/vtt-cues.ts';

type Heard = [label: string, start: number, end: number, confidence?: number];

/** What parsing finds where these are heard and those are seen and heard. */
function parsing(heard: Heard[], both: Heard[] = [], more: Partial<ParsingResult> = {}): ParsingResult {
  const events = (list: Heard[], modality: ParsedEvent['modality']) =>
    list.map((one): ParsedEvent => ({ ...heardEvent(...one), modality }));
  return parsed([...events(heard, 'audio'), ...events(both, 'audio-visual')], more);
}

const timesOf = (result: ParsingResult, options?: CaptionOptions) =>
  captionCues(result, options).map(({ start, end, sounds }) => [
    start,
    Number(end.toFixed(3)),
    ...sounds.map(({ label, place }) => `${label} ${place}`),
  ]);

describe('on-screen or off-screen', () => {
  test('a sound is on-screen where its source is seen for half of the time that the caption stands', () => {
    expect(timesOf(parsing([['dog', 0, 4]], [['dog', 0, 2]]))).toEqual([[0, 4, 'dog on-screen']]);
    expect(timesOf(parsing([['dog', 0, 4]], [['dog', 3, 4]]))).toEqual([[0, 4, 'dog off-screen']]);
    // Seen all the time, but only after the caption is gone.
    expect(timesOf(parsing([['rain', 0, 30]], [['rain', 6, 30]]))).toEqual([[0, 5, 'rain off-screen']]);
    expect(timesOf(parsing([['dog', 0, 4]], [['cat', 0, 4]]))).toEqual([[0, 4, 'dog off-screen']]);
  });

  test('nothing is said about places where the clip has no picture', () => {
    const warnings = [{ code: 'no-picture' as const, message: '' }];
    expect(timesOf(parsing([['dog', 0, 4]], [], { warnings }))).toEqual([[0, 4, 'dog null']]);
    expect(captions(parsing([['dog', 0, 4]], [], { warnings }))).toContain('\n[dog barking]\n');
  });

  test('what localization found is seen and heard; what is only seen makes no sound', () => {
    const found: LocalizationResult = {
      ...parsing([]),
      task: 'localize',
      seconds: [],
      events: [{ label: 'bell', classIndex: 0, start: 2, end: 5, resolution: 1, confidence: 0.8 }],
    };
    expect(captions(found)).toBe('WEBVTT\n\n00:00:02.000 --> 00:00:05.000\n[bell ringing]\n');
    const events = found.events;
    const scope = (...senses: Sense[]) => ({ senses, world: '', unknown: '' });
    // Who listens alone cannot tell where it is.
    const heard = captionCues({ ...found, scope: scope('audio'), events });
    expect(heard.map(({ sounds }) => sounds)).toEqual([[{ label: 'bell', place: null }]]);
    expect(captions({ ...found, scope: scope('visual'), events })).toBe('WEBVTT\n');
    const seen = parsing([]);
    seen.events = [{ modality: 'visual', label: 'dog', classIndex: 0, start: 0, end: 3, resolution: 1, confidence: 1 }];
    expect(captions(seen)).toBe('WEBVTT\n');
  });
});

describe('times', () => {
  test('a sound that pauses is named once; after three seconds of silence it is named again', () => {
    const barks = parsing([
      ['dog', 0, 1],
      ['dog', 2, 3],
      ['dog', 10, 11],
    ]);
    expect(timesOf(barks)).toEqual([
      [0, 3, 'dog off-screen'],
      [10, 11, 'dog off-screen'],
    ]);
    expect(timesOf(barks, { pause: 0 })).toHaveLength(3);
  });

  test('no caption is too short, too long, after the clip, or over another', () => {
    const result = parsing(
      [
        ['sneeze', 1, 1.2],
        ['rain', 2, 58],
        ['dog', 4, 5],
        ['bell', 59.8, 60],
      ],
      [],
    );
    const cues = captionCues(result);
    expect(cues.map(({ start }) => start)).toEqual([1, 2, 4, 60 - 5 / 6]);
    cues.forEach(({ start, end }, index) => {
      expect(end - start).toBeGreaterThan(5 / 6 - 1e-9);
      expect(end - start).toBeLessThanOrEqual(5 + 1e-9);
      expect(end).toBeLessThanOrEqual(60 + 1e-9);
      if (cues[index + 1]) expect(cues[index + 1]!.start - end).toBeGreaterThan(1 / 12 - 1e-9);
    });
  });

  test('sounds that begin together share a caption, the two most certain', () => {
    const chord = parsing([
      ['dog', 3, 6, 0.6],
      ['rain', 3, 6, 0.9],
      ['bell', 3.5, 6, 0.7],
    ]);
    expect(timesOf(chord)).toEqual([[3, 6, 'rain off-screen', 'bell off-screen']]);
    expect(captions(chord)).toContain('[off-screen: rain falling]\n[off-screen: bell ringing]\n');
  });

  test('what is not certain enough, and what subtitles say already, is left out', () => {
    const result = parsing([
      ['Person speaking', 0, 10, 0.99],
      ['dog', 20, 22, 0.4],
    ]);
    expect(timesOf(result, { leaveOut: ['Person speaking'], minConfidence: 0.5 })).toEqual([]);
  });
});

describe('words', () => {
  test.each([
    ['en', '[off-screen: dog barking]'],
    ['de', '[außerhalb des Bildes: Hund bellt]'],
    ['fr', '[hors champ: chien qui aboie]'],
  ] as const)('%s', (language, text) => {
    expect(captions(parsing([['Dog bark', 0, 2]]), { language })).toContain(`\n${text}\n`);
  });

  test('phrases of the caller go first, unknown labels stand as they are, and no label ends a cue', () => {
    const result = parsing([
      ['dog', 0, 2],
      ['zither --> <b>\n\n', 9, 11],
    ]);
    const text = captions(result, { phrases: { dog: 'a very good dog' } });
    expect(text).toContain('[off-screen: a very good dog]');
    expect(text).toContain('[off-screen: zither --&gt; &lt;b&gt; ]');
    expect(captions(result, { format: 'srt' })).toContain('[off-screen: zither -- b ]');
  });
});

const speech = `\ufeffWEBVTT - Speech

STYLE
::cue { color: yellow }

NOTE a line for editors

hello
00:01.000 --> 00:03.500 position:20%
<v Ann>Hello &amp; welcome

01:00:00.000 --> 01:00:01.000
Goodbye
`;

describe('merging', () => {
  test('cues of speech stay letter for letter; a caption that meets one stands at the top', () => {
    const text = captions(
      parsing([
        ['dog', 2, 4],
        ['rain', 20, 22],
      ]),
      { merge: speech },
    );
    expect(text).toBe(`WEBVTT - Speech

STYLE
::cue { color: yellow }

NOTE a line for editors

hello
00:01.000 --> 00:03.500 position:20%
<v Ann>Hello &amp; welcome

00:00:02.000 --> 00:00:04.000 line:0
[off-screen: dog barking]

00:00:20.000 --> 00:00:22.000
[off-screen: rain falling]

01:00:00.000 --> 01:00:01.000
Goodbye
`);
  });

  test('SubRip is counted anew and keeps its line ends', () => {
    const srt = '7\r\n00:00:01,000 --> 00:00:03,000\r\nHello\r\n\r\n\r\n8\r\n00:00:30,000 --> 00:00:31,000\r\nBye\r\n';
    expect(
      captions(
        parsing([
          ['dog', 2, 4],
          ['rain', 20, 22],
        ]),
        { merge: srt },
      ).split('\r\n'),
    ).toEqual([
      ...['1', '00:00:01,000 --> 00:00:03,000', 'Hello', ''],
      ...['2', '00:00:02,000 --> 00:00:04,000', String.raw`{\an8}[off-screen: dog barking]`, ''],
      ...['3', '00:00:20,000 --> 00:00:22,000', '[off-screen: rain falling]', ''],
      ...['4', '00:00:30,000 --> 00:00:31,000', 'Bye', ''],
    ]);
  });

  test.each([
    ['prose', 'Once upon a time\nthere was a film.', /line 1/],
    ['an empty file', ' ', /neither WebVTT/],
    ['a bad time', 'WEBVTT\n\n00:01 --> 00:02.000\nx', /line 3/],
    ['an end before its begin', '1\n00:00:05,000 --> 00:00:04,000\nx', /line 2/],
    ['a piece of a stream', 'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n', /piece of a stream/],
  ])('%s is refused with its place', (_, merge, message) => {
    expect(() => captions([], { merge })).toThrow(expect.objectContaining({ code: 'invalid-file' }));
    expect(() => captions([], { merge })).toThrow(message);
  });

  test('a format that is not that of the subtitles, and misspelt options, are refused', () => {
    expect(() => captions([], { merge: speech, format: 'srt' })).toThrow(/are vtt/);
    expect(() => captions([], { langage: 'de' } as CaptionOptions)).toThrow(/Did you mean "language"/);
    expect(() => captionCues([], { minDuration: 2, maxDuration: 1 })).toThrow(/maxDuration/);
  });
});

test.skipIf(typeof document === 'undefined')('a browser reads back what was meant', async () => {
  const cues = await cuesOf(captions(parsing([['Tom & <Jerry>', 2, 4]]), { merge: speech }));
  expect(cues.map((cue) => [cue.startTime, cue.endTime, cue.line, cue.getCueAsHTML().textContent])).toEqual([
    [1, 3.5, 'auto', 'Hello & welcome'],
    [2, 4, 0, '[off-screen: Tom & <Jerry>]'],
    [3600, 3601, 'auto', 'Goodbye'],
  ]);
});
