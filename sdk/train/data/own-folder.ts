/**
 * A user's own clips: `events.csv` says what happens when, `masks/<clip without extension>/<second>.png` which pixels sound (seconds from 0). Optional are
 * `classes.txt` and `splits.csv`; without any split a seeded one is drawn.
 */

import { SPLITS, type Split } from '../../contract/split.ts';
import type { Task } from '../../contract/task.ts';
import { MettleError } from '../../errors.ts';
import { readClassList } from './class-list.ts';
import { findClips, joinPath, probeClips } from './clips.ts';
import { lineError, quoteField } from './csv.ts';
import { FindingList } from './findings.ts';
import { eventLabels, maskLabels, ownMasks, stemOf } from './own-labels.ts';
import { type OwnEvent, parseOwnEvents, parseOwnSplits } from './own-tables.ts';
import { splitByFile } from './split.ts';
import type { DataFolder, Dataset, DatasetItem, ReadOptions } from './types.ts';

export const ownTable = 'events.csv';
const splitTable = 'splits.csv';
const classTable = 'classes.txt';
const clipFolders = ['', 'clips', 'videos'];

/** Throws `not-found` without `events.csv` and `masks/`, `invalid-file` for a line that is no row. */
export async function readOwnFolder(folder: DataFolder, options: ReadOptions = {}): Promise<Dataset> {
  const findings = new FindingList();
  const hasTable = await folder.exists(ownTable);
  const maskFolders = (await folder.list(ownMasks)).filter((name) => name.endsWith('/'));
  if (!hasTable && maskFolders.length === 0) {
    throw new MettleError('not-found', `${folder.name} holds neither ${ownTable} nor ${ownMasks}/.`, {
      hint: `Write ${ownTable} with the line file,onset,offset,label,modality and one event per line.`,
    });
  }
  const rows = hasTable ? parseOwnEvents(await folder.readText(ownTable), ownTable) : [];
  const task = options.task ?? chooseTask(rows, maskFolders.length > 0, findings);
  const clips = await locate(folder, rows, task === 'segment' ? maskFolders : [], findings);
  const splits = await readSplits(folder, rows, [...clips.keys()], options.seed ?? 0, findings);
  const classes = task === 'segment' ? [] : await readClasses(folder, rows, findings);

  const annotated = { train: 0, val: 0, test: 0 };
  const chosen: { file: string; path: string; split: Split }[] = [];
  for (const [file, path] of clips) {
    const split = splits.get(file);
    if (split === undefined) {
      findings.add('error', 'no-split', 'Other clips have a split and this one has none; it is left out.', file);
      continue;
    }
    annotated[split]++;
    if (path === null) findings.add('error', 'missing-clip', 'The clip is not there and is left out.', file);
    else chosen.push({ file, path, split });
  }
  const usable = await probeClips(
    folder,
    chosen.map(({ path }) => path),
    findings,
    options,
  );
  const eventsOf = new Map<string, OwnEvent[]>();
  for (const row of rows) eventsOf.set(row.file, [...(eventsOf.get(row.file) ?? []), row]);
  const items: DatasetItem[] = [];
  for (const { file, path, split } of chosen) {
    const facts = usable.get(path);
    if (facts === undefined) continue;
    const clip = { file, duration: facts?.seconds ?? null, rows: eventsOf.get(file) ?? [] };
    const labels =
      task === 'segment' ? await maskLabels(folder, clip, findings) : eventLabels(task, clip, classes, findings);
    if (labels) items.push({ id: file, split, source: { kind: 'video', path }, ...labels });
  }
  items.sort((a, b) => SPLITS.indexOf(a.split) - SPLITS.indexOf(b.split));
  return { task, format: 'folder', classes, items, annotated, findings: findings.list() };
}

