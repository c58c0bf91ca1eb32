/**
 * LLP: ten seconds per clip, 25 classes unless `categories.txt` names others, what is heard and what is seen apart. Tab-separated tables; the training split tells only which classes occur
 * somewhere in a clip, the other two also when and in which modality.
 */

import { SPLITS, type Split } from '../../contract/split.ts';
import { MettleError } from '../../errors.ts';
import { readClassList } from './class-list.ts';
import { findBase, findClips, noteShort, probeClips } from './clips.ts';
import { lineError, parseTable, quoteField, type TableRow } from './csv.ts';
import { FindingList } from './findings.ts';
import type { DataFolder, Dataset, DatasetItem, ReadOptions } from './types.ts';

export const llpSeconds = 10;
export const llpPrefixes = ['', 'data/', 'LLP_dataset/'];
export const llpTables: Record<Split, string> = {
  train: 'AVVP_train.csv',
  val: 'AVVP_val_pd.csv',
  test: 'AVVP_test_pd.csv',
};
const eventTables = { audio: 'AVVP_eval_audio.csv', visual: 'AVVP_eval_visual.csv' } as const;

/** The classes in their published order. */
export const llpClasses: readonly string[] = [
  'Speech',
  'Car',
  'Cheering',
  'Dog',
  'Cat',
  'Frying_(food)',
  'Basketball_bounce',
  'Fire_alarm',
  'Chainsaw',
  'Cello',
  'Banjo',
  'Singing',
  'Chicken_rooster',
  'Violin_fiddle',
  'Vacuum_cleaner',
  'Baby_laughter',
  'Accordion',
  'Lawn_mower',
  'Motorcycle',
  'Helicopter',
  'Acoustic_guitar',
  'Telephone_bell_ringing',
  'Baby_cry_infant_cry',
  'Blender',
  'Clapping',
];

/** Clips whose rows older copies of the table of sounds have wrong. */
const corrected = new Set(['JfZEqeLZqWk_30_40', 'KvIjsmANkxI_10_20']);

const unknownLabel = (classes: readonly string[]): string =>
  `The label is none of the ${classes.length} classes and is left out.`;

export type LlpClip = { line: number; name: string; labels: string[] };
/** Whole seconds [onset, offset). */
export type LlpEvent = { line: number; name: string; onset: number; offset: number; label: string };

/** Rows of `filename` and comma-joined labels. Throws `invalid-file` that begins with `where` and the line. */
export function parseLlpClips(text: string, where: string): LlpClip[] {
  return rowsOf(text, where, ['filename', 'event_labels']).map(({ line, fields }) => ({
    line,
    name: fields[0]!,
    labels: fields[1]!
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== ''),
  }));
}

/** Rows of `filename`, `onset`, `offset`, label. Throws `invalid-file` that begins with `where` and the line. */
export function parseLlpEvents(text: string, where: string): LlpEvent[] {
  return rowsOf(text, where, ['filename', 'onset', 'offset', 'event_labels']).map(({ line, fields }) => {
    const [name, onset, offset, label] = fields as [string, string, string, string];
    for (const time of [onset, offset]) {
      if (!/^\d{1,6}(\.0+)?$/.test(time)) {
        throw lineError(where, line, `time ${quoteField(time)}, expected whole seconds.`);
      }
    }
    return { line, name, onset: Number(onset), offset: Number(offset), label };
  });
}

