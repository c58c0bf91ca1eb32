/**
 * Threads that make clips. This module is also what each thread runs: a bundle then needs no entry of its own for them. One thread means none beside the caller's,
 * and so does TypeScript, which threads of Node cannot load.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { MettleError } from '../../errors.ts';
import type { ToyboxLayout } from '../../toybox/index.ts';
import { fromWireError, toWireError, type WireError } from '../../wire-error.ts';
import { makeClipFiles } from './clip-files.ts';

export type ClipJob = { seed: number; layout: ToyboxLayout; index: number; folder: string };

/** SHA-256 in hex of each file, by its path in the layout's folder. */
export type Digests = Record<string, string>;

export type Pool = {
  /** Writes the files of a clip; each appears whole or not at all. Throws `write` or `missing-package`. */
  run(job: ClipJob): Promise<Digests>;
  dispose(): Promise<void>;
};

/** As many jobs run at once as there are threads; the caller must not start more. */
export function createPool(threads: number): Pool {
  if (threads === 1 || import.meta.url.endsWith('.ts')) return { run: writeClip, dispose: async () => {} };
  const workers = Array.from({ length: threads }, startWorker);
  const idle = [...workers];
  return {
    async run(job) {
      const worker = idle.pop()!;
      try {
        return await ask(worker, job);
      } finally {
        idle.push(worker);
      }
    },
    async dispose() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

const mark = 'mettle-toybox';

const startWorker = (): Worker => new Worker(new URL(import.meta.url), { workerData: mark });

type Answer = { digests: Digests } | { error: WireError };

function ask(worker: Worker, job: ClipJob): Promise<Digests> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      end();
      reject(
        new MettleError('worker-died', 'A thread that makes clips ended.', {
          hint: 'Try again with --threads 1.',
          cause,
        }),
      );
    };
    const answer = (message: Answer) => {
      end();
      if ('digests' in message) resolve(message.digests);
      else reject(fromWireError(message.error));
    };
    const end = () => {
      worker.off('message', answer);
      worker.off('error', fail);
      worker.off('exit', fail);
    };
    worker.on('message', answer);
    worker.on('error', fail);
    worker.on('exit', fail);
    worker.postMessage(job);
  });
}

async function writeClip({ seed, layout, index, folder }: ClipJob): Promise<Digests> {
  const digests: Digests = {};
  for (const { path, bytes } of await makeClipFiles(seed, layout, index)) {
    await writeWhole(join(folder, path), bytes);
    digests[path] = createHash('sha256').update(bytes).digest('hex');
  }
  return digests;
}

/** Writes beside the place and moves it there. What a killed run left behind has the same name and is written over. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw new MettleError('write', `${path} could not be written: ${(cause as Error).message}.`, {
      hint: 'Check that the folder may be written to and that the disk has room; what is finished is kept.',
      cause,
    });
  }
}

if (!isMainThread && workerData === mark) {
  parentPort!.on('message', async (job: ClipJob) => {
    try {
      parentPort!.postMessage({ digests: await writeClip(job) } satisfies Answer);
    } catch (error) {
      parentPort!.postMessage({ error: toWireError(error) } satisfies Answer);
    }
  });
}
