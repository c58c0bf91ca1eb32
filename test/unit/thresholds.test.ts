/** Thresholds of video parsing: how they are chosen, what they change in figures and results, and what is left as published. */
import { describe, expect, test } from 'vitest';
import { analyzeClip } from '../../sdk/analyze.ts';
import { finishManifest } from '../../sdk/compile/package.ts';
import type { Clip } from '../../sdk/contract/clip.ts';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import type { Engine } from '../../sdk/engine/types.ts';
import type { LoadedEngine } from '../../sdk/load.ts';
import { seededRandom } from '../../sdk/random.ts';
import type { ParsingResult } from '../../sdk/tasks/types.ts';
import { type EvaluateOptions, evaluatePredictions } from '../../sdk/train/adapter/evaluate.ts';
import { type JudgedSense, ThresholdChoice } from '../../sdk/train/adapter/thresholds.ts';
import type { DatasetItem } from '../../sdk/train/data/types.ts';
import { decodeParsing } from '../../sdk/train/metrics/parsing.ts';
import { type EvaluationReport, formatReport } from '../../sdk/train/metrics/report.ts';
import { adapterDraft, adapterFiles, changed } from './hub-fixtures.ts';

const choose = (classes: number, senses: readonly JudgedSense[]): number[] => {
  const choice = new ThresholdChoice(classes);
  for (const sense of senses) choice.add(sense);
  return choice.choose();
};

/** One class, one sense; the clip is sure. */
const sense = (seconds: number[], truth: number[]): JudgedSense => ({
  seconds: Float32Array.from(seconds),
  clip: Float32Array.of(1),
  truth,
});

describe('the threshold of a class', () => {
  test.each<[string, JudgedSense[], number]>([
    ['lies below what is there and above what is not', [sense([0.22, 0.23, 0.18, 0.1], [1, 1, 0, 0])], 0.2],
    ['may lie high', [sense([0.93, 0.88, 0.7], [1, 0, 0])], 0.9],
    ['stays at 0.5 where that is as good as others', [sense([0.99, 0.01], [1, 0])], 0.5],
    ['is the nearest to 0.5 of those that are as good', [sense([0.9, 0.62, 0.1], [1, 0, 0])], 0.65],
    ['is 0.5 for a class that never occurs', [sense([0.9, 0.8], [0, 0])], 0.5],
    ['counts both senses together', [sense([0.22, 0.9], [1, 0]), sense([0.23, 0.31, 0.32], [1, 1, 1])], 0.2],
    ['is reached by the same number as float32', [sense([0.7, 0.69], [1, 0])], 0.7],
  ])('%s', (_what, senses, expected) => {
    expect(choose(1, senses)).toEqual([expected]);
  });

  test("asks for the clip's probability too", () => {
    const clip = Float32Array.of(0.3);
    // Sure of every second; the clip is what tells the two apart.
    const right = { seconds: Float32Array.of(0.9, 0.9), clip, truth: [1, 1] };
    const wrong = { seconds: Float32Array.of(0.9, 0.9), clip: Float32Array.of(0.2), truth: [0, 0] };
    expect(choose(1, [right, wrong])).toEqual([0.3]);
  });

  test('is the best of the grid for each class by itself, by the decoder of the published evaluation', () => {
    const random = seededRandom('thresholds');
    const [classes, seconds] = [4, 10];
    const senses = Array.from({ length: 30 }, () => {
      const truth = Array.from({ length: seconds * classes }, (_, i) => (random() < 0.1 * (i % classes) ? 1 : 0));
      const near = (on: number, c: number) => 0.15 * c + 0.3 * on + 0.4 * random();
      return {
        seconds: Float32Array.from(truth, (on, i) => near(on, i % classes)),
        clip: Float32Array.from({ length: classes }, (_, c) => near(1, c)),
        truth,
      };
    });
    const f = (c: number, threshold: number): number => {
      let [right, claimed, there] = [0, 0, 0];
      for (const { seconds, clip, truth } of senses) {
        decodeParsing(seconds, clip, threshold).forEach((on, i) => {
          if (i % classes !== c) return;
          right += on * truth[i]!;
          claimed += on;
          there += truth[i]!;
        });
      }
      return (2 * right) / (claimed + there);
    };
    const grid = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
    const chosen = choose(classes, senses);
    expect(chosen[0]).toBe(0.5);
    for (let c = 1; c < classes; c++) {
      expect(grid).toContain(chosen[c]);
      expect(f(c, chosen[c]!)).toBe(Math.max(...grid.map((threshold) => f(c, threshold))));
    }
    expect(new Set(chosen).size).toBeGreaterThan(2);
  });
});

