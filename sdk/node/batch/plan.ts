/** What a batch needs before it begins: the models' identity, where outputs go, and how many processes this machine has room for. */
import { machineRoom } from '../host/machine.ts';
import { type Outputs, openFolder } from './folder-outputs.ts';
import { type BatchModels, recipeOf, type Wish } from './recipe.ts';
import type { FilmPlan } from './worker-messages.ts';
import { type WorkerCount, workerCount } from './workers.ts';

export type BatchWish = { models: BatchModels; wish: Wish; workers: number | undefined; out: string };
export type BatchPlan = { plan: FilmPlan; outputs: Outputs; count: WorkerCount };

/** Throws what the names of models throw, and `write` for a folder that cannot be made. */
export async function planBatch({ models, wish, workers, out }: BatchWish, signal?: AbortSignal): Promise<BatchPlan> {
  const { digest, modelBytes } = await recipeOf(models, wish, signal);
  const { threads, device } = models;
  const count = workerCount(await machineRoom(), modelBytes, { workers, threads, device });
  const outputs = await openFolder(out);
  return { plan: { models: { ...models, threads: count.threads }, wish, recipe: digest, out }, outputs, count };
}
