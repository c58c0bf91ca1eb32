/** How the examples count what is right: worked by hand. */
import { describe, expect, test } from 'vitest';
import { type ClipTruth, compare, labelsAt, maskAt, runsOf } from '../../examples/truth.js';
import type {
  Event,
  LocalizationResult,
  Mask,
  ParsedEvent,
  ParsingResult,
  SegmentationResult,
} from '../../sdk/index.ts';

const base = { adapter: 'a', duration: 4, untrained: false, scope: null, withheld: 0, warnings: [] };
const classes = ['bell', 'dog'];
const event = (label: string, start: number, end: number): Event => ({
  label,
  classIndex: classes.indexOf(label),
  start,
  end,
  resolution: 1,
  confidence: 1,
});

/** The bell is heard from 0 to 3 and seen from 1 to 4, the dog is heard alone at the end. */
const truth: ClipTruth = {
  seconds: 4,
  events: [
    { label: 'bell', modality: 'heard', start: 0, end: 3 },
    { label: 'bell', modality: 'seen', start: 1, end: 4 },
    { label: 'bell', modality: 'both', start: 1, end: 3 },
    { label: 'dog', modality: 'heard', start: 3, end: 4 },
  ],
  masks: null,
};

test('labels of a second, by sense', () => {
  const at = (second: number) =>
    (['audio', 'visual', 'audio-visual'] as const).map((sense) => labelsAt(truth, sense, second));
  expect([at(0), at(1), at(3)]).toEqual([
    [['bell'], [], []],
    [['bell'], ['bell'], ['bell']],
    [['dog'], ['bell'], []],
  ]);
});

test('localization is right where it names what is both seen and heard, or nothing where nothing is', () => {
  const localize = (events: Event[]) => compare({ ...base, task: 'localize', classes, events, seconds: [] }, truth);
  const found: LocalizationResult['events'] = [event('bell', 0, 2), event('dog', 2, 3)];
  expect(localize(found)).toMatchObject({ right: 2, total: 4, overlaps: null });
  expect(localize(found).lanes[0]!.right).toEqual([false, true, false, true]);
  expect(localize([event('bell', 1, 3)]).right).toBe(4);
});

test('parsing is right where all labels of a sense are, and counts heard and seen', () => {
  const events: ParsedEvent[] = [
    { ...event('bell', 0, 4), modality: 'audio' },
    { ...event('dog', 3, 4), modality: 'audio' },
    { ...event('bell', 1, 4), modality: 'visual' },
    { ...event('bell', 1, 4), modality: 'audio-visual' },
  ];
  const result: ParsingResult = { ...base, task: 'parse', classes, events, seconds: [] };
  const { lanes, right, total } = compare(result, truth);
  expect(lanes.map((lane) => [lane.title, lane.right])).toEqual([
    ['Heard', [true, true, true, false]],
    ['Seen', [true, true, true, true]],
    ['Seen and heard', [true, true, true, false]],
  ]);
  expect([right, total]).toEqual([7, 8]);
});

describe('masks', () => {
  test('runs give back the mask', () => {
    for (const mask of [[], [0, 0], [1, 1, 0], [0, 1, 0, 0, 1, 1]].map((list) => Uint8Array.from(list))) {
      const masks = { width: mask.length, height: 1, runs: [runsOf(mask)] };
      expect(maskAt({ seconds: 1, events: [], masks }, 0)).toEqual(mask);
    }
    expect(runsOf([0, 255, 255, 0])).toEqual([1, 2, 1]);
    expect(runsOf([9, 0])).toEqual([0, 1, 1]);
  });

  test('overlap is intersection over union, 1 where both are empty, at the size of the truth', () => {
    // The left half of 4 x 2 sounds in three seconds, nothing in the last.
    const left = runsOf([1, 1, 0, 0, 1, 1, 0, 0]);
    const masked: ClipTruth = { seconds: 4, events: [], masks: { width: 4, height: 2, runs: [left, left, left, [8]] } };
    const mask = (start: number, data: number[]): Mask => ({
      start,
      end: start + 1,
      width: 2,
      height: 1,
      data: Uint8Array.from(data),
      area: 0,
      familiarity: null,
      withheld: false,
    });
    const masks = [mask(0, [255, 127]), mask(1, [128, 128]), mask(2, [0, 200]), mask(3, [0, 0])];
    const result: SegmentationResult = { ...base, task: 'segment', masks };
    expect(compare(result, masked)).toEqual({ lanes: [], overlaps: [1, 0.5, 0, 1], right: 3, total: 4 });
    expect(compare({ ...result, masks: [] }, masked).overlaps).toEqual([0, 0, 0, 1]);
  });
});
