/**
 * The one line in which all work on the runtime waits. onnxruntime-web refuses two session creations at once and corrupts state when runs overlap,
 * and all engines of a thread share its module: so every queue of a thread waits in the same line. Not a scheduler: first come, first served.
 */
import { MettleError } from '../errors.ts';

/** Settles when everything that any queue of this thread was given so far has ended. */
let threadLine: Promise<void> = Promise.resolve();

/** One engine's place in the line. A job that fails does not stop those behind it. */
export class RuntimeQueue {
  readonly #waiting = new Set<(reason: MettleError) => void>();
  #last: Promise<void> = Promise.resolve();
  #disposed = false;

  /** Runs `job` after all earlier jobs and settles as it does. Rejects with `disposed` if its turn never comes. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    if (this.#disposed) return Promise.reject(disposedError());
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      this.#join(async () => {
        if (!this.#waiting.delete(reject)) return;
        try {
          resolve(await job());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /**
   * Rejects what waits and whatever comes later with `disposed`, lets the job that runs now end, and then runs `release`, which must not throw.
   * A second call waits for the same end.
   */
  async dispose(release: () => Promise<void>): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = true;
      for (const reject of this.#waiting) reject(disposedError());
      this.#waiting.clear();
      this.#join(release);
    }
    await this.#last;
  }

  #join(turn: () => Promise<void>): void {
    this.#last = threadLine = threadLine.then(turn);
  }
}

function disposedError(): MettleError {
  return new MettleError('disposed', 'The engine was disposed.', { hint: 'Create a new engine.' });
}
