/** Gives Node the audio and video codecs that a page has: registers mediabunny's server package, which is an optional peer. It decodes nothing itself. */
import { CustomAudioDecoder, CustomVideoDecoder } from 'mediabunny';
import { MettleError } from '../errors.ts';

let ready: Promise<void> | undefined;

/**
 * Makes the codecs of `@mediabunny/server` known to mediabunny, for decoding and encoding; later calls do nothing. Software codecs only: they give the same bits everywhere.
 * Throws `missing-package` where the package is not installed.
 */
export function prepareDecoders(): Promise<void> {
  ready ??= register().catch((error: unknown) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

async function register(): Promise<void> {
  addWithResolvers();
  const [server, av] = await Promise.all([load('@mediabunny/server'), load('node-av')]);
  reportFailures(CustomVideoDecoder.prototype);
  reportFailures(CustomAudioDecoder.prototype);
  server.registerMediabunnyServer({ hardwareContext: null });
  // FFmpeg reports damaged streams on stderr by itself; callers learn of them through errors and warnings.
  av.Log.setLevel(av.AV_LOG_QUIET);
}

type Packages = {
  '@mediabunny/server': typeof import('@mediabunny/server');
  'node-av': typeof import('node-av');
};

async function load<Name extends keyof Packages>(name: Name): Promise<Packages[Name]> {
  try {
    return await import(name);
  } catch (cause) {
    throw new MettleError(
      'missing-package',
      `Node has no audio and video codecs of its own, and the package "${name}" could not be loaded.`,
      {
        hint: 'Run: npm install @mediabunny/server (its node-av needs no install script, so --ignore-scripts is fine)',
        cause,
      },
    );
  }
}

/**
 * Lets the decoders of a base class report failures through `onError` alone. Once a call of theirs has rejected, mediabunny 1.61 chains `close()` to it and drops the
 * promise: the decoder is never freed, and the unhandled rejection ends the process. It sets `onError` on each new decoder, which is where we come in.
 */
function reportFailures(prototype: CustomVideoDecoder | CustomAudioDecoder): void {
  Object.defineProperty(prototype, 'onError', {
    configurable: true,
    set(this: Record<string, unknown>, onError: (error: unknown) => unknown) {
      Object.defineProperty(this, 'onError', { value: onError });
      for (const name of ['init', 'decode', 'flush']) {
        const call = this[name] as (...args: unknown[]) => Promise<void> | void;
        this[name] = async (...args: unknown[]) => {
          try {
            await call.apply(this, args);
          } catch (error) {
            onError(error);
          }
        };
      }
    },
  });
}

/** `Promise.withResolvers` is in Node from 22 on; node-av calls it. */
function addWithResolvers(): void {
  if ('withResolvers' in Promise) return;
  const value = function withResolvers<T>(this: PromiseConstructor) {
    let resolve!: (value: T | PromiseLike<T>) => void;
    let reject!: (reason?: unknown) => void;
    const promise = new this<T>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    return { promise, resolve, reject };
  };
  Object.defineProperty(Promise, 'withResolvers', { value, configurable: true, writable: true });
}
