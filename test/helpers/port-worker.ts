/** One end of a message channel as a worker that was started: what answers at the other end is the test's own. */
import type { StartedWorker } from '../../sdk/contract/worker.ts';

export type PortWorker = StartedWorker & {
  /** Tells that the worker ended. */
  fail(what: string, cause?: unknown): void;
  terminated: number;
};

export function portWorker(port: MessagePort): PortWorker {
  const listeners: Parameters<StartedWorker['onEnd']>[0][] = [];
  return {
    port,
    terminated: 0,
    onEnd: (listener) => void listeners.push(listener),
    terminate() {
      this.terminated++;
    },
    hold() {},
    fail: (what, cause) => {
      for (const listener of listeners) listener(what, '', cause);
    },
  };
}
