/** What results keep silent about: unfamiliar seconds, missing senses that count, and answers that are not probable enough; by hand-made outputs. */
import { describe, expect, test } from 'vitest';
import type { NamedArray } from '../../sdk/contract/model.ts';
import type { ResultContext } from '../../sdk/tasks/context.ts';
import { toLocalization } from '../../sdk/tasks/localization.ts';
import { toParsing } from '../../sdk/tasks/parsing.ts';
import { toMask, toSegmentation } from '../../sdk/tasks/segmentation.ts';
import { lanesOf } from '../../sdk/tasks/timeline.ts';

const array = (rows: number[][]): NamedArray => ({
  shape: [rows.length, rows[0]!.length],
  data: Float32Array.from(rows.flat()),
});

/** Seconds 0 and 2 are familiar in both senses, 1 is in neither, 3 is heard alone. */
const familiarity = {
  least: 0.05,
  seconds: [
    { audio: 0.9, visual: 0.5 },
    { audio: 0.01, visual: 0 },
    { audio: 0.05, visual: 0.06 },
    { audio: 0.8, visual: 0.04 },
  ],
};
const context: ResultContext = {
  adapter: 'a',
  classes: ['Dog', 'Bell'],
  duration: 4,
  segments: 4,
  hasAudio: true,
  hasPicture: true,
  untrained: false,
  familiarity,
};
const four = (row: number[]): number[][] => [row, row, row, row];
const logits = { logits: array(four([3, 0, 0])) };
const heard = array(four([0.9, 0.1]));
const parsed = { audio: heard, visual: heard, audioClip: heard, visualClip: heard };
const listens = { senses: ['audio' as const], world: 'Dogs.', unknown: 'Cats.' };

describe('localization', () => {
  test('unfamiliar seconds are background, withheld and counted', () => {
    const { seconds, events, withheld } = toLocalization(logits, context);
    expect(seconds.map(({ label }) => label)).toEqual(['Dog', null, 'Dog', null]);
    expect(seconds.map((second) => second.withheld)).toEqual([false, true, false, true]);
    expect(seconds.map((second) => second.familiarity)).toEqual([0.5, 0, 0.05, 0.04]);
    expect(seconds[1]!.probabilities).toEqual([0, 0, 1]);
    expect(events.map(({ start, end }) => [start, end])).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(withheld).toBe(2);
  });

  test('background that is unfamiliar is no answer that was withheld', () => {
    expect(toLocalization({ logits: array(four([0, 0, 3])) }, context).withheld).toBe(0);
  });

  test('a caller who wants to see it all gets it, with how familiar it is', () => {
    const { seconds, withheld } = toLocalization(logits, { ...context, unfamiliar: 'show' });
    expect(seconds.map(({ label }) => label)).toEqual(['Dog', 'Dog', 'Dog', 'Dog']);
    expect([withheld, seconds[1]!.familiarity]).toEqual([0, 0]);
  });

  test('an adapter without a measure says so and answers', () => {
    const { seconds, withheld } = toLocalization(logits, { ...context, familiarity: null });
    expect(seconds.every((second) => second.familiarity === null && second.label === 'Dog')).toBe(true);
    expect(withheld).toBe(0);
  });

  test('of an adapter that listens alone the sound decides: no picture is needed, none makes it silent, and events are heard', () => {
    const result = toLocalization(logits, { ...context, scope: listens, hasPicture: false });
    expect(result.seconds.map(({ label }) => label)).toEqual(['Dog', null, 'Dog', 'Dog']);
    expect(result.warnings).toEqual([]);
    expect(lanesOf(result).map(({ title }) => title)).toEqual(['Heard']);
    const silent = toLocalization(logits, { ...context, scope: listens, hasAudio: false });
    expect(silent.warnings).toEqual([
      { code: 'no-audio', message: 'The clip has no sound, so nothing can be heard: localization found none.' },
    ]);
  });

  test('temperature 2 halves logits: softmax of [1.5, 0, 0] in place of [3, 0, 0]', () => {
    const calibration = { both: { temperature: 2, bias: 0 } };
    const [p] = toLocalization(logits, { ...context, calibration }).seconds[0]!.probabilities;
    expect(p).toBeCloseTo(Math.exp(1.5) / (Math.exp(1.5) + 2), 6);
  });

  test('the most probable class is not named below 0.3', () => {
    const classes = ['Dog', 'Bell', 'Cat'];
    const named = (p: number) => {
      const rest = (1 - p) / 3;
      const outputs = { logits: array(four([p, rest, rest, rest].map(Math.log))) };
      return toLocalization(outputs, { ...context, classes, familiarity: null }).seconds[0]!.label;
    };
    expect([named(0.29), named(0.31)]).toEqual([null, 'Dog']);
  });
});

describe('parsing', () => {
  test('each sense keeps silent by itself', () => {
    const { events, seconds, withheld } = toParsing(parsed, context);
    const spans = (sense: string) =>
      events.filter(({ modality }) => modality === sense).map(({ start, end }) => [start, end]);
    expect(spans('audio')).toEqual([
      [0, 1],
      [2, 4],
    ]);
    expect(spans('visual')).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(spans('audio-visual')).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(seconds[3]!.withheld).toEqual({ audio: false, visual: true });
    expect(seconds[3]!.visual).toEqual([0, 0]);
    expect(seconds[3]!.familiarity).toEqual({ audio: 0.8, visual: 0.04 });
    expect(withheld).toBe(2);
  });

  test('calibration changes what is said, by sense, and not what counts', () => {
    const calibration = { audio: { temperature: 1, bias: -1 }, visual: { temperature: 1, bias: 0 } };
    const { seconds, events } = toParsing(parsed, { ...context, calibration, familiarity: null });
    // logit(0.9) = ln 9
    expect(seconds[0]!.audio[0]).toBeCloseTo(1 / (1 + Math.exp(1 - Math.log(9))), 6);
    expect(seconds[0]!.visual[0]).toBeCloseTo(0.9, 6);
    expect(events.map(({ modality }) => modality)).toEqual(['audio', 'visual', 'audio-visual']);
  });
});

test('a mask of an unfamiliar second is empty, withheld and counted', () => {
  const output = { mask: { shape: [1, 1, 1, 2], data: Float32Array.of(4, -4) } };
  const masks = [0, 1, 2, 3].map((index) => toMask(output, context, index));
  expect(masks.map(({ area }) => area)).toEqual([0.5, 0, 0.5, 0]);
  expect([...masks[1]!.data]).toEqual([0, 0]);
  expect(masks.map(({ withheld }) => withheld)).toEqual([false, true, false, true]);
  expect(toSegmentation(masks, context).withheld).toBe(2);
  expect(toMask(output, { ...context, unfamiliar: 'show' }, 1).area).toBe(0.5);
});