/** Paints events: 0 or 1 by clip, each [10, classes]. Odd rows are noted; a clip that has only empty rows keeps its zeros. */
export function paintLlpEvents(
  events: LlpEvent[],
  where: string,
  findings: FindingList,
  classes: readonly string[] = llpClasses,
): Map<string, Uint8Array> {
  const painted = new Map<string, Uint8Array>();
  for (const { line, name, onset, offset, label } of events) {
    const place = `${where} line ${line}: ${name}`;
    const row = painted.get(name) ?? new Uint8Array(llpSeconds * classes.length);
    painted.set(name, row);
    const c = classes.indexOf(label);
    if (c < 0) {
      findings.add('error', 'unknown-label', unknownLabel(classes), `${place}, ${quoteField(label)}`);
      continue;
    }
    if (offset <= onset) {
      findings.add('info', 'empty-interval', 'The event ends when or before it begins and paints nothing.', place);
    }
    if (offset > llpSeconds || onset > llpSeconds) {
      findings.add(
        'warning',
        'outside-clip',
        `The event reaches beyond ${llpSeconds} s; what is beyond is cut.`,
        place,
      );
    }
    for (let second = onset; second < Math.min(offset, llpSeconds); second++) row[second * classes.length + c] = 1;
  }
  return painted;
}

/** Throws `not-found` without any of the tables, `invalid-file` for a line that is no row. */
export async function readLlp(folder: DataFolder, options: ReadOptions = {}): Promise<Dataset> {
  const findings = new FindingList();
  const base = await findBase(folder, llpPrefixes, Object.values(llpTables));
  if (base === null) {
    throw new MettleError('not-found', `${folder.name} holds none of ${Object.values(llpTables).join(', ')}.`, {
      hint: 'Point to the folder of LLP that holds the AVVP_*.csv tables, with the clips in videos/.',
    });
  }
  const list = `${base}categories.txt`;
  const classes = (await folder.exists(list)) ? await readClassList(folder, list, findings) : [...llpClasses];
  const splits = await readSplits(folder, base, classes, findings);
  const painted = await readEvents(folder, base, splits, classes, findings);
  const clips = await findClips(
    folder,
    [...['videos', 'video'].map((name) => base + name), 'videos', 'video', base, ''],
    findings,
  );

  const chosen: { clip: LlpClip; split: Split; path: string }[] = [];
  const annotated = { train: 0, val: 0, test: 0 };
  for (const split of SPLITS) {
    for (const clip of splits[split]) {
      annotated[split]++;
      const path = clips.get(clip.name) ?? clips.get(videoIdOf(clip.name));
      if (path === undefined) {
        findings.add('error', 'missing-clip', 'The clip is not there and is left out.', `${clip.name} (${split})`);
      } else chosen.push({ clip, split, path });
    }
  }
  const usable = await probeClips(
    folder,
    chosen.map(({ path }) => path),
    findings,
    options,
  );
  const items: DatasetItem[] = [];
  for (const { clip, split, path } of chosen) {
    const facts = usable.get(path);
    if (facts === undefined) continue;
    noteShort(path, facts, llpSeconds, findings);
    const multihot = Uint8Array.from(classes, (name) => (clip.labels.includes(name) ? 1 : 0));
    const events = (modality: keyof typeof eventTables) =>
      split === 'train' || !painted[modality]
        ? null
        : (painted[modality].get(clip.name) ?? new Uint8Array(llpSeconds * classes.length));
    items.push({
      id: clip.name,
      split,
      seconds: llpSeconds,
      source: { kind: 'video', path },
      labels: { task: 'parse', clip: multihot, audio: events('audio'), visual: events('visual') },
    });
  }
  return { task: 'parse', format: 'llp', classes, items, annotated, findings: findings.list() };
}

/** The id of the film that a clip was cut from: `_start_end` is taken from the right, since ids may contain `_`. */
const videoIdOf = (name: string): string => /^(.+)_\d+_\d+$/.exec(name)?.[1] ?? name.slice(0, 11);

