/** The doors of what is public besides `createMettle`: a failure leaves as a MettleError, and what the caller's own functions throw as it is. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCache } from '../../sdk/index.ts';
import {
  type AdapterTraining,
  accountFor,
  type DataFolder,
  detectFormat,
  evaluatePredictions,
  importBackbone,
  memorySource,
  openCheckpoint,
  openLessons,
  presets,
  readDataset,
  type TrainOptions,
  teach,
  train,
  trainAdapter,
} from '../../sdk/train/index.ts';

const mettle = (code: string) => ({ name: 'MettleError', code });
const own = new Error('of the caller');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-doors-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a cache that is no folder', () => {
  test('every method says which, and what to do', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'x');
    const cache = await openCache({ cache: file });
    for (const call of [cache.size(), cache.list(), cache.delete('nano'), cache.verify(), cache.prune(0)]) {
      await expect(call).rejects.toMatchObject({ ...mettle('write'), message: expect.stringContaining(file) });
    }
  });

  test('arguments are checked, and an abort keeps its reason', async () => {
    const cache = await openCache({ cache: join(folder, 'cache') });
    await expect(cache.prune(-1)).rejects.toMatchObject(mettle('invalid-argument'));
    await expect(cache.verify({ sginal: 1 } as never)).rejects.toMatchObject(mettle('invalid-argument'));
    await expect(cache.verify(null as never)).rejects.toMatchObject(mettle('invalid-argument'));
    expect(await cache.verify({ signal: AbortSignal.abort('why') })).toEqual({ files: 0, bytes: 0, damaged: 0 });
  });
});

describe('mettle-edge/train', () => {
  const nothing = undefined as never;

  test.each<[string, () => Promise<unknown>]>([
    ['train', () => train(nothing)],
    ['trainAdapter', () => trainAdapter(nothing)],
    ['teach', () => teach(nothing)],
    ['openLessons', () => openLessons({ plaec: 'x' } as never)],
    ['readDataset', () => readDataset(nothing)],
    ['detectFormat', () => detectFormat(nothing)],
    ['openCheckpoint', () => openCheckpoint(nothing, 'x')],
    ['accountFor', () => accountFor(nothing, presets['swin-v2-nano'], 'x')],
    ['importBackbone', () => importBackbone(nothing, nothing, nothing)],
    ['evaluatePredictions', () => evaluatePredictions(nothing)],
  ])('%s of nothing is refused', async (_, call) => {
    await expect(call()).rejects.toMatchObject(mettle('invalid-argument'));
  });

  test('what is given in the wrong shape is no fault without a name', async () => {
    const shapeless = { runtime: {}, model: {}, data: { size: 1 }, batch: 1, steps: 1, seed: 1 };
    await expect(train(shapeless as unknown as TrainOptions)).rejects.toMatchObject({ name: 'MettleError' });
    await expect(accountFor({} as never, presets['swin-v2-nano'], 'x')).rejects.toMatchObject(mettle('internal'));
  });

  test('errors of folders, sources, stores and predictions are the caller’s', async () => {
    class Folder {
      readonly #fault = own;
      readonly name = 'mine';
      async exists(): Promise<boolean> {
        throw this.#fault;
      }
      async list(): Promise<string[]> {
        throw this.#fault;
      }
    }
    const broken = new Folder() as unknown as DataFolder;
    await expect(readDataset(broken)).rejects.toBe(own);
    await expect(detectFormat(broken)).rejects.toBe(own);
    const source = { ...memorySource(new Uint8Array(9)), read: () => Promise.reject(own) };
    await expect(openCheckpoint(source, 'x')).rejects.toBe(own);
    const config = { task: 'localize' as const, classes: ['a'] };
    await expect(evaluatePredictions({ config, predict: () => Promise.reject(own) })).rejects.toBe(own);
    const store = { load: () => Promise.reject(own), save: async () => {} };
    const options = { runtime: {}, model: {}, data: { size: 1 }, batch: 1, steps: 1, seed: 1, resume: true };
    await expect(train({ ...options, checkpoint: { store } } as unknown as TrainOptions)).rejects.toBe(own);
  });

  test('and so are those of what is iterated', async () => {
    const { callersOwn, throughDoor } = await import('../../sdk/door.ts');
    const access = callersOwn<Pick<AdapterTraining['access'], 'segments'>>({
      async *segments() {
        yield* [];
        throw own;
      },
    });
    const drain = async () => {
      for await (const _ of access.segments({} as never, {} as never)) return;
    };
    await expect(throughDoor(undefined, drain)).rejects.toBe(own);
  });
});
