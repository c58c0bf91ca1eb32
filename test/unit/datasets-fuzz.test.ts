/** Tables that strangers made: whatever the bytes, a parser gives rows or an `invalid-file` error that names the file and the line. */
import { describe, expect, test } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { parseAveRows } from '../../sdk/train/data/ave.ts';
import { parseAvsRows } from '../../sdk/train/data/avs.ts';
import { parseTable } from '../../sdk/train/data/csv.ts';
import { FindingList } from '../../sdk/train/data/findings.ts';
import { paintLlpEvents, parseLlpClips, parseLlpEvents } from '../../sdk/train/data/llp.ts';
import { parseOwnEvents, parseOwnSplits } from '../../sdk/train/data/own-tables.ts';
import { brokenCopies, randomNumbers } from './fuzz.ts';

const parsers: [string, string, (text: string, where: string) => unknown[]][] = [
  ['AVE', 'Category&VideoID&Quality&StartTime&EndTime\nChurch bell&abc&good&0&10\nBark&-b&good&3&3', parseAveRows],
  ['LLP clips', 'filename\tevent_labels\nabcdefghijk_0_10\tSpeech,Car\n', parseLlpClips],
  [
    'LLP events',
    'filename\tonset\toffset\tevent_labels\nabcdefghijk_0_10\t0\t10\tSpeech\nx\t9\t9\tCar\n',
    (text, where) => {
      const events = parseLlpEvents(text, where);
      for (const grid of paintLlpEvents(events, where, new FindingList()).values()) expect(grid.length).toBe(250);
      return events;
    },
  ],
  [
    'S4',
    'name,start,category,split\na_0_5000,0:00,dog,train\nb,1,"cat",test\n',
    (text, where) => parseAvsRows(text, 'avs-s4', where),
  ],
  ['MS3', 'name,split\na,train\nb,val\n', (text, where) => parseAvsRows(text, 'avs-ms3', where)],
  [
    'own events',
    'file,onset,offset,label,modality,split\n"a, b.mp4",0,1.5,"dog ""x""",audio,train\nc.mp4,,,,,\n',
    parseOwnEvents,
  ],
  ['own splits', 'file,split\na.mp4,train\n"b.mp4",test\n', parseOwnSplits],
];

/** Pieces that tables are made of, in a random order. */
function* scrambled(text: string, count: number): Generator<string> {
  const random = randomNumbers(5);
  const pieces = [
    ...text.split(/(?<=[&,\t\n"])|(?=[&,\t\n"])/),
    '"',
    '\n',
    '\r\n',
    '\0',
    '\ufeff',
    '-1',
    '1e99',
    '__proto__',
    'a'.repeat(300),
  ];
  for (let index = 0; index < count; index++) {
    const start = index % 2 === 0 ? text.slice(0, text.indexOf('\n') + 1) : '';
    yield start +
      Array.from({ length: Math.floor(random() * 30) }, () => pieces[Math.floor(random() * pieces.length)]).join('');
  }
}

describe.each(parsers)('%s', (_, good, parse) => {
  test('the good table is read', () => {
    expect(parse(good, 'table.csv').length).toBeGreaterThan(0);
  });

  test('600 broken tables give rows or name the line', () => {
    const copies = [...brokenCopies(new TextEncoder().encode(good), 300)].map((bytes) =>
      new TextDecoder().decode(bytes),
    );
    let refused = 0;
    for (const text of [...copies, ...scrambled(good, 300)]) {
      try {
        for (const row of parse(text, 'table.csv')) expect(row).toMatchObject({ line: expect.any(Number) });
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(MettleError);
        const { code, message } = error as MettleError;
        expect(code).toBe('invalid-file');
        expect(message).toMatch(/^table\.csv line \d+: /);
        expect(message.length).toBeLessThan(300);
        expect(Number(/line (\d+)/.exec(message)![1])).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length);
      }
    }
    expect(refused).toBeGreaterThan(50);
  });
});

describe('parseTable', () => {
  const read = (text: string) => parseTable(text, { separator: ',', where: 't', quotes: true });

  test('quotes, doubled quotes, separators and line ends in quotes, empty lines, spaces', () => {
    expect(read('\ufeffa , b\r\n\r\n"x,""y""", "two\nlines" \nlast,')).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 3, fields: ['x,"y"', 'two\nlines'] },
      { line: 5, fields: ['last', ''] },
    ]);
  });

  test('without the option quotes are text', () => {
    expect(parseTable('"a&b"', { separator: '&', where: 't' })).toEqual([{ line: 1, fields: ['"a', 'b"'] }]);
  });
});
