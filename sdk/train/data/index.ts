/** Reads any of the known layouts of data as one {@link Dataset}. Nothing here knows the file system: a folder is an interface. */
import {
  callback,
  checkArgument,
  checkOptions,
  flag,
  oneOf,
  type Rules,
  record,
  signal,
} from '../../contract/options.ts';
import { SPLITS } from '../../contract/split.ts';
import { TASKS } from '../../contract/task.ts';
import { callersOwn, throughDoor } from '../../door.ts';
import { MettleError } from '../../errors.ts';
import { aveAnnotations, avePrefixes, readAve } from './ave.ts';
import { avsLayouts, readAvs } from './avs.ts';
import { findBase } from './clips.ts';
import { llpPrefixes, llpTables, readLlp } from './llp.ts';
import { ownTable, readOwnFolder } from './own-folder.ts';
import { ownMasks } from './own-labels.ts';
import type { DataFolder, DataFormat, Dataset, ReadOptions } from './types.ts';

import { withUsableParts } from './usable.ts';

export type * from './types.ts';

const readers: Record<DataFormat, (folder: DataFolder, options: ReadOptions) => Promise<Dataset>> = {
  ave: readAve,
  llp: readLlp,
  'avs-s4': (folder, options) => readAvs(folder, 'avs-s4', options),
  'avs-ms3': (folder, options) => readAvs(folder, 'avs-ms3', options),
  folder: readOwnFolder,
};

export const DATA_FORMATS = Object.keys(readers) as DataFormat[];

const readRules: Rules<ReadOptions> = {
  format: oneOf(...DATA_FORMATS),
  task: oneOf(...TASKS),
  seed: { expected: 'a whole number', fits: Number.isSafeInteger },
  probe: flag,
  onProgress: callback,
  signal,
};

/**
 * Reads a dataset. What can be read in spite of missing or odd parts is read, and `findings` says what was left out.
 * Throws `not-found` where no known layout is there, `invalid-file` for a table that breaks its format (naming the line), `invalid-argument` for a wrong
 * option, `missing-package` where Node cannot decode, or `signal.reason`.
 */
export async function readDataset(folder: DataFolder, options: ReadOptions = {}): Promise<Dataset> {
  return await throughDoor(options?.signal, () => {
    checkArgument(folder, record, 'folder');
    checkOptions(options, readRules);
    return read(callersOwn(folder), callersOwn(options));
  });
}

async function read(folder: DataFolder, options: ReadOptions): Promise<Dataset> {
  const { format, task } = options;
  const chosen = format ?? (await detect(folder));
  const dataset = await readers[chosen](folder, options);
  if (SPLITS.every((split) => dataset.annotated[split] === 0) && dataset.items.length === 0) {
    throw new MettleError('invalid-file', `${folder.name}: its tables name no clip.`, {
      hint: 'Look into them: there must be rows below the header, one per line.',
    });
  }
  if (task !== undefined && task !== dataset.task) {
    throw new MettleError('invalid-argument', `${folder.name} holds data for ${dataset.task}, not for ${task}.`);
  }
  return dataset.task === 'segment' && options.probe !== false
    ? await withUsableParts(folder, dataset, options)
    : dataset;
}

/** Tells the layout by the names of its tables. Throws `not-found` where there is none, `invalid-argument` where there are several. */
export async function detectFormat(folder: DataFolder): Promise<DataFormat> {
  return await throughDoor(undefined, () => {
    checkArgument(folder, record, 'folder');
    return detect(callersOwn(folder));
  });
}

async function detect(folder: DataFolder): Promise<DataFormat> {
  const { 'avs-s4': s4, 'avs-ms3': ms3 } = avsLayouts;
  const found: DataFormat[] = [];
  if ((await findBase(folder, avePrefixes, [aveAnnotations])) !== null) found.push('ave');
  if ((await findBase(folder, llpPrefixes, Object.values(llpTables))) !== null) found.push('llp');
  if ((await findBase(folder, s4.prefixes, [s4.table])) !== null) found.push('avs-s4');
  if ((await findBase(folder, ms3.prefixes, [ms3.table])) !== null) found.push('avs-ms3');
  if ((await folder.exists(ownTable)) || (found.length === 0 && (await folder.list(ownMasks)).length > 0)) {
    found.push('folder');
  }
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new MettleError('invalid-argument', `${folder.name} holds several layouts: ${found.join(', ')}.`, {
      hint: 'Say which one is meant with the format option.',
    });
  }
  if (await folder.exists('metadata.csv')) {
    throw new MettleError(
      'not-found',
      `${folder.name} holds metadata.csv, the one-table layout of AVSBench-semantic, which is not read.`,
      {
        hint: `Use the separate releases with ${s4.table} or ${ms3.table}.`,
      },
    );
  }
  const tables = [aveAnnotations, ...Object.values(llpTables), s4.table, ms3.table, ownTable];
  throw new MettleError('not-found', `${folder.name} holds no dataset: none of ${tables.join(', ')}.`, {
    hint: `For clips of your own write ${ownTable} with the line file,onset,offset,label,modality and one event per line.`,
  });
}
