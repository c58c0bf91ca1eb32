/** What outputs depend on beside the film: the models, to the byte, and what is asked of them. The device is none of it: all give the same events. */
import { createHash } from 'node:crypto';
import type { Unfamiliar } from '../../contract/familiar.ts';
import type { Task } from '../../contract/task.ts';
import { MettleError } from '../../errors.ts';
import type { CaptionLanguage } from '../../export/index.ts';
import { type CreateOptions, openModels } from '../../load.ts';

/** What is asked of each film. */
export type Wish = {
  tasks?: Task[];
  unfamiliar?: Unfamiliar;
  /** Captions of sounds, in this language; none where it is left out. */
  captions?: CaptionLanguage;
};

/** What to load, and how: plain data, so that it reaches other processes and machines. */
export type BatchModels = Pick<
  CreateOptions,
  'hosts' | 'publishers' | 'offline' | 'refresh' | 'backbone' | 'adapters' | 'device' | 'threads'
>;

export type Recipe = {
  /** One short text that changes with all of it. */
  digest: string;
  /** Bytes of the models' files. */
  modelBytes: number;
};

/** Reads manifests, no weights. Throws as `createMettle` does for names that lead nowhere, and `not-found` where no adapter fits. */
export async function recipeOf(models: BatchModels, wish: Wish, signal?: AbortSignal): Promise<Recipe> {
  const { backbone, adapters } = await openModels({ ...models, signal }, () => {});
  if (adapters.length === 0) {
    const { id } = backbone.manifest;
    throw new MettleError(
      'not-found',
      `Nothing can be asked of films: no adapter that ships was made for backbone "${id}".`,
      {
        hint: 'Name one with --adapter.',
      },
    );
  }
  const opened = [backbone, ...adapters.map(({ model }) => model)];
  const { tasks, unfamiliar, captions } = wish;
  const text = JSON.stringify([opened.map(({ manifest }) => manifest), tasks, unfamiliar, captions]);
  return {
    digest: createHash('sha256').update(text).digest('hex').slice(0, 32),
    modelBytes: opened.reduce((sum, model) => sum + model.bytes('wasm'), 0),
  };
}
