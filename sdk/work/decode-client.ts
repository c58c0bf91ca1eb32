/**
 * The near end of the decode worker: a {@link Clip} that is decoded elsewhere. Whatever happens there, the caller gets an answer: an abort takes effect at once, and a
 * worker that no longer gets on is ended.
 */
import * as Comlink from 'comlink';
import { untilAborted } from '../abort.ts';
import { type Clip, disposedClip, type Segment, type SegmentFormat } from '../contract/clip.ts';
import type { LiveInput } from '../contract/live.ts';
import type { StartedWorker } from '../contract/worker.ts';
import { MettleError, type Warning } from '../errors.ts';
import type { HandedSource } from '../media/handed-source.ts';
import type { DecodeHost, NextSegment, OpenedClip } from './decode-protocol.ts';
import { RemoteLiveInput } from './live-client.ts';
import { Remote } from './remote.ts';
import { Watchdog } from './watchdog.ts';

/** Milliseconds that a worker has to let go of a clip before it is ended. */
const patience = 1000;

/** A decode worker for one clip at a time. */
export class DecodeWorker {
  readonly #remote: Remote<DecodeHost>;
  readonly #stallSeconds: number;

  constructor(worker: StartedWorker, stallSeconds: number) {
    this.#remote = new Remote<DecodeHost>(worker, 'The worker that decodes');
    this.#stallSeconds = stallSeconds;
  }

  /** Whether it is gone for good. */
  get ended(): boolean {
    return this.#remote.ended !== null;
  }

  /**
   * Opens `handed`. `onFree` is called once, when the clip was disposed of or never opened: the worker may then open another one, or is gone.
   * Rejects as `openClip` does, with `stalled`, `worker-died` or `signal.reason`.
   */
  async open(handed: HandedSource, signal: AbortSignal | undefined, onFree: () => void): Promise<Clip> {
    const { port1, port2 } = new MessageChannel();
    const watchdog = new Watchdog(port1, this.#stallSeconds, () => this.end(stalled(handed.name, this.#stallSeconds)));
    const clip = new RemoteClip(this.#remote, watchdog, (reason) => this.end(reason), onFree);
    try {
      await clip.open(handed, port2, signal);
      return clip;
    } catch (error) {
      await clip.dispose();
      throw error;
    }
  }

  /** Prepares a running source with `format`; `onFree` as in `open`. */
  async openLive(
    format: SegmentFormat,
    warn: (warning: Warning) => void,
    signal: AbortSignal | undefined,
    onFree: () => void,
  ): Promise<LiveInput> {
    const input = new RemoteLiveInput(this.#remote, warn, onFree);
    try {
      await input.open(format, signal);
      return input;
    } catch (error) {
      await input.close();
      throw error;
    }
  }

  end(reason: MettleError): void {
    this.#remote.end(reason);
  }
}

class RemoteClip implements Clip {
  readonly #remote: Remote<DecodeHost>;
  readonly #watchdog: Watchdog;
  readonly #end: (reason: MettleError) => void;
  readonly #onFree: () => void;
  #described: OpenedClip | null = null;
  #disposed: Promise<void> | null = null;

  constructor(remote: Remote<DecodeHost>, watchdog: Watchdog, end: (reason: MettleError) => void, onFree: () => void) {
    this.#remote = remote;
    this.#watchdog = watchdog;
    this.#end = end;
    this.#onFree = onFree;
  }

  get duration(): number {
    return this.#described!.duration;
  }

  get segmentCount(): number {
    return this.#described!.segmentCount;
  }

  get video(): Clip['video'] {
    return this.#described!.video;
  }

  get audio(): Clip['audio'] {
    return this.#described!.audio;
  }

  get warnings(): readonly Warning[] {
    return this.#described!.warnings;
  }

  async open(
    { source, transfer }: HandedSource,
    progress: MessagePort,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const opened = this.#watchdog.during(
      this.#remote.call<OpenedClip>((host) =>
        host.open(Comlink.transfer({ source, progress }, [progress, ...transfer])),
      ),
    );
    this.#described = await untilAborted(opened, signal);
  }

  async *segments(format: SegmentFormat, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<Segment> {
    this.#demandOpen();
    const watched = <T>(call: Promise<T>): Promise<T> => untilAborted(this.#watchdog.during(call), signal);
    const pass = await watched(this.#remote.call<number>((host) => host.begin(format)));
    try {
      for (;;) {
        this.#demandOpen();
        const { segment, warnings } = await watched(this.#remote.call<NextSegment>((host) => host.next(pass)));
        this.#described!.warnings = warnings;
        if (!segment) return;
        yield segment;
      }
    } finally {
      // Not awaited: a decoder that hangs would hold up the caller.
      if (!this.#remote.ended) this.#remote.call((host) => host.stop(pass)).catch(() => {});
    }
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#close();
    return this.#disposed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Lets go of the clip; a worker that does not answer within a second is ended. */
  async #close(): Promise<void> {
    this.#watchdog.end();
    if (!this.#remote.ended) {
      const closed = this.#remote.call((host) => host.close());
      const timer = setTimeout(() => {
        this.#end(new MettleError('worker-died', 'The worker that decodes did not let go of its clip.'));
      }, patience);
      await closed.catch(() => {});
      clearTimeout(timer);
    }
    this.#onFree();
  }

  #demandOpen(): void {
    if (this.#disposed) throw disposedClip();
  }
}

function stalled(name: string, seconds: number): MettleError {
  return new MettleError('stalled', `Decoding ${name} made no progress for ${seconds} s and was ended.`, {
    hint: 'The source is probably damaged, or its server silent; re-encode it, fetch it again, or allow more time by stallSeconds.',
  });
}