function chooseTask(rows: OwnEvent[], hasMasks: boolean, findings: FindingList): Task {
  if (hasMasks) {
    if (rows.some((row) => row.event)) {
      const message = 'There are masks, so the task is segment; choose another to train on the events alone.';
      findings.add('info', 'task-chosen', message, `${ownMasks}/`);
    }
    return 'segment';
  }
  return rows.some((row) => row.event && row.event.modality !== 'audio-visual') ? 'parse' : 'localize';
}

/** Path by file, null where it is missing, for all files that rows or folders of masks name. */
async function locate(
  folder: DataFolder,
  rows: OwnEvent[],
  maskFolders: string[],
  findings: FindingList,
): Promise<Map<string, string | null>> {
  const present = await findClips(folder, clipFolders, findings);
  const clips = new Map<string, string | null>();
  for (const file of new Set(rows.map((row) => row.file))) {
    let path: string | null = null;
    for (const candidate of clipFolders) {
      if (path === null && (await folder.exists(joinPath(candidate, file)))) path = joinPath(candidate, file);
    }
    clips.set(file, path);
  }
  const stems = new Set([...clips.keys()].map(stemOf));
  for (const name of maskFolders.map((entry) => entry.slice(0, -1))) {
    if (stems.has(name)) continue;
    const path = present.get(name);
    if (path !== undefined) clips.set(path, path);
    else if (!(await holdsFolders(folder, joinPath(ownMasks, name)))) {
      findings.add('error', 'missing-clip', 'The clip is not there and is left out.', `${ownMasks}/${name}/`);
    }
  }
  const used = new Set(clips.values());
  for (const path of present.values()) {
    if (!used.has(path)) findings.add('info', 'unlabelled-clip', 'The clip has no labels and is not used.', path);
  }
  return clips;
}

/** A folder of masks may stand for a folder of clips. */
const holdsFolders = async (folder: DataFolder, path: string): Promise<boolean> =>
  (await folder.list(path)).some((name) => name.endsWith('/'));

/** From the column, else from `splits.csv`, else drawn. */
async function readSplits(
  folder: DataFolder,
  rows: OwnEvent[],
  files: string[],
  seed: number,
  findings: FindingList,
): Promise<Map<string, Split>> {
  const splits = new Map<string, Split>();
  const note = (file: string, split: Split, where: string, line: number): void => {
    const known = splits.get(file);
    if (known !== undefined && known !== split) {
      throw lineError(
        where,
        line,
        `${quoteField(file)} is in ${split}, and further up in ${known}.`,
        'Give each clip one split.',
      );
    }
    splits.set(file, split);
  };
  for (const { file, split, line } of rows) if (split) note(file, split, ownTable, line);
  if (splits.size > 0) return splits;
  if (await folder.exists(splitTable)) {
    for (const { file, split, line } of parseOwnSplits(await folder.readText(splitTable), splitTable)) {
      note(file, split, splitTable, line);
      if (!files.includes(file)) {
        findings.add(
          'warning',
          'unknown-row',
          'The file has a split, but no labels.',
          `${splitTable} line ${line}: ${file}`,
        );
      }
    }
    return splits;
  }
  const message = `No clip names its split: a tenth each went to val and test, drawn with seed ${seed}.`;
  findings.add('info', 'drawn-split', message);
  const drawn = splitByFile(files, seed);
  if (drawn.size < 3) {
    findings.add(
      'warning',
      'no-held-out',
      'With fewer than three clips all are used to train, and nothing can be measured.',
    );
  }
  return drawn;
}

async function readClasses(folder: DataFolder, rows: OwnEvent[], findings: FindingList): Promise<string[]> {
  if (!(await folder.exists(classTable))) {
    return [...new Set(rows.flatMap((row) => (row.event ? [row.event.label] : [])))];
  }
  const classes = await readClassList(folder, classTable, findings);
  for (const { line, event } of rows) {
    if (event && !classes.includes(event.label)) {
      const place = `${ownTable} line ${line}: ${event.label}`;
      findings.add('error', 'unknown-label', `The label is not in ${classTable} and is left out.`, place);
    }
  }
  return classes;
}
