/** Adapter outputs -> typed results, by hand-made outputs whose answers are known. */
import { describe, expect, test } from 'vitest';
import type { NamedArray } from '../../sdk/contract/model.ts';
import type { ResultContext } from '../../sdk/tasks/context.ts';
import { maskFile, toJSON } from '../../sdk/tasks/export.ts';
import { toLocalization } from '../../sdk/tasks/localization.ts';
import { type ParsingOptions, toParsing } from '../../sdk/tasks/parsing.ts';
import { maximalRuns } from '../../sdk/tasks/runs.ts';
import { toMask, toSegmentation } from '../../sdk/tasks/segmentation.ts';
import { lanesOf } from '../../sdk/tasks/timeline.ts';

const context: ResultContext = {
  adapter: 'test-adapter',
  classes: ['Dog', 'Bell'],
  duration: 3.4,
  segments: 4,
  hasAudio: true,
  hasPicture: true,
  untrained: false,
};

/** Rows to a [rows, columns] array. */
function array(rows: number[][]): NamedArray {
  return { shape: [rows.length, rows[0]!.length], data: Float32Array.from(rows.flat()) };
}

/** Logits whose softmax over [Dog, Bell, background] is this. */
const logits = (rows: number[][]) => ({ logits: array(rows.map((row) => row.map(Math.log))) });

const parsed = (audio: number[][], visual: number[][], audioClip = audio, visualClip = visual) => ({
  audio: array(audio),
  visual: array(visual),
  audioClip: array(audioClip),
  visualClip: array(visualClip),
});
const every = (row: number[]) => [row, row, row, row];

describe('maximalRuns', () => {
  test.each<[string, (string | null)[], [string, number, number][]]>([
    ['nothing', [], []],
    ['only null', [null, null], []],
    ['one row', ['a'], [['a', 0, 1]]],
    [
      'a change without a gap',
      ['a', 'a', 'b'],
      [
        ['a', 0, 2],
        ['b', 2, 3],
      ],
    ],
    [
      'a gap between equals, runs at both ends',
      ['a', null, 'a', 'a'],
      [
        ['a', 0, 1],
        ['a', 2, 4],
      ],
    ],
  ])('%s', (_, values, expected) => {
    expect(maximalRuns(values).map((run) => [run.value, run.first, run.end])).toEqual(expected);
  });
});

describe('localization', () => {
  const rows = [
    [0.6, 0.3, 0.1],
    [0.8, 0.1, 0.1],
    [0.2, 0.2, 0.6],
    [0.1, 0.7, 0.2],
  ];

  test('softmax, labels, runs and their mean confidence', () => {
    const result = toLocalization(logits(rows), context);
    expect(result.seconds.map((second) => second.label)).toEqual(['Dog', 'Dog', null, 'Bell']);
    result.seconds.forEach((second, row) => {
      for (const [c, p] of second.probabilities.entries()) expect(p).toBeCloseTo(rows[row]![c]!, 6);
    });
    expect(result.events).toHaveLength(2);
    expect(result.events[0]).toMatchObject({ label: 'Dog', classIndex: 0, start: 0, end: 2 });
    expect(result.events[0]!.confidence).toBeCloseTo(0.7, 6);
    expect(result.events[1]).toMatchObject({ label: 'Bell', classIndex: 1, start: 3, end: 3.4 });
    expect(result.warnings).toEqual([]);
  });

  test('a tail that is no second of its own belongs to the last event, which ends with the clip', () => {
    const ends = (duration: number) =>
      toLocalization(logits(rows), { ...context, duration }).events.map((event) => event.end);
    expect(ends(4)).toEqual([2, 4]);
    expect(ends(4.05)).toEqual([2, 4.05]);
    expect(ends(3.2)).toEqual([2, 3.2]);
  });

  test('large logits do not overflow', () => {
    const huge = array([...rows.slice(0, 3), [1e4, 9e3, -1e4]]);
    const last = toLocalization({ logits: huge }, context).seconds[3]!;
    expect(last.probabilities).toEqual([1, 0, 0]);
  });

  test.each([
    ['hasAudio', 'no-audio'],
    ['hasPicture', 'no-picture'],
  ] as const)('without %s there is no event, and a warning', (sense, code) => {
    const result = toLocalization(logits(rows), { ...context, [sense]: false });
    expect(result.events).toEqual([]);
    expect(result.seconds.map((second) => second.label)).toEqual([null, null, null, null]);
    expect(result.seconds[0]!.probabilities).toEqual([0, 0, 1]);
    expect(result.warnings).toEqual([{ code, message: expect.stringContaining('both seen and heard') }]);
  });

  test('a warning of the clip is kept, but not said twice', () => {
    const warnings = [
      { code: 'no-audio', message: 'The clip has no sound.' },
      { code: 'truncated', message: 'Cut.' },
    ] as const;
    const result = toLocalization(logits(rows), { ...context, hasAudio: false, untrained: true, warnings });
    expect(result.warnings.map((warning) => warning.code)).toEqual(['truncated', 'no-audio', 'untrained']);
    expect(result.untrained).toBe(true);
  });

  test('outputs that do not fit are named with expected and got', () => {
    expect(() => toLocalization({ scores: array(rows) }, context)).toThrow(
      expect.objectContaining({
        code: 'incompatible',
        message: 'Adapter "test-adapter" gave no output "logits" of shape [4, 3]; it gave "scores".',
      }),
    );
    expect(() => toLocalization({ logits: array(rows.slice(1)) }, context)).toThrow(
      expect.objectContaining({
        code: 'incompatible',
        message: 'Adapter "test-adapter", output "logits": expected shape [4, 3], got [3, 3].',
      }),
    );
    expect(() => toLocalization({ logits: { shape: [4, 3], data: new Float32Array(9) } }, context)).toThrow(
      /expected 12 values for shape \[4, 3\], got 9/,
    );
  });

  test('a value that is not finite is refused, not labelled', () => {
    const output = logits(rows);
    output.logits.data[5] = Number.NaN;
    expect(() => toLocalization(output, context)).toThrow(
      expect.objectContaining({ code: 'internal', message: expect.stringContaining('value 5 is NaN') }),
    );
  });

  test.each([{ duration: 0 }, { duration: Number.NaN }, { segments: 0 }, { segments: 5 }])(
    'an impossible clip is refused: %o',
    (change) => {
      expect(() => toLocalization(logits(rows), { ...context, ...change })).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
    },
  );
});

