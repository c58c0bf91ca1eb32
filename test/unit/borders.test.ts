/** Borders inside of seconds: evidence written out here, what becomes of events of whole seconds, and how far borders are off. */
import { describe, expect, test } from 'vitest';
import { RollingEvidence } from '../../sdk/live/evidence.ts';
import { EventTracker } from '../../sdk/live/tracker.ts';
import { borderTaps } from '../../sdk/models/borders.ts';
import { presets } from '../../sdk/models/presets.ts';
import { evidenceOf, refineEvents } from '../../sdk/tasks/borders.ts';
import { toParsing } from '../../sdk/tasks/parsing.ts';
import { heardParts } from '../../sdk/train/borders/model.ts';
import { BorderErrors } from '../../sdk/train/metrics/borders.ts';

const steps = 10;
/** Evidence of one class over seconds: `level` inside of [start, end), `floor` outside. */
const sounding = (seconds: number, start: number, end: number, level = 4, floor = -4) =>
  Array.from({ length: seconds }, (_, second) =>
    Float32Array.from({ length: steps }, (_, step) => {
      const middle = second + (step + 0.5) / steps;
      return middle >= start && middle < end ? level : floor;
    }),
  );
const refined = (events: { start: number; end: number }[], seconds: (Float32Array | null)[], withheld?: boolean[]) =>
  refineEvents(events, evidenceOf(seconds, { steps, classes: 1 }), 0, { start: 0, end: seconds.length }, withheld);

describe('events of whole seconds', () => {
  test('begin and end where the evidence changes', () => {
    expect(refined([{ start: 2, end: 5 }], sounding(8, 2.3, 4.6))).toEqual([{ start: 2.3, end: 4.6, resolution: 0.1 }]);
    expect(refined([{ start: 3, end: 5 }], sounding(8, 2.6, 5.4))).toEqual([{ start: 2.6, end: 5.4, resolution: 0.1 }]);
  });

  test('do so whatever the level of the evidence is, quiet or noisy', () => {
    for (const [level, floor] of [
      [-1, -5],
      [5, 1],
    ] as const) {
      expect(refined([{ start: 2, end: 5 }], sounding(8, 2.3, 4.6, level, floor))[0]).toMatchObject({
        start: 2.3,
        end: 4.6,
      });
    }
  });

  test('keep their borders where nothing changes, at the edges of the clip, and in silence', () => {
    expect(refined([{ start: 2, end: 5 }], sounding(8, 0, 8))).toEqual([{ start: 2, end: 5, resolution: 1 }]);
    expect(refined([{ start: 2, end: 5 }], Array(8).fill(null))).toEqual([{ start: 2, end: 5, resolution: 1 }]);
    expect(refined([{ start: 0, end: 3 }], sounding(8, 0, 3.4))).toEqual([{ start: 0, end: 3.4, resolution: 0.1 }]);
    expect(refined([{ start: 0, end: 8 }], sounding(8, 0, 8))).toEqual([{ start: 0, end: 8, resolution: 1 }]);
  });

  test('stay out of seconds of which nothing is said', () => {
    const withheld = Array.from({ length: 8 }, (_, second) => second === 2 || second === 5);
    const events = [{ start: 3, end: 5 }];
    expect(refined(events, sounding(8, 2.6, 5.4), withheld)[0]).toMatchObject({ start: 3, end: 5 });
    expect(refined(events, sounding(8, 3.2, 4.7), withheld)).toEqual([{ start: 3.2, end: 4.7, resolution: 0.1 }]);
  });

  test('tell the coarser of two resolutions', () => {
    expect(refined([{ start: 2, end: 5 }], sounding(8, 2.3, 8))).toEqual([{ start: 2.3, end: 5, resolution: 1 }]);
  });

  test('never run into a neighbour of their class', () => {
    const [first, second] = refined(
      [
        { start: 1, end: 3 },
        { start: 4, end: 6 },
      ],
      sounding(8, 1.2, 5.5),
    );
    expect(first!.end).toBeLessThanOrEqual(3.5);
    expect(second!.start).toBeGreaterThanOrEqual(3.5);
  });
});

test('parsing: what is heard is told finely, what is seen in whole seconds, what is both while it is heard', () => {
  const rows = (values: number[]) => ({ shape: [values.length, 1], data: Float32Array.from(values) });
  const on = [0, 0, 1, 1, 1, 0, 0, 0];
  const outputs = {
    audio: rows(on),
    visual: rows(on),
    audioClip: rows(on.map(() => 1)),
    visualClip: rows(on.map(() => 1)),
  };
  const context = {
    ...{
      adapter: 'a',
      classes: ['bell'],
      duration: 8,
      segments: 8,
      hasAudio: true,
      hasPicture: true,
      untrained: false,
    },
  };
  const borders = evidenceOf(sounding(8, 2.3, 4.6), { steps, classes: 1 });
  const told = toParsing(outputs, { ...context, borders }).events.map(({ modality, start, end, resolution }) => [
    modality,
    start,
    end,
    resolution,
  ]);
  expect(told).toEqual([
    ['visual', 2, 5, 1],
    ['audio', 2.3, 4.6, 0.1],
    ['audio-visual', 2.3, 4.6, 1],
  ]);
  expect(toParsing(outputs, context).events.every(({ start, resolution }) => start === 2 && resolution === 1)).toBe(
    true,
  );
});

