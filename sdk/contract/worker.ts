/** Workers as both platforms start them: `Worker` in a page, `worker_threads` in Node. */

/** Seconds without progress after which a decoder, a cancelled call of the runtime, or a download is given up. */
export const defaultStallSeconds = 20;

/** Demuxing, codecs and frames in the one; the runtime in the other. */
export type WorkerName = 'decode' | 'engine';

/** Scripts that are found by their address alone, so that no bundler follows them. */
export type ScriptName = `${WorkerName}-worker` | 'in-thread';

/** What a started worker needs of the object that the platform calls a worker. */
export type WorkerLike = {
  /** Sends a message; what `transfer` lists goes with it. */
  postMessage(message: unknown, transfer: never): void;
  /** Ends it at once. */
  terminate(): unknown;
};

/** Starts a module worker from a script of this package: for pages that must make their workers themselves (Trusted Types, tests). */
export type WorkerFactory = (script: URL, name: WorkerName) => WorkerLike;

export type WorkerOptions = {
  /** Page: URL of the folder with worker scripts, runtime and models, as `mettle assets` writes it. Default: beside this package's script. */
  assets?: string;
  worker?: WorkerFactory;
};

export interface StartedWorker {
  /** The worker listens at the other end. */
  readonly port: MessagePort;
  /** Calls `listener` once, when the worker fails or goes away without being asked to. */
  onEnd(listener: (what: string, hint: string, cause?: unknown) => void): void;
  /** Ends the worker at once, whatever it is doing. */
  terminate(): void;
  /** Whether an open call keeps Node's process alive for it. A page has nothing to keep. */
  hold(busy: boolean): void;
}

/** The first message to a worker: the port that it is to answer at. */
export type WorkerGreeting = { mettle: WorkerName; port: MessagePort };