describe('parsing', () => {
  const seen = (outputs: ReturnType<typeof parsed>, change: Partial<ResultContext> = {}, options?: ParsingOptions) =>
    toParsing(outputs, { ...context, ...change }, options).events.map(({ modality, label, start, end }) => [
      modality,
      label,
      start,
      end,
    ]);

  test('heard, seen and both, by start, modality and class', () => {
    const audio = [
      [0.9, 0.1],
      [0.9, 0.1],
      [0.1, 0.1],
      [0.9, 0.6],
    ];
    const visual = [
      [0.1, 0.1],
      [0.8, 0.1],
      [0.8, 0.1],
      [0.8, 0.1],
    ];
    const outputs = parsed(audio, visual, every([0.9, 0.9]), every([0.9, 0.9]));
    expect(seen(outputs)).toEqual([
      ['audio', 'Dog', 0, 2],
      ['visual', 'Dog', 1, 3.4],
      ['audio-visual', 'Dog', 1, 2],
      ['audio', 'Dog', 3, 3.4],
      ['audio', 'Bell', 3, 3.4],
      ['audio-visual', 'Dog', 3, 3.4],
    ]);
    const both = toParsing(outputs, context).events[2]!;
    expect(both.confidence).toBeCloseTo(0.72, 6);
  });

  test('the threshold itself counts; second and clip must both reach it', () => {
    const quiet = every([0, 0]);
    expect(seen(parsed(every([0.5, 0.5]), quiet, every([0.5, 0.25]), quiet))).toEqual([['audio', 'Dog', 0, 3.4]]);
    expect(seen(parsed(every([0.7, 0.69]), quiet), {}, { threshold: 0.7 })).toEqual([['audio', 'Dog', 0, 3.4]]);
    expect(seen(parsed(every([0.25, 0.9]), quiet, every([0.9, 0.9]), quiet))).toEqual([['audio', 'Bell', 0, 3.4]]);
  });

  test('thresholds: one for all, or one per class', () => {
    const outputs = parsed(every([0.35, 0.35]), every([0, 0]));
    expect(seen(outputs)).toEqual([]);
    expect(seen(outputs, {}, { threshold: 0.35 })).toHaveLength(2);
    expect(seen(outputs, {}, { threshold: [0.5, 0.35] })).toEqual([['audio', 'Bell', 0, 3.4]]);
    for (const threshold of [1.5, Number.NaN, [0.5], [0.5, -1]]) {
      expect(() => toParsing(outputs, context, { threshold })).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
    }
  });

  test.each([
    ['hasAudio', 'visual', 'no-audio'],
    ['hasPicture', 'audio', 'no-picture'],
  ] as const)('without %s only %s events remain', (sense, left, code) => {
    const result = toParsing(parsed(every([0.9, 0.1]), every([0.9, 0.1])), { ...context, [sense]: false });
    expect(result.events.map((event) => event.modality)).toEqual([left]);
    expect(result.warnings.map((warning) => warning.code)).toEqual([code]);
    const gone = left === 'visual' ? 'audio' : 'visual';
    expect(result.seconds[0]![gone]).toEqual([0, 0]);
  });

  test('probabilities are held in range', () => {
    const result = toParsing(parsed(every([1.4, -0.1]), every([0, 0])), context);
    expect(result.seconds[0]!.audio).toEqual([1, 0]);
    expect(result.events[0]!.confidence).toBe(1);
  });

  test('every output is checked', () => {
    const outputs = parsed(every([0, 0]), every([0, 0]));
    for (const name of ['audio', 'visual', 'audioClip', 'visualClip'] as const) {
      expect(() => toParsing({ ...outputs, [name]: array(every([0, 0, 0])) }, context)).toThrow(
        `Adapter "test-adapter", output "${name}": expected shape [4, 2], got [4, 3].`,
      );
    }
  });
});

