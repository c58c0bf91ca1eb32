/** What knows nothing but the training labels: the best constant answer, chosen on the validation split. */

import type { Split } from '../../sdk/contract/split.ts';
import { type DiskFolder, type MaskImage, readMask } from '../../sdk/node/data/index.ts';
import { evaluatePredictions, type Figures } from '../../sdk/train/adapter/evaluate.ts';
import type { Dataset, DatasetItem } from '../../sdk/train/data/types.ts';
import { binaryMask } from '../../sdk/train/features/masks.ts';

/** Side of the masks that are averaged. */
const side = 56;

type ReadMask = (path: string) => Promise<MaskImage>;
type Answer = { note: string; outputs: (seconds: number) => Record<string, Float32Array> };

/** Figures of the test split, and which answer it was. */
export async function constantAnswer(
  dataset: Dataset,
  folder: DiskFolder,
): Promise<{ test: Figures; validation: number; note: string }> {
  const read: ReadMask = async (path) => readMask(await folder.readBytes(path), path);
  const judge = (answer: Answer, split: Split): Promise<Figures> =>
    evaluatePredictions({
      config: { task: dataset.task, classes: dataset.classes },
      maskSize: { width: side, height: side },
      readMask: read,
      predict: async (visit) => {
        for (const item of itemsOf(dataset, split)) await visit(answer.outputs(item.seconds), item);
      },
    });
  let best: { answer: Answer; score: number } | null = null;
  for (const answer of await answersFor(dataset, read)) {
    const { score } = await judge(answer, 'val');
    if (!best || score > best.score) best = { answer, score };
  }
  return { test: await judge(best!.answer, 'test'), validation: best!.score, note: best!.answer.note };
}

const itemsOf = ({ items }: Dataset, split: Split): DatasetItem[] => items.filter((item) => item.split === split);

async function answersFor(dataset: Dataset, read: ReadMask): Promise<Answer[]> {
  if (dataset.task === 'segment') return maskAnswers(await meanMask(dataset, read));
  return dataset.task === 'parse' ? parsingAnswers(dataset) : [mostFrequentSecond(dataset)];
}

function mostFrequentSecond(dataset: Dataset): Answer {
  const names = [...dataset.classes, 'background'];
  const counts = names.map(() => 0);
  for (const { labels } of itemsOf(dataset, 'train')) {
    if (labels.task === 'localize') for (const label of labels.seconds) counts[label]!++;
  }
  const most = largest(counts);
  return {
    note: `"${names[most]}" everywhere, the most frequent label of the training seconds`,
    outputs: (seconds) => ({ logits: constantRows(seconds, names.length, most) }),
  };
}

function parsingAnswers({ classes, ...rest }: Dataset): Answer[] {
  const counts = classes.map(() => 0);
  for (const { labels } of itemsOf({ classes, ...rest }, 'train')) {
    if (labels.task === 'parse') labels.clip.forEach((on, c) => (counts[c]! += on));
  }
  const most = largest(counts);
  const answer = (note: string, on: number | null): Answer => ({
    note,
    outputs(seconds) {
      const [rows, clip] = [constantRows(seconds, classes.length, on), constantRows(1, classes.length, on)];
      return { audio: rows, visual: rows, audioClip: clip, visualClip: clip };
    },
  });
  const everywhere = `"${classes[most]}" heard and seen everywhere, the most frequent label of the training clips`;
  return [answer(everywhere, most), answer('nothing anywhere', null)];
}

function maskAnswers(mean: Float32Array): Answer[] {
  const peak = mean.reduce((a, b) => Math.max(a, b), 0);
  const logit = (p: number): number => Math.log(p / (1 - p));
  const prior = mean.map((p) => logit(Math.min(0.999, Math.max(0.001, p / peak))));
  const answer = (note: string, mask: Float32Array): Answer => ({
    note,
    outputs(seconds) {
      const all = new Float32Array(seconds * mask.length);
      for (let second = 0; second < seconds; second++) all.set(mask, second * mask.length);
      return { mask: all };
    },
  });
  return [
    answer('the mean mask of the training clips, its peak raised to 1', prior),
    answer(
      'everything',
      mean.map(() => 9),
    ),
    answer(
      'nothing',
      mean.map(() => -9),
    ),
  ];
}

async function meanMask(dataset: Dataset, read: ReadMask): Promise<Float32Array> {
  const sum = new Float32Array(side * side);
  let count = 0;
  for (const { labels } of itemsOf(dataset, 'train')) {
    if (labels.task !== 'segment') continue;
    for (const [second, path] of labels.masks.entries()) {
      if (path === null || !labels.supervised[second]) continue;
      binaryMask(await read(path), side, side).forEach((on, i) => (sum[i]! += on));
      count++;
    }
  }
  return sum.map((x) => x / Math.max(1, count));
}

/** Rows of zeros but for a one in one column, or in none. */
function constantRows(rows: number, width: number, column: number | null): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, i) => (i % width === column ? 1 : 0));
}

const largest = (counts: readonly number[]): number => counts.indexOf(Math.max(...counts));