test('live: the start is settled when the event is told, the end when it is over; times stay as they were told', () => {
  const evidence = new RollingEvidence({ borders: { reads: ['a'], steps }, classes: ['bell'] });
  const seconds = sounding(10, 2.3, 5.6);
  const halfStep = steps / 2;
  const parts = Float32Array.from(seconds.flatMap((second) => [...second]));
  const tracker = new EventTracker({ begin: 0.5, end: 1 });
  const found: [string, number, number, number][] = [];
  for (let heard = 1; heard <= 10; heard += 0.5) {
    const first = (heard - 1) * 2 * halfStep;
    evidence.add(heard, { borders: { shape: [1, steps, 1], data: parts.slice(first, first + steps) } });
    const span = { start: heard - 0.75, end: heard - 0.25 };
    // The adapter says it of each second that it fills by half.
    const said = heard >= 3 && heard <= 6;
    const event = { label: 'bell', classIndex: 0, modality: 'audio' as const, ...span, resolution: 0.5, confidence: 1 };
    const result = { task: 'parse', adapter: 'ears', events: said ? [event] : [] };
    const known = { evidence: new Map([['ears', evidence]]), until: heard };
    const { began, ongoing, ended } = tracker.next(span, [result as never], known);
    for (const [what, events] of Object.entries({ began, ongoing, ended })) {
      for (const { start, end, resolution } of events) found.push([what, start, end, resolution]);
    }
  }
  const starts = new Set(found.map(([, start]) => start));
  expect([...starts]).toEqual([2.3]);
  expect(found.at(-1)).toEqual(['ended', 2.3, 5.6, 0.1]);
});

test('a head reads the finest layers that keep time, and none where a network folds it away', async () => {
  const grids = [
    [32, 16, 32],
    [16, 8, 64],
    [8, 4, 128],
    [4, 2, 256],
  ] as const;
  const taps = grids.flatMap(([rows, columns, width], stage) =>
    [0, 1].map((block) => ({
      ...{ name: `audio.s${stage}.b${block}`, layout: 'tokens' as const, tokens: rows * columns, width },
      grid: [rows, columns] as [number, number],
    })),
  );
  const nano = presets['hts-at-nano'].frontEnd;
  const fine = borderTaps(taps, nano)!;
  expect(fine.steps).toBe(16);
  expect(fine.taps.map(({ name }) => name)).toEqual(['audio.s0.b1', 'audio.s1.b1', 'audio.s2.b1']);
  expect(borderTaps(taps.slice(4), nano)).toBeNull();
  expect(borderTaps([{ ...taps[0]!, grid: [64, 64] }], presets['hts-at'].frontEnd)).toBeNull();
  expect(borderTaps(taps, null)).toBeNull();
});

test('what is learned: only classes that sound in the clip, and only seconds that are there', () => {
  const events = [
    { classIndex: 0, modality: 'audio' as const, onset: 0.5, offset: 1.25 },
    { classIndex: 1, modality: 'visual' as const, onset: 0, offset: 2 },
  ];
  const parts = heardParts(events, { segments: 3, there: 2, steps: 4, classes: 2 });
  const column = (c: number) => Array.from({ length: 12 }, (_, part) => parts[part * 2 + c]);
  expect(column(0)).toEqual([0, 0, 1, 1, 1, 0, 0, 0, -1, -1, -1, -1]);
  expect(column(1)).toEqual(Array(12).fill(-1));
});

test('errors are those of borders inside the clip, of events that were found', () => {
  const errors = new BorderErrors();
  const truth = [
    { classIndex: 0, start: 2.3, end: 6 },
    { classIndex: 1, start: 0, end: 3.5 },
    { classIndex: 2, start: 4, end: 5 },
  ];
  const coarse = [
    { classIndex: 0, start: 2, end: 6 },
    { classIndex: 1, start: 0, end: 4 },
  ];
  const fine = [
    { classIndex: 0, start: 2.2, end: 6 },
    { classIndex: 1, start: 0, end: 3.6 },
  ];
  errors.add(coarse, fine, truth, 6);
  const { onsets, onset, ends, end } = errors.figures();
  expect([onsets, ends]).toEqual([1, 1]);
  expect(onset.coarse).toBeCloseTo(0.3, 10);
  expect(onset.fine).toBeCloseTo(0.1, 10);
  expect(end.coarse).toBeCloseTo(0.5, 10);
  expect(end.fine).toBeCloseTo(0.1, 10);
  expect(new BorderErrors().figures()).toMatchObject({ onsets: 0, onset: { coarse: null } });
});