describe('segmentation', () => {
  const mask = (values: number[]): { mask: NamedArray } => ({
    mask: { shape: [1, 1, 2, values.length / 2], data: Float32Array.from(values) },
  });

  test('sigmoid to 0..255, and the share above one half', () => {
    const { data, area, width, height, start, end } = toMask(mask([-20, 0, 1e-3, 20, Math.log(3), -1]), context, 3);
    // 255 * sigmoid: 0, 127.5 (down), 127.56, 255, 191.25, 68.6
    expect([...data]).toEqual([0, 127, 128, 255, 191, 69]);
    expect(area).toBe(0.5);
    expect([width, height, start, end]).toEqual([3, 2, 3, 3.4]);
  });

  test.each(['hasAudio', 'hasPicture'] as const)('without %s masks are empty', (sense) => {
    const silent = { ...context, [sense]: false };
    const empty = toMask(mask([9, 9, 9, 9]), silent, 0);
    expect([...empty.data]).toEqual([0, 0, 0, 0]);
    expect(empty.area).toBe(0);
    const result = toSegmentation([empty], silent);
    expect(result.masks).toEqual([empty]);
    expect(result.warnings).toHaveLength(1);
  });

  test('a mask of several channels is refused', () => {
    expect(() => toMask({ mask: { shape: [1, 2, 1, 1], data: new Float32Array(2) } }, context, 0)).toThrow(
      'Adapter "test-adapter", output "mask": expected shape [1, 1, height, width], got [1, 2, 1, 1].',
    );
  });
});

describe('lanesOf', () => {
  test('three lanes for parsing; overlapping events get rows of their own', () => {
    const audio = [
      [0.9, 0.1],
      [0.9, 0.9],
      [0.1, 0.9],
      [0.9, 0.1],
    ];
    const lanes = lanesOf(toParsing(parsed(audio, every([0, 0]), every([1, 1])), context));
    expect(lanes.map((lane) => [lane.title, lane.rows.map((row) => row.map((event) => event.label))])).toEqual([
      ['Heard', [['Dog', 'Dog'], ['Bell']]],
      ['Seen', [[]]],
      ['Seen and heard', [[]]],
    ]);
  });
});

describe('toJSON', () => {
  test('a stable document; masks as files, without pixels', () => {
    const second = { shape: [1, 1, 1, 2], data: Float32Array.of(5, -5) };
    const segmentation = toSegmentation([toMask({ mask: second }, context, 0)], context);
    const localization = toLocalization(logits(every([1 / 3, 1 / 6, 1 / 2])), { ...context, untrained: true });
    const document = toJSON([segmentation, localization, segmentation], { source: 'a.mp4' });
    expect(document).toMatchObject({
      format: 'mettle-edge/results',
      version: 1,
      source: { name: 'a.mp4', duration: 3.4, video: null, audio: null },
      untrained: true,
      engine: null,
      timing: null,
    });
    expect(document.results[0]).toMatchObject({
      task: 'segment',
      masks: [{ start: 0, end: 1, width: 2, height: 1, area: 0.5, file: 'masks/000.png' }],
    });
    expect(document.results[2]).toMatchObject({ masks: [{ file: 'masks-2/000.png' }] });
    expect(JSON.stringify(document)).not.toContain('"data"');
    expect(document.results[1]).toMatchObject({ seconds: Array(4).fill({ probabilities: [0.333333, 0.166667, 0.5] }) });
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  test('file names sort as numbers up to a thousand and stay valid beyond', () => {
    expect([0, 42, 1234].map((index) => maskFile(0, index))).toEqual([
      'masks/000.png',
      'masks/042.png',
      'masks/1234.png',
    ]);
  });
});
