/** The benchmarks' figures on cases small enough to compute by hand; the reference values are written out beside each. */
import { describe, expect, test } from 'vitest';
import { averagePrecision, averagePrecisionPerClass } from '../../sdk/train/metrics/average-precision.ts';
import { decodeArgmax, decodeGated, LocalizationScore } from '../../sdk/train/metrics/localization.ts';
import { type Activity, decodeParsing, ParsingScore } from '../../sdk/train/metrics/parsing.ts';
import { type EvaluationReport, formatReport } from '../../sdk/train/metrics/report.ts';
import { SegmentationScore } from '../../sdk/train/metrics/segmentation.ts';

const invalid = expect.objectContaining({ code: 'invalid-argument' });

describe('localization', () => {
  test('argmax over classes and background', () => {
    expect([...decodeArgmax({ shape: [1, 3, 3], data: [0, 2, 1, 5, 4, 3, -9, -8, -7] })]).toEqual([1, 0, 2]);
  });

  test('the gate opens above one half, and not at one half', () => {
    const event = { shape: [2, 3], data: [1, 0, -1, 1e-9, 1e-6, 9] };
    const classes = { shape: [2, 2], data: [0, 1, 3, 2] };
    expect([...decodeGated(event, classes)]).toEqual([1, 2, 2, 2, 0, 0]);
  });

  test('accuracy counts seconds over all clips', () => {
    const score = new LocalizationScore();
    expect(score.accuracy).toBe(0);
    score.add([0, 1, 2, 2], [0, 1, 1, 2]);
    score.add([1], [0]);
    expect(score.accuracy).toBeCloseTo(60, 12);
  });

  test('sizes that do not fit are refused', () => {
    expect(() => new LocalizationScore().add([1], [1, 2])).toThrow(invalid);
    expect(() => decodeArgmax({ shape: [2, 3], data: [1, 2] })).toThrow(invalid);
    expect(() => decodeGated({ shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }, { shape: [1, 2], data: [1, 2] })).toThrow(
      invalid,
    );
  });
});

