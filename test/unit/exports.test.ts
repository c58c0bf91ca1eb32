/** Chapters, tables, markers, run lengths, and results read back. test/node/exports.test.ts has them read by programs of others. */
import { describe, expect, test } from 'vitest';
import { fromJSON, toChapters, toCSV, toMarkers, toMaskRuns } from '../../sdk/export/index.ts';
import { toJSON } from '../../sdk/tasks/export.ts';
import type { Mask, ParsedEvent, ParsingResult } from '../../sdk/tasks/types.ts';
import { heard as event, parsed } from '../helpers/parsed.ts';

const parsing = (events: ParsedEvent[]): ParsingResult => parsed(events, { duration: 20 });

describe('toChapters', () => {
  test('the most certain event names a stretch, and short ones join the one before', () => {
    const result = parsing([
      event('rain', 0, 10, 0.6),
      event('dog', 4, 8),
      event('bell', 8, 9, 0.8),
      event('car', 12, 20),
    ]);
    expect(toChapters(result)).toBe(`WEBVTT

00:00:00.000 --> 00:00:04.000
rain

00:00:04.000 --> 00:00:10.000
dog

00:00:12.000 --> 00:00:20.000
car
`);
  });

  test('metadata for FFmpeg, with its escapes', () => {
    expect(toChapters(parsing([event('a=b; #c', 1, 9)]), { format: 'ffmetadata' })).toBe(
      ';FFMETADATA1\n\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=9000\ntitle=a\\=b\\; \\#c\n',
    );
  });
});

test('toCSV quotes, and disarms what a spreadsheet would take for a formula', () => {
  expect(toCSV(parsing([event('bell, "big"', 1, 2.5), event('=HYPERLINK("x")', 3, 4, 1)]))).toBe(
    'start,end,label,modality,confidence,adapter\r\n' +
      '1.000,2.500,"bell, ""big""",audio,0.9000,a\r\n' +
      '3.000,4.000,"\'=HYPERLINK(""x"")",audio,1.0000,a\r\n',
  );
});

describe('toMarkers', () => {
  test('an edit decision list counts every frame of the true rate', () => {
    const list = toMarkers(parsing([event('bell|x', 10, 12)]), { frameRate: 29.97, title: 'film' });
    // 10 s are 299.7 frames of 30000/1001 a second: 9 seconds and 30 frames of the time code, that is 10:00.
    expect(list).toBe(`TITLE: film
FCM: NON-DROP FRAME

001  001      V     C        01:00:10:00 01:00:10:01 01:00:10:00 01:00:10:01  
 |C:ResolveColorBlue |M:bell/x |D:60
`);
    expect(() => toMarkers([], { start: '1:00' })).not.toThrow(TypeError);
    expect(() => toMarkers([], { start: '01:00:00:25' })).toThrow(/time code/);
  });
});

describe('toMaskRuns', () => {
  const mask = (rows: number[][]): Mask => ({
    start: 0,
    end: 1,
    height: rows.length,
    width: rows[0]!.length,
    data: Uint8Array.from(rows.flat()),
    area: 0,
    familiarity: null,
    withheld: false,
  });

  /** Read back as the reference's `rleFrString` and `rleDecode` do. */
  function pixels({ size: [height, width], counts }: ReturnType<typeof toMaskRuns>): number[][] {
    const runs: number[] = [];
    for (let at = 0; at < counts.length; ) {
      let [value, shift, bits] = [0, 0, 0];
      do {
        bits = counts.charCodeAt(at++) - 48;
        value |= (bits & 31) << (5 * shift++);
      } while (bits & 32);
      if (bits & 16) value |= -1 << (5 * shift);
      runs.push(runs.length > 2 ? value + runs[runs.length - 2]! : value);
    }
    const flat = runs.flatMap((run, index) => Array(run).fill(index % 2));
    return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => flat[x * height + y]));
  }

  test('a known string', () => {
    // Columns 0 0 | 1 1 | 1 0: runs 2, 3, 1; all below 16 and so one character each, beginning at "0".
    expect(
      toMaskRuns(
        mask([
          [0, 255, 255],
          [0, 255, 0],
        ]),
      ),
    ).toEqual({ size: [2, 3], counts: '231' });
  });

  test('any mask comes back, in runs of any length', () => {
    let seed = 7;
    const dice = () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    for (let round = 0; round < 50; round++) {
      const [height, width] = [1 + Math.floor(dice() * 60), 1 + Math.floor(dice() * 60)];
      const change = dice() ** 3;
      let on = dice() < 0.5;
      const rows = Array.from({ length: height }, () =>
        Array.from({ length: width }, () => {
          if (dice() < change) on = !on;
          return on ? 255 : 0;
        }),
      );
      const back = pixels(toMaskRuns(mask(rows)));
      expect(back).toEqual(rows.map((row) => row.map((value) => value / 255)));
    }
  });
});

describe('fromJSON', () => {
  const document = () => JSON.parse(JSON.stringify(toJSON(parsing([event('dog', 1, 2)]), { source: 'x' })));

  test('gives back what was written', () => {
    expect(toCSV(fromJSON(document()))).toBe(toCSV(parsing([event('dog', 1, 2)])));
  });

  test.each<[string, (all: ReturnType<typeof document>) => void, RegExp]>([
    ['another format', (all) => (all.format = 'x'), /no results of mettle-edge/],
    ['an unknown task', (all) => (all.results[0].task = 'sing'), /results\[0\]\.task/],
    ['an endless time', (all) => (all.results[0].events[0].end = 1e300), /results\[0\]\.events\[0\]\.end/],
    ['a label that is no text', (all) => (all.results[0].events[0].label = {}), /events\[0\]\.label/],
    ['a sense that there is not', (all) => (all.results[0].events[0].modality = 'smell'), /modality/],
    ['events that are none', (all) => (all.results[0].events = 'none'), /events/],
  ])('%s is refused with its place', (_, spoil, message) => {
    const all = document();
    spoil(all);
    expect(() => fromJSON(all)).toThrow(expect.objectContaining({ code: 'invalid-file' }));
    expect(() => fromJSON(all)).toThrow(message);
  });
});
