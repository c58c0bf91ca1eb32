/**
 * The doors of the public API. What fails behind them leaves as a `MettleError`; only what is the caller's own leaves as it came: the reason of an abort, and what the
 * caller's own functions throw.
 */
import { MettleError } from './errors.ts';

const callersErrors = new WeakSet<object>();

/** The same options, whose functions are known as the caller's: what they throw passes every door as it is. */
export function callersOwn<T extends object>(options: T): T {
  const own = Object.entries(options).map(([name, value]) => [
    name,
    typeof value === 'function' ? marking(value as (...args: unknown[]) => unknown) : value,
  ]);
  return Object.fromEntries(own) as T;
}

function marking(call: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (typeof error === 'object' && error !== null) callersErrors.add(error);
      throw error;
    }
  };
}

/** Settles as `work` does, and rejects with nothing but a `MettleError`, `signal.reason`, or what a function of the caller's threw. */
export async function throughDoor<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw leaving(error, signal);
  }
}

/** As `throughDoor`, for what comes bit by bit. */
export async function* eachThroughDoor<T>(
  signal: AbortSignal | undefined,
  items: AsyncIterable<T>,
): AsyncGenerator<T, void> {
  try {
    yield* items;
  } catch (error) {
    throw leaving(error, signal);
  }
}

/** A value that is no object was thrown by the caller: neither we nor the libraries below throw such. */
function leaving(error: unknown, signal: AbortSignal | undefined): unknown {
  const callers = typeof error !== 'object' || error === null || callersErrors.has(error);
  if (callers || error instanceof MettleError || (signal?.aborted && error === signal.reason)) return error;
  const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new MettleError('internal', `Something failed that should not: ${told}`, {
    hint: 'This is a fault of mettle-edge or of a library below it: please report it with what you gave; the cause holds the stack.',
    cause: error,
  });
}

/** A function of the caller's, called where an error of its would be taken for another: it is kept, and thrown by `rethrow`. */
export function heldBack<T>(call: ((value: T) => void) | undefined): { call(value: T): void; rethrow(): void } {
  let thrown: { error: unknown } | null = null;
  return {
    call(value) {
      if (thrown) return;
      try {
        call?.(value);
      } catch (error) {
        thrown = { error };
      }
    },
    rethrow() {
      if (thrown) throw thrown.error;
    },
  };
}
