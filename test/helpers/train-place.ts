/** A folder of small clips, and `mettle train` upon it as a user calls it, for one file of tests. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import { makeOwnFolder } from './own-folder.ts';

/** Options of a training that takes a moment. */
export const small = [
  '--epochs',
  '3',
  '--batch',
  '1',
  '--width',
  '16',
  '--layers',
  '1',
  '--tokens',
  '2',
  '--threads',
  '2',
];

export type Call = { code: number; out: string; err: string };
export type Watch = { signal?: AbortSignal; onError?: (text: string) => void };

export async function mettle(args: string[], { signal, onError }: Watch = {}): Promise<Call> {
  const [out, err]: [string[], string[]] = [[], []];
  const write = (text: string): void => {
    err.push(text);
    onError?.(text);
  };
  const stderr = { write, isTTY: onError !== undefined };
  const code = await main(args, { stdout: { write: (text) => out.push(text) }, stderr, signal });
  return { code, out: out.join(''), err: err.join('') };
}

/** Made before the first test of the file that calls this, removed after its last. */
export class TrainPlace {
  root = '';
  data = '';
  features = '';

  constructor() {
    beforeAll(async () => {
      this.root = await mkdtemp(join(tmpdir(), 'mettle-train-'));
      this.data = await makeOwnFolder(join(this.root, 'data'));
      this.features = join(this.root, 'features');
    });
    afterAll(() => rm(this.root, { recursive: true, force: true }));
  }

  args(out: string, more: string[] = [], from = this.data): string[] {
    return ['train', '--data', from, '--out', out, '--cache', this.features, ...small, ...more];
  }

  train(name: string, more: string[] = [], watch: Watch = {}, from?: string): Promise<Call> {
    return mettle(this.args(join(this.root, name), more, from), watch);
  }

  /** With the times of its files, so that the features that were kept of them hold. */
  async copyOfData(name: string): Promise<string> {
    await cp(this.data, join(this.root, name), { recursive: true, preserveTimestamps: true });
    return join(this.root, name);
  }

  /** Everything in the root that belongs to an output. */
  async left(name: string): Promise<string[]> {
    return (await readdir(this.root)).filter((entry) => entry.startsWith(name)).sort();
  }
}