test('each class is decoded with its own threshold', () => {
  const seconds = [0.3, 0.3, 0.6, 0.6];
  expect([...decodeParsing(seconds, [0.9, 0.9], [0.3, 0.7])]).toEqual([1, 0, 1, 0]);
  expect([...decodeParsing(Float32Array.from(seconds), [0.29, 0.9], [0.3, 0.6])]).toEqual([0, 0, 0, 1]);
});

/** Two clips of two seconds, two classes. Class `a` is where it says more than 0.2, `b` is nowhere. */
const predictions: [Record<string, Float32Array>, DatasetItem][] = [0, 1].map((i) => {
  const audio = Float32Array.of(0.3, 0.9 * i, 0.1, 0);
  const outputs = {
    audio,
    visual: audio.slice(),
    audioClip: Float32Array.of(0.9, 0.9),
    visualClip: Float32Array.of(0.9, 0.9),
  };
  const heard = Uint8Array.of(1, 0, 0, 0);
  const labels = { task: 'parse' as const, clip: Uint8Array.of(1, 0), audio: heard, visual: heard };
  return [outputs, { labels } as unknown as DatasetItem];
});

type ParsingReport = Extract<EvaluationReport, { task: 'parse' }>;
const reportWith = async (
  thresholds?: EvaluateOptions['thresholds'],
  of = predictions,
): Promise<{ report: ParsingReport; score: number; thresholds?: number[] }> => {
  const figures = await evaluatePredictions({
    config: { task: 'parse', classes: ['a', 'b'] },
    thresholds,
    predict: async (visit) => {
      for (const [outputs, item] of of) await visit(outputs, item);
    },
  });
  return { ...figures, report: { ...figures.report, dataset: 'd', split: 'val' } as ParsingReport };
};

describe('figures', () => {
  test('with thresholds stand beside the published ones, which stay as they are', async () => {
    const plain = await reportWith();
    expect(plain.report).not.toHaveProperty('thresholded');
    expect(plain.thresholds).toBeUndefined();
    const chosen = await reportWith('choose');
    const { thresholded, ...published } = chosen.report;
    expect(published).toEqual(plain.report);
    expect(chosen.score).toBe(plain.score);
    expect(chosen.thresholds).toEqual([0.3, 0.5]);
    expect(thresholded!.thresholds).toEqual([
      { label: 'a', value: 0.3 },
      { label: 'b', value: 0.5 },
    ]);
    // At 0.5 the first clip has F 0 for what is there, the second besides finds `b` where it is not.
    expect(plain.report.segment.audio).toBe(0);
    // Now: F 1 of the first clip; of the second 1 and 0.
    expect(thresholded!.segment.audio).toBe(75);
    expect((await reportWith([0.3, 0.95])).report.thresholded!.segment.audio).toBe(100);
    expect((await reportWith([0.5, 0.5])).report.thresholded!.segment).toEqual(plain.report.segment);
  });

  test('choose nothing where no clip has labels per second', async () => {
    const weak = predictions.map(([outputs, item]): (typeof predictions)[0] => [
      outputs,
      { ...item, labels: { ...item.labels, audio: null, visual: null } } as unknown as DatasetItem,
    ]);
    const { report, thresholds } = await reportWith('choose', weak);
    expect(report).not.toHaveProperty('thresholded');
    expect(thresholds).toBeUndefined();
  });

  test('are labelled in the text', async () => {
    const { report } = await reportWith('choose');
    const text = formatReport(report);
    expect(text.match(/^Segment-level.*$/gm)).toHaveLength(2);
    expect(text.indexOf('threshold 0.5 for every class, as published')).toBeLessThan(
      text.indexOf('chosen on the validation split, which this is, so it flatters'),
    );
    expect(formatReport({ ...report, split: 'test' })).toContain('chosen on the validation split; not the published');
    expect(JSON.parse(formatReport(report, 'json'))).toEqual(report);
  });
});

