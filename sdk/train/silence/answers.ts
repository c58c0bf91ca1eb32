/** What an adapter answers about a labelled clip, answer by answer, and whether it is right: what familiarity and calibration are judged by. */
import type { SensesFamiliarity } from '../../contract/familiar.ts';
import type { AdapterManifest, Sense } from '../../contract/manifest.ts';
import type { ResultContext } from '../../tasks/context.ts';
import { toLocalization } from '../../tasks/localization.ts';
import { toParsing } from '../../tasks/parsing.ts';
import { toMask } from '../../tasks/segmentation.ts';
import type { DatasetItem } from '../data/types.ts';
import { binaryMask, type MaskImage } from '../features/masks.ts';
import type { Judged } from './fit-temperature.ts';
import type { Said } from './package-runner.ts';

/**
 * One label of one second and, for parsing, sense; of masks the second as a whole, right where it overlaps the truth by at least one half, with its pixels to
 * judge confidence by.
 */
export type Answer = Judged & {
  familiarity: number | null;
  /** The sense that it is about; null where it is about the second. */
  sense: Sense | null;
  /** Logits of what was answered, and what is true: what calibration is fitted to. Of a mask some of its pixels. */
  raw: { logit: number; right: boolean }[];
  /** Of a mask, the confidence of those pixels. */
  pixels?: Judged[];
};

/** A clip, what was said of it, and how familiar its seconds are, if that is known yet. */
export type JudgedClip = {
  item: DatasetItem;
  said: Said;
  familiarity: readonly SensesFamiliarity[];
};

export type AnswerOptions = {
  manifest: AdapterManifest;
  /** Of masks. */
  readMask: (path: string) => Promise<MaskImage>;
};

/** Every so many pixels one is looked at: neighbours say the same. */
const pixelStep = 29;

/** All answers about a clip whose truth is known second by second, as results give them with `unfamiliar: 'show'`. */
export async function answersOf(clip: JudgedClip, options: AnswerOptions): Promise<Answer[]> {
  const { item, said } = clip;
  const { manifest } = options;
  const context: ResultContext = {
    adapter: manifest.id,
    classes: manifest.classes,
    duration: said.seconds,
    segments: said.seconds,
    hasAudio: true,
    hasPicture: true,
    untrained: manifest.untrained,
    scope: manifest.scope,
    calibration: manifest.calibration,
    familiarity: { least: 0, seconds: clip.familiarity },
    unfamiliar: 'show',
  };
  const { labels } = item;
  if (labels.task === 'localize') return localized(said, context, labels.seconds);
  if (labels.task === 'segment') return await masked(said, context, labels.masks, options);
  const { audio, visual } = labels;
  return audio && visual ? parsed(said, context, manifest.thresholds, { audio, visual }) : [];
}

function localized({ outputs }: Said, context: ResultContext, truth: Int32Array): Answer[] {
  const { seconds, classes } = toLocalization(outputs, context);
  return seconds.slice(0, truth.length).flatMap(({ label, probabilities, familiarity }, second) => {
    if (label === null) return [];
    const c = classes.indexOf(label);
    return [{ confidence: probabilities[c]!, right: truth[second] === c, familiarity, sense: null, raw: [] }];
  });
}

function parsed(
  { outputs }: Said,
  context: ResultContext,
  thresholds: readonly number[] | null,
  truth: Record<Sense, Uint8Array>,
): Answer[] {
  const { events, seconds, classes } = toParsing(outputs, context, { threshold: thresholds ?? undefined });
  return events.flatMap(({ modality, classIndex, start, end }) => {
    if (modality === 'audio-visual') return [];
    const rows = Array.from({ length: Math.ceil(end - start) }, (_, i) => Math.floor(start) + i);
    return rows.flatMap((second) => {
      const at = second * classes.length + classIndex;
      if (at >= truth[modality].length) return [];
      const right = truth[modality][at] === 1;
      const { familiarity } = seconds[second]!;
      const p = Math.min(1 - 1e-6, Math.max(1e-6, outputs[modality]!.data[at]!));
      const raw = [{ logit: Math.log(p / (1 - p)), right }];
      const confidence = seconds[second]![modality][classIndex]!;
      return [{ confidence, right, familiarity: familiarity[modality], sense: modality, raw }];
    });
  });
}

async function masked(
  { outputs, seconds }: Said,
  context: ResultContext,
  paths: readonly (string | null)[],
  { readMask }: AnswerOptions,
): Promise<Answer[]> {
  const { shape, data } = outputs.mask!;
  const [, , height, width] = shape as [number, number, number, number];
  const answers: Answer[] = [];
  for (let second = 0; second < seconds; second++) {
    const path = paths[second] ?? null;
    if (path === null) continue;
    const logits = data.subarray(second * width * height, (second + 1) * width * height);
    const mask = toMask({ mask: { shape: [1, 1, height, width], data: logits } }, context, second);
    if (mask.area === 0) continue;
    const truth = binaryMask(await readMask(path), width, height);
    let [both, either] = [0, 0];
    const pixels: { confidence: number; logit: number; right: boolean }[] = [];
    mask.data.forEach((value, at) => {
      if (truth[at]! < 0) return;
      const found = value > 127;
      if (found && truth[at]) both++;
      if (found || truth[at]) either++;
      if (found && at % pixelStep === 0)
        pixels.push({ confidence: value / 255, logit: logits[at]!, right: truth[at] === 1 });
    });
    const familiarity = mask.familiarity;
    answers.push({
      confidence: mean(pixels.map(({ confidence }) => confidence)),
      right: both >= 0.5 * either,
      familiarity,
      sense: null,
      raw: pixels,
      pixels,
    });
  }
  return answers;
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
