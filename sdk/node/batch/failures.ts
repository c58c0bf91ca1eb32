/** The films of a batch that failed, and the file that keeps them beside the outputs. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonText } from '../../contract/plain-text.ts';
import type { MettleError } from '../../errors.ts';
import { DiskStore } from '../files/file-store.ts';
import type { Shard } from './shard.ts';

export type Failure = { film: string; error: MettleError };

export class FailureList {
  readonly all: Failure[] = [];
  readonly #folder: string;
  readonly #name: string;

  /** Parts of one batch keep lists of their own. */
  constructor(folder: string, shard: Shard | null) {
    this.#folder = folder;
    this.#name = shard ? `failures-${shard.index}-of-${shard.count}.jsonl` : 'failures.jsonl';
  }

  get path(): string {
    return join(this.#folder, this.#name);
  }

  add(film: string, error: MettleError): void {
    this.all.push({ film, error });
  }

  /** A line of JSON for each; no file where there are none. Throws `write`. */
  async save(): Promise<void> {
    if (this.all.length === 0) return await rm(this.path, { force: true });
    const lines = this.all.map(
      ({ film, error: { code, message, hint } }) => `${jsonText({ film, code, message, hint })}\n`,
    );
    await new DiskStore(this.#folder).save(this.#name, new TextEncoder().encode(lines.join('')));
  }
}
