/** Scores predictions on a split, with the published metric of each task. Where predictions come from (training weights, a compiled adapter) is the caller's. */

import { concatenate } from '../../arrays.ts';
import { anything, callback, checkOptions, type Rules, record, required } from '../../contract/options.ts';
import { callersOwn, throughDoor } from '../../door.ts';
import type { AdapterConfig } from '../../models/adapter.ts';
import type { DatasetItem, LocalizationLabels, ParsingLabels, SegmentationLabels } from '../data/types.ts';
import { binaryMask, type MaskImage } from '../features/masks.ts';
import type { Evaluation } from '../loop/checkpoint.ts';
import { averagePrecisionPerClass } from '../metrics/average-precision.ts';
import { decodeArgmax, LocalizationScore } from '../metrics/localization.ts';
import { decodeParsing, ParsingScore } from '../metrics/parsing.ts';
import type { EvaluationReport } from '../metrics/report.ts';
import { publishedBatchClips, SegmentationScore } from '../metrics/segmentation.ts';
import { type JudgedSense, ThresholdChoice } from './thresholds.ts';

/** Sees the outputs of one item, one row per second; `audioClip` and `visualClip` of parsing have one row for the whole clip. */
export type Visit = (outputs: Record<string, Float32Array>, item: DatasetItem) => void | Promise<void>;
/** Calls `visit` with item after item, each when the one before is done with, so that no more than a few are held at a time. Items may be left out. */
export type Predict = (visit: Visit) => Promise<void>;

/** What is scored, and against what. */
export type EvaluateOptions = {
  /** Gives the predictions. */
  predict: Predict;
  /** The adapter's. */
  config: Pick<AdapterConfig, 'task' | 'classes'>;
  /** Of parsing: give figures with these, one per class, beside the published ones; `choose` takes those that are best for these predictions. */
  thresholds?: readonly number[] | 'choose' | null;
  /** Of `segment`, which needs it: size of the predicted masks. */
  maskSize?: {
    /** Pixels. */
    width: number;
    /** Pixels. */
    height: number;
  };
  /** Of `segment`, which needs it: reads a true mask. */
  readMask?: (path: string) => Promise<MaskImage>;
};

const evaluateRules: Rules<EvaluateOptions> = {
  predict: required(callback),
  config: required(record),
  thresholds: anything,
  maskSize: record,
  readMask: callback,
};

/** Figures of one split, without the names that a report adds. */
export type Figures = {
  /** What {@link formatReport} prints, once a dataset and a split are named. */
  report: Omit<EvaluationReport, 'dataset' | 'split'>;
  /** The task's main figure, in percent: what a training selects by. */
  score: number;
  /** Those that parsing was given or chose, one per class. */
  thresholds?: number[];
};

/** Scores one split. Throws `invalid-argument` where labels and predictions do not fit, and what `predict` throws. */
export async function evaluatePredictions(options: EvaluateOptions): Promise<Figures> {
  return await throughDoor(undefined, () => {
    checkOptions(options, evaluateRules);
    return figuresOf(callersOwn(options));
  });
}

async function figuresOf(options: EvaluateOptions): Promise<Figures> {
  const { task } = options.config;
  if (task === 'localize') return await localizationFigures(options);
  return task === 'parse' ? await parsingFigures(options) : await segmentationFigures(options);
}

/** What the trainer selects by: the task's main figure, in percent. */
export const asEvaluation = ({ score }: Figures): Evaluation => ({ score });

/** A clip may end before its labels do: what it has no second for is not judged. */
async function localizationFigures({ predict, config }: EvaluateOptions) {
  const width = config.classes.length + 1;
  const score = new LocalizationScore();
  const truths: number[] = [];
  const scores: number[] = [];
  let clips = 0;
  await predict(({ logits }, item) => {
    const { seconds } = item.labels as LocalizationLabels;
    const rows = Math.min(seconds.length, logits!.length / width);
    clips++;
    const data = logits!.subarray(0, rows * width);
    score.add(decodeArgmax({ shape: [rows, width], data }), seconds.subarray(0, rows));
    for (let second = 0; second < rows; second++) {
      for (let c = 0; c < config.classes.length; c++) {
        scores.push(data[second * width + c]!);
        truths.push(seconds[second] === c ? 1 : 0);
      }
    }
  });
  const averagePrecision = perClass(scores, truths, config.classes);
  const report = {
    task: 'localize' as const,
    clips,
    decoding: 'argmax' as const,
    accuracy: score.accuracy,
    averagePrecision,
  };
  return { report, score: score.accuracy };
}

/** Predictions and truth of a clip, by sense: small, since they are one number per class and second. */
type Judged = Record<'audio' | 'visual', JudgedSense>;

