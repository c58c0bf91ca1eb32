/**
 * The doors of the public API. What fails behind them leaves as a `MettleError`; only what is the caller's own leaves as it came: the reason of an abort, and what the
 * caller's own functions throw.
 */
import { MettleError } from './errors.ts';

const callersErrors = new WeakSet<object>();

/** A copy of the caller's options, store or other object: what its functions throw or reject with, at once or while they are iterated, passes every door as it is. */
export function callersOwn<T extends object>(given: T): T {
  const own: Record<string, unknown> = {};
  for (const name of namesOf(given)) {
    const value = given[name as keyof T] as unknown;
    own[name] = typeof value === 'function' ? marking(value.bind(given)) : value;
  }
  return own as T;
}

/** Of its own members and of those that its class gives it. */
function namesOf(given: object): Set<string> {
  const names = new Set<string>();
  for (let of = given; of && of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const name of Object.getOwnPropertyNames(of)) if (name !== 'constructor') names.add(name);
  }
  return names;
}

function marking(call: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return (...args) => {
    try {
      const result = call(...args);
      if (result instanceof Promise) return result.catch(mark);
      return isAsyncIterable(result) ? markedItems(result) : result;
    } catch (error) {
      return mark(error);
    }
  };
}

function mark(error: unknown): never {
  if (typeof error === 'object' && error !== null) callersErrors.add(error);
  throw error;
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

async function* markedItems(items: AsyncIterable<unknown>): AsyncGenerator<unknown, void> {
  try {
    yield* items;
  } catch (error) {
    mark(error);
  }
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
