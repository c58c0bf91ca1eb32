/** Threads that make pieces of views, each one piece at a time. */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, MettleError } from '../../errors.ts';
import type { HubOptions } from '../../hub/access.ts';
import type { PresetName } from '../../models/presets.ts';
import type { Scale } from '../../train/pretrain/teacher.ts';
import { readByTsx } from '../workers.ts';
import type { MaterialPlan } from './material.ts';

/** What a thread opens. */
export type WorkerPlan = {
  preset: PresetName;
  /** Where the teachers are. */
  teachers: readonly string[];
  hub?: HubOptions;
  scales: readonly Scale[][];
  material: MaterialPlan;
  seed: number;
  /** What each file begins with. */
  head: Uint8Array;
};

export type PieceTask = { first: number; path: string } | 'stop';
export type PieceAnswer =
  | { done: number }
  | { failed: number; message: string; code: string; hint: string }
  | { problem: string };

type Waiting = { task: Exclude<PieceTask, 'stop'>; resolve(): void; reject(reason: unknown): void };
type Hand = { worker: Worker; busy: Waiting | null; ended: Promise<unknown> };

/** Owns threads; close it. */
export class ViewPool {
  readonly #hands: Hand[];
  readonly #waiting: Waiting[] = [];
  #closed: Error | null = null;

  /** `onProblem` is told of files that were passed over. */
  constructor(count: number, plan: WorkerPlan, onProblem: (problem: string) => void) {
    this.#hands = Array.from({ length: count }, () => {
      const worker = startWorker(plan);
      const hand: Hand = { worker, busy: null, ended: new Promise((resolve) => worker.once('exit', resolve)) };
      worker.on('message', (answer: PieceAnswer) => {
        if ('problem' in answer) onProblem(answer.problem);
        else this.#finish(hand, answer);
      });
      worker.on('error', (error) => this.#stop(error));
      return hand;
    });
  }

  /** Makes the piece that begins with view `first`. Rejects with what the thread threw, or when the pool is closed. */
  make(first: number, path: string): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task: { first, path }, resolve, reject });
      this.#next();
    });
  }

  /** Waits until every thread has ended by itself: to end one from outside while its runtime computes ends the whole process. */
  async close(): Promise<void> {
    this.#stop(new Error('The threads that make views were stopped.'));
    for (const { worker } of this.#hands) worker.postMessage('stop' satisfies PieceTask);
    await Promise.all(this.#hands.map(({ ended }) => ended));
  }

  #next(): void {
    for (const hand of this.#hands) {
      if (hand.busy) continue;
      const next = this.#waiting.shift();
      if (!next) return;
      hand.busy = next;
      hand.worker.postMessage(next.task);
    }
  }

  #finish(hand: Hand, answer: Exclude<PieceAnswer, { problem: string }>): void {
    const { busy } = hand;
    hand.busy = null;
    if ('done' in answer) busy?.resolve();
    else busy?.reject(errorOf(answer));
    this.#next();
  }

  #stop(reason: Error): void {
    this.#closed ??= reason;
    for (const hand of this.#hands) {
      hand.busy?.reject(this.#closed);
      hand.busy = null;
    }
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closed);
  }
}

function errorOf({ message, code, hint }: { message: string; code: string; hint: string }): Error {
  return code ? new MettleError(code as ErrorCode, message, { hint }) : new Error(message);
}

/** The bundle's own file; from the sources, by way of tsx, which reads TypeScript. */
function startWorker(workerData: WorkerPlan): Worker {
  const inSources = import.meta.url.endsWith('.ts');
  const script = new URL(inSources ? './view-worker.ts' : './view-worker.js', import.meta.url);
  return new Worker(inSources ? readByTsx(script) : script, { workerData, execArgv: [] });
}
