/** Batches in tests: a plan for the smallest shipped adapter, and the processes that this one started. */
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type BatchPlan, planBatch } from '../../sdk/node/batch/plan.ts';
import type { Wish } from '../../sdk/node/batch/recipe.ts';

export const tinyFilm = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));

export const planFor = (out: string, wish: Wish = {}): Promise<BatchPlan> =>
  planBatch({ models: { adapters: ['toybox-llp'], device: 'wasm' }, wish, workers: 1, out });

/** Numbers of the processes of batches that run now. */
export function filmWorkers(): number[] {
  try {
    const found = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'film-worker'], { encoding: 'utf8' });
    return found.trim().split('\n').map(Number);
  } catch {
    return [];
  }
}
