/** Asking again: with pauses that grow and differ, so that many clients do not come back at the same moment, and no longer than makes sense. */
import { MettleError } from '../errors.ts';
import { waitOf } from './request.ts';

/** Failures in a row without a new byte, after which it is given up. */
const mostInVain = 4;
/** Failures in all, however much comes between them. */
const mostFailures = 200;
const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** A server that wants to be left alone for longer is not waited for. */
const longestWaitMs = 60_000;

/** Repeats `attempt` until it resolves, or fails for good; `progress` tells how far it has come. Rejects with the last error, or the signal's reason. */
export async function retrying<T>(
  attempt: () => Promise<T>,
  progress: () => number,
  signal: AbortSignal | undefined,
): Promise<T> {
  let [failures, inVain, furthest] = [0, 0, progress()];
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const wait = waitOf(error);
      if (wait === undefined) throw error;
      if (wait !== null && wait > longestWaitMs) throw tooLong(error as MettleError, wait);
      inVain = progress() > furthest ? 1 : inVain + 1;
      furthest = Math.max(furthest, progress());
      if (inVain > mostInVain || ++failures > mostFailures) throw error;
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (inVain - 1));
      await sleep(Math.max(wait ?? 0, pause * (0.5 + Math.random() / 2)), signal);
    }
  }
}

function tooLong(error: MettleError, wait: number): MettleError {
  return new MettleError('network', error.message, {
    hint: `The server asks to wait ${Math.ceil(wait / 1000)} s: try again then.`,
    cause: error,
  });
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
