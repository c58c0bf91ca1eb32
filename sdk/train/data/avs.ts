/**
 * AVSBench, the parts with one sounding object (S4) and with several (MS3): five frames per clip, one per second, with a mask each, and the sound as a wav file.
 * Tables are read by position. S4 trains on the first mask of a clip alone.
 */

import { SPLITS, type Split } from '../../contract/split.ts';
import { MettleError } from '../../errors.ts';
import { findBase, joinPath } from './clips.ts';
import { lineError, parseTable, quoteField } from './csv.ts';
import { FindingList } from './findings.ts';
import type { DataFolder, Dataset, DatasetItem, ReadOptions } from './types.ts';

export const avsSeconds = 5;

type Part = 'avs-s4' | 'avs-ms3';
type Layout = {
  table: string;
  prefixes: string[];
  /** Folders, relative to the table's, that may hold `visual_frames`. */
  data: string[];
  /** Positions of the columns. */
  name: number;
  category: number | null;
  split: number;
  frames(clip: AvsRow): string;
  masks(clip: AvsRow): string;
  sound(clip: AvsRow): string;
};

export const avsLayouts: Record<Part, Layout> = {
  'avs-s4': {
    table: 's4_meta_data.csv',
    prefixes: ['', 'Single-source/'],
    data: ['s4_data/', ''],
    name: 0,
    category: 2,
    split: 3,
    frames: ({ split, category, name }) => `visual_frames/${split}/${category}/${name}`,
    masks: ({ split, category, name }) => `gt_masks/${split}/${category}/${name}`,
    sound: ({ split, category, name }) => `audio_wav/${split}/${category}/${name}.wav`,
  },
  'avs-ms3': {
    table: 'ms3_meta_data.csv',
    prefixes: ['', 'Multi-sources/'],
    data: ['ms3_data/', ''],
    name: 0,
    category: null,
    split: 1,
    frames: ({ name }) => `visual_frames/${name}`,
    masks: ({ split, name }) => `gt_masks/${split}/${name}`,
    sound: ({ split, name }) => `audio_wav/${split}/${name}.wav`,
  },
};

export type AvsRow = { line: number; name: string; category: string | null; split: Split };

/** Reads the table by position. Throws `invalid-file` that begins with `where` and the line. */
export function parseAvsRows(text: string, part: Part, where: string): AvsRow[] {
  const layout = avsLayouts[part];
  const rows = parseTable(text, { separator: ',', where, quotes: true });
  const isSplit = (field: string | undefined): field is Split => SPLITS.includes(field as Split);
  if (rows[0] && /^split$/i.test(rows[0].fields[layout.split] ?? '')) rows.shift();
  return rows.map(({ line, fields }) => {
    const split = fields[layout.split];
    if (!isSplit(split)) {
      const hint = `Column ${layout.split + 1} of ${layout.table} names the split.`;
      throw lineError(where, line, `split ${quoteField(split)}, expected train, val or test.`, hint);
    }
    const name = plainName(fields[layout.name], where, line);
    return {
      line,
      name,
      split,
      category: layout.category === null ? null : plainName(fields[layout.category], where, line),
    };
  });
}

/** Throws `not-found` without the table or `visual_frames`, `invalid-file` for a line that is no row. */
export async function readAvs(folder: DataFolder, part: Part, options: ReadOptions = {}): Promise<Dataset> {
  const findings = new FindingList();
  const layout = avsLayouts[part];
  const base = await findBase(folder, layout.prefixes, [layout.table]);
  if (base === null) {
    throw new MettleError('not-found', `${folder.name} holds no ${layout.table}.`, {
      hint: `Point to the folder of AVSBench that holds ${layout.table}, and visual_frames, gt_masks and audio_wav.`,
    });
  }
  const where = base + layout.table;
  const rows = withoutRepeats(parseAvsRows(await folder.readText(where), part, where), where, findings);
  let data: string | null = null;
  for (const candidate of layout.data) {
    if (data === null && (await folder.list(`${base}${candidate}visual_frames`)).length > 0) data = base + candidate;
  }
  if (data === null) {
    findings.add(
      'error',
      'missing-frames',
      'There is no folder visual_frames beside the table: no clip can be used.',
      where,
    );
  }
  const annotated = { train: 0, val: 0, test: 0 };
  const items: DatasetItem[] = [];
  let done = 0;
  for (const split of SPLITS) {
    for (const row of rows) {
      if (row.split !== split) continue;
      options.signal?.throwIfAborted();
      annotated[split]++;
      const item = data === null ? null : await readItem(folder, data, row, part, findings);
      if (item) items.push(item);
      options.onProgress?.({ done: ++done, total: rows.length });
    }
  }
  return { task: 'segment', format: part, classes: [], items, annotated, findings: findings.list() };
}

