/** The far end of the decode worker: opens a clip, decodes a few seconds ahead of what is asked for, and tells that it gets on. */
import * as Comlink from 'comlink';
import { type Clip, disposedClip, type Segment, type SegmentFormat } from '../contract/clip.ts';
import type { LiveInput } from '../contract/live.ts';
import { addWarning, MettleError, type Warning } from '../errors.ts';
import { openHanded } from '../media/clip.ts';
import type { HandedSource } from '../media/handed-source.ts';
import { openLiveInput } from '../media/live-input.ts';
import type { CutSecond, DecodeHost, NextSegment, OpenedClip } from './decode-protocol.ts';
import { ownedBuffers, settle } from './remote.ts';

/** Segments that are decoded before they are asked for, so that decoder and models seldom wait for each other. */
const segmentsAhead = 3;
/** Milliseconds between two words of progress. */
const reportEvery = 250;

/** Answers at `endpoint` as {@link DecodeHost}. */
export function exposeDecoder(endpoint: Comlink.Endpoint): void {
  let opened: Opened | null = null;
  let opening = new AbortController();
  /** One after another: what is being opened is let go of before the next is. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(job: () => Promise<T>): Promise<T> => {
    const result = turn.then(job);
    turn = result.catch(() => {});
    return result;
  };
  const current = (): Opened => {
    if (opened) return opened;
    throw disposedClip();
  };
  let live: { input: LiveInput; warnings: Warning[] } | null = null;
  const running = (): LiveInput => {
    if (live) return live.input;
    throw disposedClip();
  };
  const letGo = async (): Promise<void> => {
    const [last, source] = [opened, live];
    opened = null;
    live = null;
    await last?.close();
    await source?.input.close();
  };
  const openLive = (format: SegmentFormat): Promise<void> =>
    inTurn(async () => {
      await letGo();
      const warnings: Warning[] = [];
      live = { input: openLiveInput(format, (warning) => addWarning(warnings, warning)), warnings };
    });
  const cut = async (end: number): Promise<CutSecond> => ({
    second: await running().cut(end),
    warnings: [...live!.warnings],
  });
  const close = (): Promise<void> => {
    opening.abort(new MettleError('disposed', 'The clip was disposed while it was opened.'));
    return inTurn(letGo);
  };
  const open = (source: HandedSource['source'], progress: MessagePort): Promise<OpenedClip> => {
    const controller = new AbortController();
    opening = controller;
    return inTurn(async () => {
      await letGo();
      opened = await Opened.open(source, new Progress(progress), controller.signal);
      return opened.description;
    });
  };
  const host: DecodeHost = {
    open: ({ source, progress }) => settle(open(source, progress)),
    begin: (format) => settle((async () => current().begin(format))()),
    async next(pass) {
      const outcome = await settle((async () => await current().next(pass))());
      return 'value' in outcome ? Comlink.transfer(outcome, buffersOf(outcome.value.segment)) : outcome;
    },
    stop: (pass) => settle((async () => await opened?.stop(pass))()),
    close: () => settle(close()),
    openLive: (format) => settle(openLive(format)),
    sound: (piece) => settle((async () => await running().sound(piece))()),
    frame: (piece) => settle((async () => await running().frame(piece))()),
    cut: (end) => settle(cut(end)),
  };
  Comlink.expose(host, endpoint);
}

class Opened {
  readonly #clip: Clip;
  readonly #progress: Progress;
  readonly #passes = new Map<number, Pass>();
  #lastPass = 0;

  private constructor(clip: Clip, progress: Progress) {
    this.#clip = clip;
    this.#progress = progress;
  }

  static async open(source: HandedSource['source'], progress: Progress, signal: AbortSignal): Promise<Opened> {
    const onRead = (start: number, end: number): void => progress.read(start, end);
    try {
      return new Opened(await openHanded(source, { signal, onRead }), progress);
    } catch (error) {
      progress.end();
      throw error;
    }
  }

  get description(): OpenedClip {
    const { duration, segmentCount, video, audio, warnings } = this.#clip;
    return { duration, segmentCount, video, audio, warnings: [...warnings] };
  }

  begin(format: SegmentFormat): number {
    this.#lastPass++;
    this.#passes.set(this.#lastPass, new Pass(this.#clip.segments(format), () => this.#progress.step()));
    return this.#lastPass;
  }

  async next(number: number): Promise<NextSegment> {
    const pass = this.#passes.get(number);
    if (!pass) throw new MettleError('disposed', 'The pass over the clip was ended.');
    const segment = await pass.next();
    if (!segment) this.#passes.delete(number);
    return { segment, warnings: [...this.#clip.warnings] };
  }

  async stop(number: number): Promise<void> {
    await this.#passes.get(number)?.stop();
    this.#passes.delete(number);
  }

  async close(): Promise<void> {
    for (const number of this.#passes.keys()) await this.stop(number);
    await this.#clip.dispose();
    this.#progress.end();
  }
}

/** One pass over a clip, a few segments ahead. */
class Pass {
  readonly #segments: AsyncIterator<Segment>;
  readonly #ready: Promise<Segment | null>[] = [];
  readonly #onSegment: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(segments: AsyncIterable<Segment>, onSegment: () => void) {
    this.#segments = segments[Symbol.asyncIterator]();
    this.#onSegment = onSegment;
    for (let i = 0; i < segmentsAhead; i++) this.#pull();
  }

  next(): Promise<Segment | null> {
    this.#pull();
    return this.#ready.shift()!;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#segments.return?.();
  }

  /** Asks for one more segment, after those before it: one that fails is the last. */
  #pull(): void {
    const pulled = this.#last.then(async () => {
      if (this.#stopped) return null;
      const { done, value } = await this.#segments.next();
      this.#onSegment();
      return done ? null : value;
    });
    this.#last = pulled;
    // It is asked for later; until then a failure must not count as unhandled.
    pulled.catch(() => {});
    this.#ready.push(pulled);
  }
}

/** Counts what is new: pieces of the source that were never read before, and segments. Reading the same bytes again and again is no progress. */
class Progress {
  readonly #port: MessagePort;
  readonly #seen = new Set<number>();
  readonly #timer: ReturnType<typeof setInterval>;
  #count = 0;
  #told = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#timer = setInterval(() => this.#tell(), reportEvery);
  }

  read(start: number, end: number): void {
    const piece = 1 << 16;
    for (let at = Math.floor(start / piece); at <= Math.floor((end - 1) / piece); at++) {
      if (this.#seen.has(at)) continue;
      this.#seen.add(at);
      this.#count++;
    }
  }

  step(): void {
    this.#count++;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#port.close();
  }

  #tell(): void {
    if (this.#count === this.#told) return;
    this.#told = this.#count;
    this.#port.postMessage(this.#count);
  }
}

function buffersOf(segment: Segment | null): ArrayBuffer[] {
  if (!segment) return [];
  const views = [segment.frame?.data, segment.pcm, segment.thumbnail?.data];
  return ownedBuffers(views.filter((view) => view != null));
}
