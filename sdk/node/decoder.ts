/** Gives Node the audio and video codecs that a page has: registers mediabunny's server package, which is an optional peer. It decodes nothing itself. */
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