async function parsingFigures({ predict, config, thresholds }: EvaluateOptions) {
  const published = new ParsingScore(config.classes.length);
  const judged: Judged[] = [];
  const scores: number[] = [];
  const truths: number[] = [];
  let clips = 0;
  await predict((outputs, item) => {
    const { audio, visual, clip } = item.labels as ParsingLabels;
    clips++;
    const [heard, seen] = [outputs.audioClip!, outputs.visualClip!];
    scores.push(...heard.map((p, c) => Math.max(p, seen[c]!)));
    truths.push(...clip);
    // Only the union is known of clips of the training split: they count for average precision alone.
    if (!audio || !visual) return;
    const length = Math.min(audio.length, outputs.audio!.length);
    const senseOf = (name: 'audio' | 'visual', truth: Uint8Array): JudgedSense => ({
      seconds: outputs[name]!.subarray(0, length),
      clip: outputs[`${name}Clip`]!,
      truth: truth.subarray(0, length),
    });
    const clipJudged = { audio: senseOf('audio', audio), visual: senseOf('visual', visual) };
    addDecoded(published, clipJudged, 0.5);
    if (thresholds) judged.push(clipJudged);
  });
  const figures = published.figures();
  const averagePrecision = perClass(scores, truths, config.classes);
  const thresholded = judged.length > 0 ? thresholdedFigures(judged, config.classes, thresholds!) : null;
  const report = { task: 'parse' as const, clips, ...figures, ...(thresholded && { thresholded }), averagePrecision };
  const values = thresholded?.thresholds.map(({ value }) => value);
  return { report, score: (figures.segment.typeAV + figures.event.typeAV) / 2, thresholds: values };
}

function addDecoded(score: ParsingScore, { audio, visual }: Judged, threshold: number | readonly number[]): void {
  const decode = ({ seconds, clip }: JudgedSense): Uint8Array => decodeParsing(seconds, clip, threshold);
  score.add({ audio: decode(audio), visual: decode(visual) }, { audio: audio.truth, visual: visual.truth });
}

function thresholdedFigures(
  judged: readonly Judged[],
  classes: readonly string[],
  given: readonly number[] | 'choose',
): NonNullable<Extract<EvaluationReport, { task: 'parse' }>['thresholded']> {
  const thresholds = given === 'choose' ? chosenFor(judged, classes.length) : given;
  const score = new ParsingScore(classes.length);
  for (const clip of judged) addDecoded(score, clip, thresholds);
  return { thresholds: classes.map((label, c) => ({ label, value: thresholds[c]! })), ...score.figures() };
}

function chosenFor(judged: readonly Judged[], classes: number): number[] {
  const choice = new ThresholdChoice(classes);
  for (const { audio, visual } of judged) {
    choice.add(audio);
    choice.add(visual);
  }
  return choice.choose();
}

/**
 * Logits are brought to the size of the true masks before they are compared, as the published evaluation does at 224 x 224. Where the masks of one clip differ
 * in size, the first one's counts.
 */
async function segmentationFigures({ predict, maskSize, readMask }: EvaluateOptions) {
  const score = new SegmentationScore();
  const from = maskSize!;
  let clips = 0;
  await predict(async ({ mask }, item) => {
    const { masks } = item.labels as SegmentationLabels;
    const frames = masks.slice(0, mask!.length / (from.width * from.height));
    const truths: Float32Array[] = [];
    const logits: Float32Array[] = [];
    let to: Size | null = null;
    for (const [second, path] of frames.entries()) {
      if (path === null) continue;
      const truth = await readMask!(path);
      to ??= { width: truth.width, height: truth.height };
      const pixels = from.width * from.height;
      logits.push(resizeBilinear(mask!.subarray(second * pixels, (second + 1) * pixels), from, to));
      truths.push(binaryMask(truth, to.width, to.height));
    }
    if (to) score.addClip(concatenate(logits), concatenate(truths), to.width * to.height);
    clips++;
  });
  const { mJ, mF } = score.figures();
  const report = { task: 'segment' as const, clips, batchClips: publishedBatchClips, mJ, mF };
  return { report, score: 50 * (mJ + mF) };
}

type Size = { width: number; height: number };

/** Pixel centres at one half, no antialias. */
function resizeBilinear(data: Float32Array, from: Size, to: Size): Float32Array {
  const out = new Float32Array(to.width * to.height);
  const place = (i: number, length: number, source: number): [number, number, number] => {
    const at = Math.min(Math.max(((i + 0.5) * source) / length - 0.5, 0), source - 1);
    return [Math.floor(at), Math.min(Math.floor(at) + 1, source - 1), at - Math.floor(at)];
  };
  for (let y = 0; y < to.height; y++) {
    const [top, bottom, fy] = place(y, to.height, from.height);
    for (let x = 0; x < to.width; x++) {
      const [left, right, fx] = place(x, to.width, from.width);
      const row = (r: number): number => (1 - fx) * data[r * from.width + left]! + fx * data[r * from.width + right]!;
      out[y * to.width + x] = (1 - fy) * row(top) + fy * row(bottom);
    }
  }
  return out;
}

function perClass(scores: number[], truths: number[], classes: readonly string[]) {
  const values = averagePrecisionPerClass(scores, truths, classes.length);
  return classes.map((label, c) => ({ label, value: values[c] ?? null }));
}
