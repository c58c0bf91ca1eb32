/** Gives Node the audio and video codecs that a page has: registers mediabunny's server package, which is an optional peer. It decodes nothing itself. */
import type { AvFrameAudioSampleResource } from '@mediabunny/server';
import { CustomAudioDecoder, CustomVideoDecoder } from 'mediabunny';
import type { CodecContext } from 'node-av';
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
  adaptDecoders(CustomVideoDecoder.prototype);
  adaptDecoders(CustomAudioDecoder.prototype);
  readAllPlanes(server.AvFrameAudioSampleResource.prototype);
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

/** Changes each new decoder of a base class in two ways. mediabunny sets `onError` on every decoder it makes, which is where we come in. */
function adaptDecoders(prototype: CustomVideoDecoder | CustomAudioDecoder): void {
  Object.defineProperty(prototype, 'onError', {
    configurable: true,
    set(this: Record<string, unknown>, onError: (error: unknown) => unknown) {
      Object.defineProperty(this, 'onError', { value: onError });
      decodeInThread(this);
      reportFailures(this, onError);
    },
  });
}

/**
 * Lets failures be reported through `onError` alone. Once a call has rejected, mediabunny 1.61 chains `close()` to it and drops the promise: the decoder is never
 * freed, and the unhandled rejection ends the process.
 */
function reportFailures(decoder: Record<string, unknown>, onError: (error: unknown) => unknown): void {
  for (const name of ['init', 'decode', 'flush']) {
    const call = decoder[name] as (...args: unknown[]) => Promise<void> | void;
    decoder[name] = async (...args: unknown[]) => {
      try {
        await call.apply(decoder, args);
        await takeTurns();
      } catch (error) {
        onError(error);
      }
    };
  }
}

/**
 * Lets FFmpeg decode in this thread. A small packet takes less time than its way to the thread pool and back: a quarter less CPU for 720 x 480 H.264, and half the wall time
 * for 256 x 192 VP9.
 */
function decodeInThread(decoder: Record<string, unknown>): void {
  let context: CodecContext | null = null;
  Object.defineProperty(decoder, 'codecContext', {
    get: () => context,
    set(next: CodecContext | null) {
      context = next;
      if (!next) return;
      next.sendPacket = async (packet) => next.sendPacketSync(packet);
      next.receiveFrame = async (frame) => next.receiveFrameSync(frame);
    },
  });
}

/** Planes that a frame of FFmpeg holds itself. */
const ownPlanes = 8;

/** Where a frame has more channels than that, its own list of planes is not what node-av takes it for: reading on there ends the process, or gives what lies in memory. */
function readAllPlanes(resource: AvFrameAudioSampleResource): void {
  const { getDataPlane } = resource;
  resource.getDataPlane = function (this: AvFrameAudioSampleResource, index) {
    if (this.getNumberOfChannels() <= ownPlanes) return getDataPlane.call(this, index);
    const plane = this.frame.extendedData?.[index];
    if (!plane) throw new Error(`The decoder gave no samples for channel ${index}.`);
    return plane;
  };
}

let lastTurn = 0;

/** Decoding in this thread waits for nothing: timers, signals and messages get their turn every ten milliseconds. */
async function takeTurns(): Promise<void> {
  if (performance.now() - lastTurn < 10) return;
  await new Promise((resolve) => setImmediate(resolve));
  lastTurn = performance.now();
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
