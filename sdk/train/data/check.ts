/** What a dataset holds, what is missing and what is odd: the report behind `mettle data check`. */

import { checkArgument, record } from '../../contract/options.ts';
import { oneLine, spacedLine } from '../../contract/plain-text.ts';
import { SPLITS, type Split } from '../../contract/split.ts';
import type { Task } from '../../contract/task.ts';
import { MettleError } from '../../errors.ts';
import { table } from '../metrics/report.ts';
import { detectFormat, readDataset } from './index.ts';
import type { DataFolder, DataFormat, Dataset, Finding, ReadOptions } from './types.ts';

/** Clips of one class per split, and for localization and parsing the seconds that carry it. */
export type ClassCount = {
  /** Of the class. */
  label: string;
  /** Per split. */
  clips: Record<Split, number>;
  /** Per split; 0 for segmentation. */
  seconds: Record<Split, number>;
};

/** What {@link checkDataset} found. */
export type CheckReport = {
  /** Its name, for people. */
  folder: string;
  /** Null where the tables could not be read at all; `findings` then says why. */
  format: DataFormat | null;
  /** What its labels are for; null where nothing could be read. */
  task: Task | null;
  /** Clips in the tables, per split. */
  annotated: Record<Split, number>;
  /** Clips that can be used, per split. */
  usable: Record<Split, number>;
  /** Counts per class. */
  classes: ClassCount[];
  /** What is missing or odd. */
  findings: Finding[];
};

/** Reads the whole dataset and counts. A table that breaks its format is a finding here; `signal.reason`, `invalid-argument` and `missing-package` are thrown. */
export async function checkDataset(folder: DataFolder, options: ReadOptions = {}): Promise<CheckReport> {
  checkArgument(folder, record, 'folder');
  const empty = { folder: folder.name, annotated: perSplit(), usable: perSplit(), classes: [], task: null };
  let format = options.format ?? null;
  try {
    format ??= await detectFormat(folder);
    return summarize(folder.name, await readDataset(folder, { ...options, format }));
  } catch (error) {
    if (!(error instanceof MettleError) || !(error.code === 'not-found' || error.code === 'invalid-file')) throw error;
    const message = error.hint === '' ? error.message : `${error.message} ${error.hint}`;
    return { ...empty, format, findings: [{ level: 'error', code: error.code, message, where: '' }] };
  }
}

/** Counts per split and class. */
function summarize(folder: string, dataset: Dataset): CheckReport {
  const { task, format, annotated, findings } = dataset;
  const usable = perSplit();
  for (const item of dataset.items) usable[item.split]++;
  const report = { folder, format, task, annotated, usable, classes: countClasses(dataset), findings: [...findings] };
  for (const split of SPLITS) {
    if (usable[split] === 0 && annotated[split] > 0) {
      const message = `No clip of the ${split} split can be used.`;
      report.findings.unshift({ level: 'error', code: 'empty-split', message, where: '' });
    }
  }
  return report;
}

/** The report as text for a terminal, without control characters whatever the names of files are. */
export function formatCheck(report: CheckReport): string {
  const { folder, format, task, annotated, usable, classes, findings } = report;
  const lines = [
    `${folder}: ${format === null ? 'no dataset that can be read' : `${format}, for ${task ?? 'an unknown task'}`}`,
  ];
  if (task !== null) {
    lines.push(
      '',
      ...table([
        ['Clips', 'named', 'usable'],
        ...SPLITS.map((split) => [split, `${annotated[split]}`, `${usable[split]}`]),
      ]),
    );
  }
  if (classes.length > 0) {
    const timed = task !== 'segment';
    lines.push(
      '',
      ...table([
        [timed ? 'Class: clips (seconds)' : 'Object: clips', ...SPLITS],
        ...classes.map(({ label, clips, seconds }) => [
          oneLine(label),
          ...SPLITS.map((split) => (timed ? `${clips[split]} (${seconds[split]})` : `${clips[split]}`)),
        ]),
      ]),
    );
  }
  lines.push('', findings.length === 0 ? 'Nothing is missing or odd.' : 'Findings');
  for (const { level, code, message, where } of findings) {
    lines.push(`  ${level} ${code}: ${message}`);
    if (where !== '') lines.push(`    ${where}`);
  }
  return `${lines.map(spacedLine).join('\n')}\n`;
}

const perSplit = (): Record<Split, number> => ({ train: 0, val: 0, test: 0 });

function countClasses({ task, classes, items }: Dataset): ClassCount[] {
  const counts = new Map<string, ClassCount>();
  const countOf = (label: string): ClassCount => {
    const count = counts.get(label) ?? { label, clips: perSplit(), seconds: perSplit() };
    counts.set(label, count);
    return count;
  };
  for (const label of classes) countOf(label);
  for (const { split, labels } of items) {
    if (labels.task === 'segment') {
      if (labels.category !== null) countOf(labels.category).clips[split]++;
      continue;
    }
    const seconds =
      labels.task === 'localize'
        ? localizedSeconds(labels.seconds, classes.length)
        : parsedSeconds(labels, classes.length);
    classes.forEach((label, c) => {
      const count = countOf(label);
      count.seconds[split] += seconds[c]!;
      if (labels.task === 'parse' ? labels.clip[c] : seconds[c]) count.clips[split]++;
    });
  }
  return task === 'segment' ? [...counts.values()].sort((a, b) => (a.label < b.label ? -1 : 1)) : [...counts.values()];
}

function localizedSeconds(labels: Int32Array, classes: number): number[] {
  const seconds = new Array<number>(classes).fill(0);
  for (const label of labels) if (label < classes) seconds[label]!++;
  return seconds;
}

/** Seconds in which a class is heard or seen; 0 where only the union over time is known. */
function parsedSeconds(
  { audio, visual }: { audio: Uint8Array | null; visual: Uint8Array | null },
  classes: number,
): number[] {
  const seconds = new Array<number>(classes).fill(0);
  audio?.forEach((on, at) => {
    if (on || visual?.[at]) seconds[at % classes]!++;
  });
  return seconds;
}
