/**
 * AVE: ten seconds per clip, one event that is both seen and heard. `Annotations.txt` and one file per split, '&' between the fields; class numbers are the
 * order of first appearance, unless `categories.txt` fixes another.
 */

import { SPLITS, type Split } from '../../contract/split.ts';
import { MettleError } from '../../errors.ts';
import { readClassList } from './class-list.ts';
import { findBase, findClips, noteShort, probeClips } from './clips.ts';
import { lineError, parseTable, quoteField } from './csv.ts';
import { FindingList } from './findings.ts';
import type { DataFolder, Dataset, DatasetItem, ReadOptions } from './types.ts';

export const aveSeconds = 10;
export const avePrefixes = ['', 'data/', 'AVE_Dataset/'];
export const aveAnnotations = 'Annotations.txt';
const splitFiles: Record<Split, string> = { train: 'trainSet.txt', val: 'valSet.txt', test: 'testSet.txt' };

/** One row: the event lies in whole seconds [start, end). */
export type AveRow = { line: number; category: string; video: string; quality: string; start: number; end: number };

/** Reads rows with or without a header line. Throws `invalid-file` that begins with `where` and the line. */
export function parseAveRows(text: string, where: string): AveRow[] {
  const rows = parseTable(text, { separator: '&', where });
  const [first] = rows;
  if (first && /^category$/i.test(first.fields[0]!) && !isWhole(first.fields[3])) rows.shift();
  return rows.map(({ line, fields }) => {
    if (fields.length !== 5) {
      throw lineError(
        where,
        line,
        `${fields.length} fields, expected 5.`,
        'Write Category&VideoID&Quality&StartTime&EndTime.',
      );
    }
    const [category, video, quality, start, end] = fields as [string, string, string, string, string];
    if (category === '' || video === '') throw lineError(where, line, 'the category or the video id is empty.');
    for (const time of [start, end]) {
      if (!isWhole(time)) throw lineError(where, line, `time ${quoteField(time)}, expected whole seconds.`);
    }
    return { line, category, video, quality, start: Number(start), end: Number(end) };
  });
}

/** Class per second, `background` outside [start, end): Int32Array [10]. */
export function aveLabels(row: AveRow, classIndex: number, background: number): Int32Array {
  return Int32Array.from({ length: aveSeconds }, (_, second) =>
    second >= row.start && second < row.end ? classIndex : background,
  );
}

/** Throws `not-found` without annotations or any split file, `invalid-file` for a line that is no row. */
export async function readAve(folder: DataFolder, options: ReadOptions = {}): Promise<Dataset> {
  const findings = new FindingList();
  const base = await findBase(folder, avePrefixes, [aveAnnotations]);
  if (base === null) {
    throw new MettleError('not-found', `${folder.name} holds no ${aveAnnotations}.`, {
      hint: 'Point to the folder of AVE that holds Annotations.txt, trainSet.txt, valSet.txt, testSet.txt and the clips.',
    });
  }
  const where = base + aveAnnotations;
  const rows = parseAveRows(await folder.readText(where), where);
  noteRows(rows, where, findings);
  const classes = await readClasses(folder, base, rows, findings);
  const splits = await assignSplits(folder, base, rows, findings);
  const clips = await findClips(
    folder,
    [...['AVE', 'videos', 'video'].map((name) => base + name), 'AVE', 'videos', 'video', base, ''],
    findings,
  );

  const chosen: { row: AveRow; split: Split; path: string }[] = [];
  const annotated = { train: 0, val: 0, test: 0 };
  for (const split of SPLITS) {
    for (const row of splits[split]) {
      annotated[split]++;
      const path = clips.get(row.video);
      if (path === undefined) {
        findings.add('error', 'missing-clip', 'The clip is not there and is left out.', `${row.video} (${split})`);
      } else chosen.push({ row, split, path });
    }
  }
  const usable = await probeClips(
    folder,
    chosen.map(({ path }) => path),
    findings,
    options,
  );
  const seen = new Map<string, number>();
  const items: DatasetItem[] = [];
  for (const { row, split, path } of chosen) {
    const facts = usable.get(path);
    if (facts === undefined) continue;
    const classIndex = classes.indexOf(row.category);
    if (classIndex < 0) continue;
    noteShort(path, facts, aveSeconds, findings);
    const repeat = (seen.get(row.video) ?? 0) + 1;
    seen.set(row.video, repeat);
    items.push({
      id: repeat === 1 ? row.video : `${row.video}#${repeat}`,
      split,
      seconds: aveSeconds,
      source: { kind: 'video', path },
      labels: { task: 'localize', seconds: aveLabels(row, classIndex, classes.length) },
    });
  }
  return { task: 'localize', format: 'ave', classes, items, annotated, findings: findings.list() };
}