describe('parsing', () => {
  /** One string of 0 and 1 per class, over the seconds. */
  const rows = (...classes: string[]) =>
    Uint8Array.from({ length: classes.length * classes[0]!.length }, (_, i) =>
      Number(classes[i % classes.length]![Math.floor(i / classes.length)]),
    );
  const figuresOf = (...videos: [predicted: Activity, truth: Activity][]) => {
    const score = new ParsingScore(2);
    for (const [predicted, truth] of videos) score.add(predicted, truth);
    return score.figures();
  };
  const none = rows('0000', '0000');
  const all = { audio: 100, visual: 100, audioVisual: 100, typeAV: 100, eventAV: 100 };

  test('an empty video that stays empty is right everywhere', () => {
    const silent = { audio: none, visual: none };
    expect(figuresOf([silent, silent])).toEqual({ segment: all, event: all });
  });

  test('something claimed in one modality of an empty video costs that modality and the joint figure', () => {
    const { segment, event } = figuresOf([
      { audio: rows('0100', '0000'), visual: none },
      { audio: none, visual: none },
    ]);
    const expected = { ...all, audio: 0, eventAV: 0, typeAV: 200 / 3 };
    for (const figures of [segment, event]) {
      for (const key of Object.keys(all) as (keyof typeof all)[]) expect(figures[key]).toBeCloseTo(expected[key], 10);
    }
  });

  test('nothing is seen and heard at once: that figure is right, the others are not', () => {
    const { segment } = figuresOf([
      { audio: rows('1100', '0000'), visual: rows('0011', '0000') },
      { audio: rows('1000', '0000'), visual: rows('0001', '0000') },
    ]);
    // Each modality: one right, one wrong, none missed: F = 2 / 3.
    expect(segment.audio).toBeCloseTo(200 / 3, 10);
    expect(segment.visual).toBeCloseTo(200 / 3, 10);
    expect(segment.audioVisual).toBe(100);
    expect(segment.eventAV).toBeCloseTo(200 / 3, 10);
  });

  test('classes that occur nowhere do not count, the others count alike', () => {
    const { segment } = figuresOf([
      { audio: rows('1111', '0100'), visual: none },
      { audio: rows('1111', '0000'), visual: none },
    ]);
    expect(segment.audio).toBe(50);
  });

  test('events need half of the union; a run may end with the clip; adjacent classes are apart', () => {
    const { event } = figuresOf([
      // Class 0: 2 of 4 seconds overlap, so right. Class 1: run at the end, 1 of 3, so wrong and missed.
      { audio: rows('1100000000', '0000000001'), visual: rows('0000000001', '0000000010') },
      { audio: rows('1111000000', '0000000111'), visual: rows('0000000001', '0000000010') },
    ]);
    expect(event.audio).toBe(50);
    expect(event.visual).toBe(100);
    // Both at once: class 1 at second 8 is true and was not claimed.
    expect(event.audioVisual).toBe(0);
    // Joint counts: class 0 has 2 right; class 1 has 1 right, 1 wrong, 1 missed: (1 + 1/2) / 2.
    expect(event.eventAV).toBe(75);
  });

  test('figures are means over videos', () => {
    const right: Activity = { audio: rows('1111', '0000'), visual: rows('1111', '0000') };
    const { segment } = figuresOf([right, right], [{ audio: none, visual: none }, right]);
    expect(segment).toEqual({ audio: 50, visual: 50, audioVisual: 50, typeAV: 50, eventAV: 50 });
    expect(new ParsingScore(2).figures().segment.typeAV).toBe(0);
  });

  test('a class is active where both the second and the clip reach the threshold', () => {
    expect([...decodeParsing([0.5, 0.9, 0.49, 0.9], [0.5, 0.4])]).toEqual([1, 0, 0, 0]);
    expect([...decodeParsing([0.5, 0.9], [0.5, 0.9], 0.8)]).toEqual([0, 1]);
  });

  test('arrays of different sizes are refused', () => {
    const score = new ParsingScore(3);
    const three = new Uint8Array(3);
    expect(() => score.add({ audio: three, visual: three }, { audio: three, visual: new Uint8Array(6) })).toThrow(
      invalid,
    );
    expect(() => score.add({ audio: none, visual: none }, { audio: none, visual: none })).toThrow(invalid);
  });
});

describe('segmentation', () => {
  const [yes, no] = [20, -20];

  test('overlap and F of one frame', () => {
    const score = new SegmentationScore();
    score.addClip([yes, yes, no, no], [1, 0, 1, 0], 4);
    // 1 of 3 pixels; precision and recall 1/2 above threshold 0, so F = 1.3 * 0.25 / (0.3 * 0.5 + 0.5).
    const { mJ, mF } = score.figures();
    expect(mJ).toBeCloseTo(1 / 3, 6);
    // At threshold 0 everything is positive: precision 1/2, recall 1 is better.
    expect(mF).toBeCloseTo((1.3 * 0.5) / (0.3 * 0.5 + 1), 6);
  });

  test('an empty truth scores the share of background, and does not enter F', () => {
    const score = new SegmentationScore();
    score.addClip([yes, no, no, no, yes, yes, no, no], [0, 0, 0, 0, 1, 1, 0, 0], 4);
    expect(score.figures().mJ).toBeCloseTo((0.75 + 1) / 2, 6);
    expect(score.figures().mF).toBeCloseTo(1, 6);
    const empty = new SegmentationScore();
    empty.addClip([no, no], [0, 0], 2);
    expect(empty.figures().mJ).toBeCloseTo(1, 6);
    expect(empty.figures().mF).toBe(0);
  });

  test('the best threshold is chosen per batch, so smaller batches score higher', () => {
    const logit = (p: number) => Math.log(p / (1 - p));
    // Two clips whose best thresholds exclude each other.
    const low = { logits: [0.3, 0.2].map(logit), truth: [1, 0] };
    const high = { logits: [0.9, 0.8].map(logit), truth: [1, 0] };
    const mF = (batchClips: number) => {
      const score = new SegmentationScore({ batchClips });
      for (const { logits, truth } of [low, high]) score.addClip(logits, truth, 2);
      return score.figures().mF;
    };
    expect(mF(1)).toBeCloseTo(1, 6);
    // At best one clip is perfect, and the other has precision 1/2 with recall 1.
    expect(mF(2)).toBeCloseTo((1 + 0.65 / 1.15) / 2, 6);
    expect(mF(4)).toBe(mF(2));
  });

  test('batches weigh the same, also an unfinished one', () => {
    const score = new SegmentationScore({ batchClips: 2 });
    score.addClip([yes], [1], 1);
    score.addClip([yes], [1], 1);
    score.addClip([no], [1], 1);
    expect(score.figures().mJ).toBeCloseTo(0.5, 6);
    expect(score.figures().mJ).toBeCloseTo(0.5, 6);
  });

  test('sizes that do not fit are refused', () => {
    expect(() => new SegmentationScore({ batchClips: 0 })).toThrow(invalid);
    expect(() => new SegmentationScore().addClip([1, 2, 3], [1, 0, 1], 2)).toThrow(invalid);
    expect(() => new SegmentationScore().addClip([1, 2], [1], 1)).toThrow(invalid);
  });
});