async function readItem(
  folder: DataFolder,
  data: string,
  row: AvsRow,
  part: Part,
  findings: FindingList,
): Promise<DatasetItem | null> {
  const layout = avsLayouts[part];
  const frames = await numbered(folder, data + layout.frames(row));
  if (frames.some((path) => path === null)) {
    const message = `Not all ${avsSeconds} frames of the clip are there; it is left out.`;
    findings.add('error', 'missing-frames', message, data + layout.frames(row));
    return null;
  }
  const found = await numbered(folder, data + layout.masks(row));
  const firstOnly = part === 'avs-s4' && row.split === 'train';
  const masks = found.map((path, second) => (firstOnly && second > 0 ? null : path));
  if (firstOnly && found.slice(1).some((path) => path !== null)) {
    const message = 'S4 trains on the first mask of a clip; the others are not used.';
    findings.add('info', 'unused-masks', message, data + layout.masks(row));
  }
  const expected = firstOnly ? 1 : avsSeconds;
  if (masks.filter((path) => path !== null).length < expected) {
    const message = 'Masks are missing; seconds without one are not used, nor clips without any.';
    findings.add('error', 'missing-mask', message, data + layout.masks(row));
  }
  if (masks.every((path) => path === null)) return null;
  const sound = data + layout.sound(row);
  const hasSound = await folder.exists(sound);
  if (!hasSound) findings.add('warning', 'no-sound', 'The clip has no wav file; it is taken as silent.', sound);
  return {
    id: row.name,
    split: row.split,
    seconds: avsSeconds,
    source: { kind: 'frames', paths: frames as string[], audio: hasSound ? sound : null },
    labels: {
      task: 'segment',
      masks,
      supervised: masks.map((path) => path !== null),
      category: row.category,
    },
  };
}

/** Pictures `..._1` to `..._5` of a folder, whatever precedes the number; null where one is missing. */
async function numbered(folder: DataFolder, path: string): Promise<(string | null)[]> {
  const pictures: (string | null)[] = new Array(avsSeconds).fill(null);
  for (const name of (await folder.list(path)).sort()) {
    const second = Number(/_(\d{1,3})\.(png|jpe?g)$/i.exec(name)?.[1]) - 1;
    if (second >= 0 && second < avsSeconds) pictures[second] ??= joinPath(path, name);
  }
  return pictures;
}

function withoutRepeats(rows: AvsRow[], where: string, findings: FindingList): AvsRow[] {
  const seen = new Map<string, AvsRow>();
  // From test to train, so that what is measured stays whole where a clip is listed twice.
  for (const split of ['test', 'val', 'train']) {
    for (const row of rows) {
      if (row.split !== split) continue;
      const other = seen.get(row.name);
      if (!other) seen.set(row.name, row);
      else {
        const message = `The clip is in ${other.split} already and is left out of ${split}.`;
        findings.add('error', 'listed-twice', message, `${where} line ${row.line}: ${row.name}`);
      }
    }
  }
  return rows.filter((row) => seen.get(row.name) === row);
}

/** A name that stays inside its folder. */
function plainName(field: string | undefined, where: string, line: number): string {
  if (field !== undefined && field !== '' && !/[/\\\0]/.test(field) && !/^\.\.?$/.test(field)) return field;
  throw lineError(where, line, `name ${quoteField(field)}, expected the name of a file or folder.`);
}
