/** A worker's first message. */
import { onFirstMessage } from '#runtimes';
import type { WorkerGreeting, WorkerName } from '../contract/worker.ts';

/** Calls `start` with the port that the greeting of this worker brings. */
export function greeted(name: WorkerName, start: (port: MessagePort) => void): void {
  onFirstMessage((message) => {
    const { mettle, port } = message as WorkerGreeting;
    if (mettle === name) start(port);
  });
}
