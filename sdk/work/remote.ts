/**
 * Calls across a worker: comlink, and the three things that it lacks. Errors cross whole, open calls end when the worker does, and progress callbacks are
 * released after the call. Comlink's own table of handlers, which other code of the page may share, is left as it is.
 */
import * as Comlink from 'comlink';
import type { StartedWorker } from '../contract/worker.ts';
import { MettleError } from '../errors.ts';
import { fromWireError, toWireError, type WireError } from '../wire-error.ts';

/** What a call across the wire answers: it never throws there. */
export type Outcome<T> = { value: T } | { error: WireError };

/** The near end of a worker that answers as `Host`. */
export class Remote<Host> {
  readonly host: Comlink.Remote<Host>;
  readonly #worker: StartedWorker;
  readonly #open = new Set<(reason: MettleError) => void>();
  #ended: MettleError | null = null;

  /** `what` names the worker in messages, e.g. `The worker of the engine`. */
  constructor(worker: StartedWorker, what: string) {
    this.#worker = worker;
    this.host = Comlink.wrap<Host>(worker.port);
    worker.onEnd((how, hint, cause) => this.end(new MettleError('worker-died', `${what} ${how}.`, { hint, cause })));
    worker.port.addEventListener('close', () => this.end(new MettleError('worker-died', `${what} closed its port.`)));
    worker.port.addEventListener('messageerror', () => {
      this.end(new MettleError('worker-died', `${what} sent a message that cannot be read.`));
    });
  }

  /** Why nothing can be called any more; null while it can. */
  get ended(): MettleError | null {
    return this.#ended;
  }

  /** Promises of comlink hang when a worker dies: each call also waits for the end. */
  call<T>(send: (host: Comlink.Remote<Host>) => Promise<unknown>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      this.#open.add(reject);
      this.#worker.hold(true);
      const done = () => {
        this.#open.delete(reject);
        if (this.#open.size === 0) this.#worker.hold(false);
      };
      send(this.host)
        .then((outcome) => openOutcome(outcome as Outcome<T>), notSent)
        .then(resolve, reject)
        .finally(done);
    });
  }

  /** Ends the worker at once; open calls, and all later ones, reject with `reason`. */
  end(reason: MettleError): void {
    if (this.#ended) return;
    this.#ended = reason;
    for (const reject of this.#open) reject(reason);
    this.#open.clear();
    this.#worker.hold(false);
    this.#worker.terminate();
  }
}

/** At the far end: a promise as something that can be sent. */
export async function settle<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call };
  } catch (error) {
    return { error: toWireError(error) };
  }
}

/** The far end answers whatever fails there: what fails by itself is the message. */
function notSent(cause: unknown): never {
  throw new MettleError(
    'invalid-argument',
    `What was given cannot be handed to a worker: ${(cause as Error).message}`,
    {
      hint: 'Give files, URLs, or plain arrays whose buffers were not given away before.',
      cause,
    },
  );
}

function openOutcome<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw fromWireError(outcome.error);
  return outcome.value;
}

type Bytes = Uint8Array | Float32Array;

/** The buffers that hold one of `views` and nothing else: what may be given away. */
export function ownedBuffers(views: readonly Bytes[]): ArrayBuffer[] {
  const owned = views.filter(({ byteLength, buffer }) => byteLength === buffer.byteLength);
  return [...new Set(owned.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer))];
}
