/** The near end of a running source whose sound and pictures are prepared in a decode worker. */
import * as Comlink from 'comlink';
import { untilAborted } from '../abort.ts';
import type { SegmentFormat } from '../contract/clip.ts';
import type { LiveFrame, LiveInput, LiveSecond, LiveSound } from '../contract/live.ts';
import type { Warning } from '../errors.ts';
import { isBrowserFrame } from '../media/browser-frame.ts';
import type { CutSecond, DecodeHost } from './decode-protocol.ts';
import type { Remote } from './remote.ts';

/** Frames of the browser are given away, arrays copied. Its calls reject with `worker-died` once the worker ended. */
export class RemoteLiveInput implements LiveInput {
  readonly #remote: Remote<DecodeHost>;
  readonly #warn: (warning: Warning) => void;
  readonly #onFree: () => void;
  #closed = false;

  constructor(remote: Remote<DecodeHost>, warn: (warning: Warning) => void, onFree: () => void) {
    this.#remote = remote;
    this.#warn = warn;
    this.#onFree = onFree;
  }

  open(format: SegmentFormat, signal: AbortSignal | undefined): Promise<void> {
    return untilAborted(
      this.#remote.call<void>((host) => host.openLive(format)),
      signal,
    );
  }

  sound(piece: LiveSound): Promise<void> {
    return this.#remote.call((host) => host.sound(piece));
  }

  frame(piece: LiveFrame): Promise<void> {
    const transfer = isBrowserFrame(piece.frame) ? [piece.frame as Transferable] : [];
    return this.#remote.call((host) => host.frame(Comlink.transfer(piece, transfer)));
  }

  async cut(end: number): Promise<LiveSecond> {
    const { second, warnings } = await this.#remote.call<CutSecond>((host) => host.cut(end));
    for (const warning of warnings) this.#warn(warning);
    return second;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#remote.ended) await this.#remote.call((host) => host.close()).catch(() => {});
    this.#onFree();
  }
}