async function readClasses(folder: DataFolder, base: string, rows: AveRow[], findings: FindingList): Promise<string[]> {
  const inOrder = [...new Set(rows.map((row) => row.category))];
  const where = `${base}categories.txt`;
  if (!(await folder.exists(where))) return inOrder;
  const classes = await readClassList(folder, where, findings);
  for (const row of rows) {
    if (!classes.includes(row.category)) {
      const message = 'The class is not in categories.txt; the row is left out.';
      findings.add('error', 'unknown-label', message, `${aveAnnotations} line ${row.line}: ${row.category}`);
    }
  }
  if (inOrder.some((name, index) => classes[index] !== name)) {
    const message =
      'Class numbers follow this file; they differ from the published ones, which follow first appearance in Annotations.txt.';
    findings.add('warning', 'class-order', message, where);
  }
  return classes;
}

function noteRows(rows: AveRow[], where: string, findings: FindingList): void {
  for (const row of rows) {
    const place = `${where} line ${row.line}: ${row.video}`;
    if (row.start >= row.end) {
      findings.add('info', 'empty-interval', 'The event ends before it lasts a second: all is background.', place);
    }
    if (row.end > aveSeconds || row.start > aveSeconds) {
      findings.add(
        'warning',
        'outside-clip',
        `The event reaches beyond ${aveSeconds} s; what is beyond is cut.`,
        place,
      );
    }
    if (row.quality !== 'good')
      findings.add('info', 'quality', 'The quality is not "good"; the row is read all the same.', place);
  }
}

/** Rows per split, in the order of its file. Every row goes to one split at most; test comes first, so that what is measured stays whole. */
async function assignSplits(
  folder: DataFolder,
  base: string,
  rows: AveRow[],
  findings: FindingList,
): Promise<Record<Split, AveRow[]>> {
  const splits: Record<Split, AveRow[]> = { train: [], val: [], test: [] };
  const free = new Map<string, AveRow[]>();
  for (const row of rows) free.set(keyOf(row), [...(free.get(keyOf(row)) ?? []), row]);
  let found = 0;
  for (const split of ['test', 'val', 'train'] as const) {
    const where = base + splitFiles[split];
    if (!(await folder.exists(where))) {
      findings.add('error', 'missing-table', `There is no ${splitFiles[split]}: the ${split} split is empty.`, where);
      continue;
    }
    found++;
    for (const listed of parseAveRows(await folder.readText(where), where)) {
      const place = `${where} line ${listed.line}: ${listed.video}`;
      const candidates = free.get(keyOf(listed));
      const row = candidates?.shift();
      if (row) splits[split].push(row);
      else if (candidates) {
        findings.add(
          'error',
          'listed-twice',
          'The row is in two splits, or twice in one; it counts once, for test before val before train.',
          place,
        );
      } else findings.add('error', 'unknown-row', 'The row is not in Annotations.txt and is left out.', place);
    }
  }
  if (found === 0) {
    throw new MettleError('not-found', `${folder.name} holds none of ${Object.values(splitFiles).join(', ')}.`, {
      hint: 'Put the published split files beside Annotations.txt; the HDF5 order files are not read.',
    });
  }
  for (const unused of [...free.values()].flat()) {
    findings.add(
      'info',
      'no-split',
      'The row is in no split and is not used.',
      `${base}${aveAnnotations} line ${unused.line}: ${unused.video}`,
    );
  }
  noteLeaks(splits, findings);
  return splits;
}

function noteLeaks(splits: Record<Split, AveRow[]>, findings: FindingList): void {
  for (const [one, other] of [
    ['train', 'test'],
    ['train', 'val'],
    ['val', 'test'],
  ] as const) {
    const videos = new Set(splits[other].map((row) => row.video));
    for (const video of new Set(splits[one].map((row) => row.video))) {
      if (videos.has(video)) {
        const message = `The clip is in ${one} and in ${other}, with another event; it stays in both, as in the published splits.`;
        findings.add('warning', 'split-leak', message, video);
      }
    }
  }
}

const keyOf = (row: AveRow): string => JSON.stringify([row.category, row.video, row.start, row.end]);
const isWhole = (field: string | undefined): boolean => field !== undefined && /^\d{1,6}$/.test(field);