describe('average precision', () => {
  test('as the area under the steps of the ranking', () => {
    // Ranked: true (1/1), false, true (2/3), false -> (1 + 2/3) / 2.
    expect(averagePrecision([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0])).toBeCloseTo(5 / 6, 12);
    // Equal scores are one step: 2 true of 4.
    expect(averagePrecision([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0])).toBeCloseTo(0.5, 12);
    expect(averagePrecision([1, 2], [0, 0])).toBeNull();
    expect(averagePrecision([Number.NaN, 0.2], [1, 0])).toBeCloseTo(0.5, 12);
  });

  test('per class', () => {
    expect(averagePrecisionPerClass([0.9, 0.1, 0.2, 0.3], [1, 0, 0, 0], 2)).toEqual([1, null]);
    expect(() => averagePrecision([1], [])).toThrow(invalid);
  });
});

describe('report', () => {
  const figures = { audio: 60.04, visual: 55.55, audioVisual: 7, typeAV: 40.86, eventAV: 100 };
  const report: EvaluationReport = {
    task: 'parse',
    dataset: 'LLP',
    split: 'test',
    clips: 1200,
    segment: figures,
    event: { ...figures, audio: 1 },
    averagePrecision: [
      { label: 'Speech', value: 0.5 },
      { label: 'Car', value: null },
    ],
  };

  test('the table of video parsing as papers print it', () => {
    expect(formatReport(report)).toBe(
      [
        'LLP, test split, 1200 clips',
        '',
        '               Audio  Visual  Audio-Visual  Type@AV  Event@AV',
        'Segment-level   60.0    55.5           7.0     40.9     100.0',
        'Event-level      1.0    55.5           7.0     40.9     100.0',
        '',
        'Average precision',
        'Speech             50.0',
        'Car                   -',
        'mean               50.0',
        '',
      ].join('\n'),
    );
  });

  test('the other tasks say how they were measured', () => {
    const common = { dataset: 'x', split: 'val', clips: 4 } as const;
    expect(formatReport({ ...common, task: 'localize', decoding: 'gated', accuracy: 82.249 })).toMatch(
      /82\.2\n.*gated/,
    );
    expect(formatReport({ ...common, task: 'segment', batchClips: 4, mJ: 0.5, mF: 0.625 })).toMatch(
      /50\.0\n.*62\.5\n.*4 clips/,
    );
  });

  test('JSON keeps every digit', () => {
    expect(JSON.parse(formatReport(report, 'json'))).toEqual(report);
    expect(() => formatReport(report, 'yaml' as 'json')).toThrow(invalid);
  });
});
