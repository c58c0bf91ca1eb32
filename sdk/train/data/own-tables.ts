/**
 * The tables of a user's own folder. `events.csv`: `file,onset,offset,label,modality`, times in seconds, and if wanted `split`; `splits.csv`: `file,split`.
 * Columns are found by the header, in any order; others are left alone.
 */

import { SPLITS, type Split } from '../../contract/split.ts';
import { lineError, parseTable, quoteField } from './csv.ts';

export type OwnEvent = {
  line: number;
  file: string;
  /** Null in a row that names a clip without any event. */
  event: { onset: number; offset: number; label: string; modality: 'audio' | 'visual' | 'audio-visual' } | null;
  split: Split | null;
};

const longestSeconds = 86_400;

const modalities: Record<string, 'audio' | 'visual' | 'audio-visual'> = {
  audio: 'audio',
  visual: 'visual',
  'audio-visual': 'audio-visual',
  both: 'audio-visual',
  '': 'audio-visual',
};

/** Throws `invalid-file` that begins with `where` and the line. */
export function parseOwnEvents(text: string, where: string): OwnEvent[] {
  return rowsOf(text, where, ['file', 'onset', 'offset', 'label'], ['modality', 'split']).map(({ line, cells }) => {
    const { file, onset, offset, label } = cells as Record<string, string>;
    const split = readSplit(cells.split ?? '', where, line);
    if (label === '' && onset === '' && offset === '')
      return { line, file: fileName(file!, where, line), event: null, split };
    if (label === '')
      throw lineError(where, line, 'the label is empty.', 'Leave the times empty too for a clip without events.');
    const word = (cells.modality ?? '').toLowerCase();
    if (!Object.hasOwn(modalities, word)) {
      throw lineError(where, line, `modality ${quoteField(cells.modality)}, expected audio, visual or audio-visual.`);
    }
    const times = { onset: readTime(onset!, where, line), offset: readTime(offset!, where, line) };
    return {
      line,
      file: fileName(file!, where, line),
      event: { ...times, label: label!, modality: modalities[word]! },
      split,
    };
  });
}

/** Split by file. Throws `invalid-file` that begins with `where` and the line. */
export function parseOwnSplits(text: string, where: string): { line: number; file: string; split: Split }[] {
  return rowsOf(text, where, ['file', 'split'], []).map(({ line, cells }) => {
    const split = readSplit(cells.split!, where, line);
    if (split === null) throw lineError(where, line, 'the split is empty, expected train, val or test.');
    return { line, file: fileName(cells.file!, where, line), split };
  });
}

function rowsOf(text: string, where: string, required: string[], optional: string[]) {
  const [header, ...rows] = parseTable(text, { separator: ',', where, quotes: true });
  const names = header?.fields.map((name) => name.toLowerCase()) ?? [];
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const problem = `no column ${missing.join(', ')} in the header.`;
    throw lineError(
      where,
      header?.line ?? 1,
      problem,
      `Begin the file with the line ${[...required, ...optional].join(',')}.`,
    );
  }
  return rows.map(({ line, fields }) => {
    if (fields.length > names.length || required.some((name) => fields[names.indexOf(name)] === undefined)) {
      throw lineError(
        where,
        line,
        `${fields.length} fields, expected ${names.length}.`,
        'Put fields that contain a comma in double quotes.',
      );
    }
    const wanted = [...required, ...optional].filter((name) => names.includes(name));
    const cells: Record<string, string | undefined> = {};
    for (const name of wanted) cells[name] = fields[names.indexOf(name)];
    return { line, cells };
  });
}

function readTime(field: string, where: string, line: number): number {
  const time = /^\d+(\.\d+)?$/.test(field) ? Number(field) : Number.NaN;
  if (time <= longestSeconds) return time;
  throw lineError(where, line, `time ${quoteField(field)}, expected seconds from 0 to ${longestSeconds}, such as 2.5.`);
}

function readSplit(field: string, where: string, line: number): Split | null {
  if (field === '') return null;
  const split = SPLITS.find((name) => name === field.toLowerCase());
  if (split) return split;
  throw lineError(where, line, `split ${quoteField(field)}, expected train, val or test.`);
}

/** A path with `/` that stays inside the folder. */
function fileName(field: string, where: string, line: number): string {
  const path = field.replace(/^\.\//, '');
  const inside =
    path !== '' && !/[\\\0]|^\/|^[a-z]+:/i.test(path) && !path.split('/').some((part) => /^(\.\.?)?$/.test(part));
  if (inside) return path;
  throw lineError(
    where,
    line,
    `file ${quoteField(field)}, expected a path inside the folder, with / between its parts.`,
  );
}
