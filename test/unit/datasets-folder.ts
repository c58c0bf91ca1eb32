/** A dataset's folder held in memory, and short ways to ask for what was read from it. */
import { expect } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { readDataset } from '../../sdk/train/data/index.ts';
import type { DataFolder, Dataset, ReadOptions } from '../../sdk/train/data/types.ts';

/** A folder of these files. Clips are 10 s long where their content does not say otherwise; "broken" cannot be opened. */
export function folderOf(files: Record<string, string>): DataFolder {
  const read = (path: string): string => {
    const content = files[path];
    if (content === undefined) throw new MettleError('not-found', `${path} is not there.`);
    return content;
  };
  return {
    name: 'data',
    async list(path) {
      const prefix = path === '' ? '' : `${path.replace(/\/$/, '')}/`;
      const names = Object.keys(files)
        .filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length).replace(/\/.*/, '/'));
      return [...new Set(names)];
    },
    readText: async (path) => read(path),
    readBytes: async (path) => new TextEncoder().encode(read(path)),
    exists: async (path) => Object.keys(files).some((name) => name === path || name.startsWith(`${path}/`)),
    async probeClip(path) {
      const content = read(path);
      if (content === 'broken') throw new MettleError('not-media', 'These bytes are no clip.');
      return { seconds: Number(content || 10), hasPicture: !content.includes('.0'), hasSound: true };
    },
    async probeMask(path) {
      const content = read(path);
      if (content === 'broken') throw new MettleError('invalid-file', `${path}: no mask.`);
      return { levels: content === 'soft' ? 9 : 2, area: content === 'empty' ? 0 : 0.25 };
    },
  };
}

export const read = (files: Record<string, string>, options?: ReadOptions) => readDataset(folderOf(files), options);
export const codesOf = (dataset: Pick<Dataset, 'findings'>) => dataset.findings.map(({ code }) => code);
export const whereOf = (dataset: Dataset, code: string) =>
  dataset.findings.find((finding) => finding.code === code)?.where;
export const clips = (...paths: string[]) => Object.fromEntries(paths.map((path) => [path, '']));
export const lines = (...all: string[]) => `${all.join('\n')}\n`;
export const invalidFile = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid-file', message: expect.stringMatching(message) });
