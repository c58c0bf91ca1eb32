/** Scores predictions on a split, with the published metric of each task. Where predictions come from (training weights, a compiled adapter) is the caller's. */
import type { AdapterConfig } from '../models/adapter.ts';
import type { Evaluation } from './checkpoint.ts';
import type { DatasetItem, LocalizationLabels, ParsingLabels, SegmentationLabels } from './data/types.ts';
import type { MaskImage } from './examples.ts';
import { averagePrecisionPerClass } from './metrics/average-precision.ts';
import { decodeArgmax, LocalizationScore } from './metrics/localization.ts';
import { decodeParsing, ParsingScore } from './metrics/parsing.ts';
import type { EvaluationReport } from './metrics/report.ts';
import { publishedBatchClips, SegmentationScore } from './metrics/segmentation.ts';

/** Calls `visit` with the outputs of each item, one row per second; `audioClip` and `visualClip` of parsing have one row for the whole clip. */
export type Predict = (visit: (outputs: Record<string, Float32Array>, index: number) => void) => Promise<void>;

export type EvaluateOptions = {
  predict: Predict;
  config: Pick<AdapterConfig, 'task' | 'classes' | 'segments'>;
  items: readonly DatasetItem[];
  /** Size of the predicted masks, and how to read the true ones. */
  maskSize?: { width: number; height: number };
  readMask?: (path: string) => Promise<MaskImage>;
};

/** Figures of one split, without the names that a report adds. */
export type Figures = { report: Omit<EvaluationReport, 'dataset' | 'split'>; score: number };

export async function evaluatePredictions(options: EvaluateOptions): Promise<Figures> {
  const { task } = options.config;
  if (task === 'localization') return await localizationFigures(options);
  return task === 'parsing' ? await parsingFigures(options) : await segmentationFigures(options);
}

/** What the trainer selects by: the task's main figure, in percent. */
export const asEvaluation = ({ score }: Figures): Evaluation => ({ score });

async function localizationFigures({ predict, config, items }: EvaluateOptions) {
  const width = config.classes.length + 1;
  const score = new LocalizationScore();
  const truths: number[] = [];
  const scores: number[] = [];
  await predict(({ logits }, index) => {
    const { seconds } = items[index]!.labels as LocalizationLabels;
    const rows = Math.min(seconds.length, config.segments);
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
    task: 'localization' as const,
    clips: items.length,
    decoding: 'argmax' as const,
    accuracy: score.accuracy,
    averagePrecision,
  };
  return { report, score: score.accuracy };
}

async function parsingFigures({ predict, config, items }: EvaluateOptions) {
  const score = new ParsingScore(config.classes.length);
  const scores: number[] = [];
  const truths: number[] = [];
  await predict((outputs, index) => {
    const { audio, visual, clip } = items[index]!.labels as ParsingLabels;
    const [heard, seen] = [outputs.audioClip!, outputs.visualClip!];
    scores.push(...heard.map((p, c) => Math.max(p, seen[c]!)));
    truths.push(...clip);
    // Only the union is known of clips of the training split: they count for average precision alone.
    if (!audio || !visual) return;
    const decode = (seconds: string, whole: string): Uint8Array =>
      decodeParsing(outputs[seconds]!.subarray(0, audio.length), outputs[whole]!);
    score.add({ audio: decode('audio', 'audioClip'), visual: decode('visual', 'visualClip') }, { audio, visual });
  });
  const figures = score.figures();
  const averagePrecision = perClass(scores, truths, config.classes);
  const report = { task: 'parsing' as const, clips: items.length, ...figures, averagePrecision };
  return { report, score: (figures.segment.typeAV + figures.event.typeAV) / 2 };
}

/** Logits are brought to the size of the true masks before they are compared, as the published evaluation does at 224 x 224. */
async function segmentationFigures({ predict, config, items, maskSize, readMask }: EvaluateOptions) {
  const score = new SegmentationScore();
  const predicted = new Map<number, Float32Array>();
  await predict((outputs, index) => void predicted.set(index, outputs.mask!));
  for (const [index, item] of items.entries()) {
    const { masks } = item.labels as SegmentationLabels;
    const truths: number[] = [];
    const logits: number[] = [];
    let pixels = 0;
    for (const [second, path] of masks.slice(0, config.segments).entries()) {
      if (path === null) continue;
      const truth = await readMask!(path);
      const size = maskSize!.width * maskSize!.height;
      const own = predicted.get(index)!.subarray(second * size, (second + 1) * size);
      for (const x of resizeBilinear(own, maskSize!, truth)) logits.push(x);
      for (const x of truth.data) truths.push(x > 0 ? 1 : 0);
      pixels = truth.width * truth.height;
    }
    if (pixels > 0) score.addClip(logits, truths, pixels);
  }
  const { mJ, mF } = score.figures();
  const report = { task: 'segmentation' as const, clips: items.length, batchClips: publishedBatchClips, mJ, mF };
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