async function readSplits(
  folder: DataFolder,
  base: string,
  classes: readonly string[],
  findings: FindingList,
): Promise<Record<Split, LlpClip[]>> {
  const splits: Record<Split, LlpClip[]> = { train: [], val: [], test: [] };
  const owner = new Map<string, Split>();
  // Test first, so that what is measured stays whole where a clip is listed twice.
  for (const split of ['test', 'val', 'train'] as const) {
    const where = base + llpTables[split];
    if (!(await folder.exists(where))) {
      findings.add('error', 'missing-table', `There is no ${llpTables[split]}: the ${split} split is empty.`, where);
      continue;
    }
    for (const clip of parseLlpClips(await folder.readText(where), where)) {
      const place = `${where} line ${clip.line}: ${clip.name}`;
      const other = owner.get(clip.name);
      if (other !== undefined) {
        findings.add('error', 'listed-twice', `The clip is in ${other} already and is left out of ${split}.`, place);
        continue;
      }
      owner.set(clip.name, split);
      splits[split].push(clip);
      noteClip(clip, place, classes, findings);
    }
  }
  return splits;
}

function noteClip(clip: LlpClip, place: string, classes: readonly string[], findings: FindingList): void {
  if (!/^.{11}_\d+_\d+$/.test(clip.name)) {
    findings.add('warning', 'odd-name', 'The name is not an id of 11 characters, _start and _end.', place);
  }
  if (clip.labels.length === 0) findings.add('warning', 'no-labels', 'The clip has no label at all.', place);
  for (const label of clip.labels) {
    if (!classes.includes(label)) {
      findings.add('error', 'unknown-label', unknownLabel(classes), `${place}, ${quoteField(label)}`);
    }
  }
}

async function readEvents(
  folder: DataFolder,
  base: string,
  splits: Record<Split, LlpClip[]>,
  classes: readonly string[],
  findings: FindingList,
): Promise<Record<keyof typeof eventTables, Map<string, Uint8Array> | null>> {
  const measured = new Map([...splits.val, ...splits.test].map((clip) => [clip.name, clip]));
  const painted: Record<keyof typeof eventTables, Map<string, Uint8Array> | null> = { audio: null, visual: null };
  for (const modality of ['audio', 'visual'] as const) {
    const where = base + eventTables[modality];
    if (!(await folder.exists(where))) {
      if (measured.size > 0) {
        findings.add(
          'error',
          'missing-table',
          `Without ${eventTables[modality]} val and test cannot be measured.`,
          where,
        );
      }
      continue;
    }
    const events = parseLlpEvents(await folder.readText(where), where);
    const rows = paintLlpEvents(events, where, findings, classes);
    painted[modality] = rows;
    if (events.some(({ name, onset, offset }) => corrected.has(name) && offset <= onset)) {
      const message =
        'This copy of the table has three wrong rows, which a later copy corrects; at most two clips are concerned.';
      findings.add('info', 'older-table', message, where);
    }
    for (const { line, name, label } of events) {
      const place = `${where} line ${line}: ${name}`;
      const clip = measured.get(name);
      if (!clip)
        findings.add('info', 'outside-splits', 'The clip is in neither val nor test; the event is not used.', place);
      else if (!clip.labels.includes(label)) {
        findings.add(
          'info',
          'label-mismatch',
          'The event is not among the labels of its clip; it counts all the same.',
          place,
        );
      }
    }
    for (const name of measured.keys()) {
      if (rows.get(name)?.some((on) => on === 1)) continue;
      const what = modality === 'audio' ? 'heard' : 'seen';
      findings.add('info', `no-${modality}-event`, `Nothing is marked as ${what} in this clip of val or test.`, name);
    }
  }
  return painted;
}

function rowsOf(text: string, where: string, columns: string[]): TableRow[] {
  const rows = parseTable(text, { separator: '\t', where });
  if (rows[0]?.fields[0]?.toLowerCase() === 'filename') rows.shift();
  for (const { line, fields } of rows) {
    if (fields.length !== columns.length || fields[0] === '') {
      throw lineError(
        where,
        line,
        `${fields.length} fields, expected ${columns.length} with a name first.`,
        `Put tabs between ${columns.join(', ')}.`,
      );
    }
  }
  return rows;
}