const clip: AdapterManifest['clip'] = { segments: 10, outputs: [{ name: 'audio', shape: [10, 2] }] };

describe('a manifest', () => {
  const draft = async (thresholds: unknown, task = 'parse') =>
    changed(changed(await adapterDraft(), 'task', task), 'thresholds', thresholds);

  test('of parsing may have one per class', async () => {
    expect((await finishManifest(await draft([0, 1]), adapterFiles)).thresholds).toEqual([0, 1]);
    expect((await finishManifest(await draft(null), adapterFiles)).thresholds).toBeNull();
  });

  test.each<[unknown, string, string]>([
    [undefined, 'parse', 'thresholds: missing'],
    [0.5, 'parse', 'thresholds: expected a list, got 0.5'],
    [[0.5], 'parse', 'thresholds: expected 2 items, one per class, got 1'],
    [[0.5, 1.5], 'parse', 'thresholds[1]: expected a number from 0 to 1, got 1.5'],
    [[0.5, '0.5'], 'parse', 'thresholds[1]: expected a number from 0 to 1, got "0.5"'],
    [[0.5, 0.5], 'localize', 'thresholds: expected null, since task is "localize"'],
  ])('with %j of %s is refused by path', async (thresholds, task, problem) => {
    await expect(finishManifest(await draft(thresholds, task), adapterFiles)).rejects.toThrow(problem);
  });
});

test.each<[number[] | null, string[]]>([
  [null, ['b']],
  [[0.3, 0.95], ['a']],
  [
    [0.3, 0.5],
    ['a', 'b'],
  ],
])('a clip is parsed with the thresholds of its adapter: %j', async (thresholds, labels) => {
  const manifest = { ...(await adapterDraft()), task: 'parse', classes: ['a', 'b'], thresholds, clip, files: [] };
  const rows = { shape: [1, 2], data: Float32Array.of(0.3, 0.9) };
  const whole = { shape: [1, 2], data: Float32Array.of(0.9, 0.99) };
  const outputs = { audio: rows, visual: rows, audioClip: whole, visualClip: whole };
  const engine: Partial<Engine> = {
    begin: async () => 1,
    push: async () => ({ [manifest.id]: {} }),
    finish: async () => ({ [manifest.id]: outputs }),
  };
  const inputs = { visual: { width: 2, height: 2 }, audio: { sampleRate: 8000 } };
  const opened = {
    duration: 1,
    segmentCount: 1,
    video: {},
    audio: {},
    warnings: [],
    async *segments() {
      yield { index: 0, start: 0, end: 1, frame: null, pcm: null, thumbnail: null };
    },
  };
  const loaded = { engine, backbone: { inputs } } as unknown as LoadedEngine;
  const asked = { key: manifest.id as string, manifest: manifest as AdapterManifest };
  const analysis = await analyzeClip(loaded, opened as unknown as Clip, [asked], {});
  const { events } = analysis.results[0] as ParsingResult;
  expect(events.filter(({ modality }) => modality === 'audio').map(({ label }) => label)).toEqual(labels);
});
