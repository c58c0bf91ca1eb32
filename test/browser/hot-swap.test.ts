/** Adapters that come and go on a running Mettle in a page. */
import { describe, test } from 'vitest';
import type { WorkerFactory } from '../../sdk/index.ts';
import {
  expectBudget,
  expectCallsToFinish,
  expectErrors,
  expectLoadAndUnload,
  expectSwapsToOutliveWorkers,
} from '../helpers/hot-swap-cases.ts';

const page = { device: 'wasm' as const, runtimePath: '/node_modules/onnxruntime-web/dist/' };

describe('in a worker of a page', () => {
  test('an adapter is loaded and unloaded, and the backbone stays', () => expectLoadAndUnload(page));
  test('calls finish on what they began with', () => expectCallsToFinish(page));
  test('what cannot be done changes nothing', () => expectErrors(page));
  test('a budget lets adapters take turns', () => expectBudget(page));
});

test("an adapter is loaded and unloaded in the page's own thread", () =>
  expectLoadAndUnload({ ...page, worker: false }));

test('what was loaded outlives its worker', async () => {
  const all: Worker[] = [];
  const worker: WorkerFactory = (script) => {
    const own = new Worker(script, { type: 'module' });
    all.push(own);
    return own;
  };
  await expectSwapsToOutliveWorkers(page, worker, async () => {
    for (const one of all) one.terminate();
  });
});
