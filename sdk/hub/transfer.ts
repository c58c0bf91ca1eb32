/**
 * A file over HTTP, piece by piece: what the cache has is not asked for, every piece is hashed when its last byte is there and kept at once, and a connection that
 * breaks goes on where it broke. Bytes that are not those of the manifest end it at the piece that they are in.
 */

import { allocate } from '../contract/allocate.ts';
import type { Http } from '../contract/bytes.ts';
import { looksLike } from '../contract/looks-like.ts';
import type { FileEntry, Integrity } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';
import { offlineError } from './offline.ts';
import { type Answer, ask, isUnsatisfiable, mayPass, shown, surelyLonger } from './request.ts';
import { retrying } from './retry.ts';
import type { Digest, Shelf } from './shelf.ts';

export type Wanted = Omit<FileEntry, 'path'>;

export type TransferOptions = {
  digest: Digest;
  shelf: Shelf | null;
  stallSeconds: number;
  signal: AbortSignal;
  /** Gets the bytes that are there so far, checked or not. */
  onBytes: (received: number) => void;
};

type Piece = { start: number; end: number; integrity: Integrity; done: boolean };

/** Without `http` only what the cache has. Throws `integrity`, `not-found`, `network`, or the signal's reason. */
export async function transfer(
  http: Http | null,
  url: URL,
  wanted: Wanted,
  options: TransferOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = new Assembly(url, wanted, options);
  await file.takeFromShelf();
  if (file.next && !http) throw offlineError(url);
  let tag: string | null = null;
  let ranges = true;
  let answered = false;
  while (file.next) {
    const attempt = async (): Promise<void> => {
      const range = ranges ? file.missing(tag) : undefined;
      const answer = await ask(http!, url, { ...options, range, answered, cache: 'no-store' }).catch(
        (error: unknown) => {
          if (range && refusesRanges(http!, url, error)) ranges = false;
          throw error;
        },
      );
      answered = true;
      if (range && answer.start !== range.start && answer.start !== 0) {
        answer.end();
        ranges = false;
        throw mayPass(unfit(url, wanted, 'another part of the file than was asked for'));
      }
      if (surelyLonger(answer, wanted.bytes)) {
        answer.end();
        throw unfit(url, wanted, `${answer.stated} bytes`);
      }
      ranges = true;
      tag = answer.tag ?? tag;
      await file.fill(answer);
    };
    await retrying(attempt, () => file.furthest, options.signal);
  }
  return await file.finish();
}

/** The file there may be shorter than it should be; and a page may not ask every host of another origin for a part, of which it learns nothing but that it failed. */
const refusesRanges = (http: Http, url: URL, error: unknown): boolean =>
  isUnsatisfiable(error) || (!http.mayCompare(url) && (error as Error).cause !== undefined);

/** `integrity`, because these are not the bytes that were meant. */
export function unfit(url: URL, { bytes, integrity }: Wanted, got: string): MettleError {
  return new MettleError('integrity', `${shown(url)}: expected ${bytes} bytes with ${integrity}, got ${got}.`, {
    hint: 'The file was damaged or replaced, or the address leads elsewhere: download or publish the model again.',
  });
}

/** The file as far as it is there: whole pieces that were checked, and the beginning of the next one. */
class Assembly {
  readonly #url: URL;
  readonly #wanted: Wanted;
  readonly #options: TransferOptions;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #pieces: Piece[];
  /** Bytes of the next piece that are there, unchecked. */
  #begun = 0;
  /** Whether those bytes came with more than one answer, which may be of two versions of the file. */
  #stitched = false;
  #furthest = 0;

  constructor(url: URL, wanted: Wanted, options: TransferOptions) {
    this.#url = url;
    this.#wanted = wanted;
    this.#options = options;
    this.#bytes = allocate(wanted.bytes);
    this.#pieces = piecesOf(wanted);
  }

  /** The first piece that lacks. */
  get next(): Piece | undefined {
    return this.#pieces.find(({ done }) => !done);
  }

  /** The most bytes that ever were there. */
  get furthest(): number {
    return this.#furthest;
  }

  async takeFromShelf(): Promise<void> {
    const { shelf, signal } = this.#options;
    for (const piece of shelf ? this.#pieces : []) {
      signal.throwIfAborted();
      const bytes = await shelf!.get(piece.integrity);
      if (bytes?.byteLength !== piece.end - piece.start) continue;
      this.#bytes.set(bytes, piece.start);
      piece.done = true;
      this.#report();
    }
  }

  /** What to ask for: from the first byte that lacks to the next piece that is there. Undefined where that is the whole file. */
  missing(tag: string | null): { start: number; end: number; tag: string | null } | undefined {
    const first = this.#pieces.indexOf(this.next!);
    const after = this.#pieces.findIndex(({ done }, index) => done && index > first);
    const start = this.#pieces[first]!.start + this.#begun;
    const end = after < 0 ? this.#wanted.bytes : this.#pieces[after]!.start;
    return start === 0 && end === this.#wanted.bytes ? undefined : { start, end, tag };
  }

  /** Takes what an answer brings, as far as it lacks. Throws `integrity`, also where it ends too early, which may pass. */
  async fill(answer: Answer): Promise<void> {
    const first = this.next!;
    if (answer.start < first.start + this.#begun) this.#begun = 0;
    this.#stitched = this.#begun > 0;
    let at = answer.start;
    for await (const part of answer.parts()) {
      if (at + part.byteLength > this.#wanted.bytes) throw this.#unfit(`more than ${this.#wanted.bytes} bytes`);
      await this.#take(part, at);
      at += part.byteLength;
    }
    if (at < this.#wanted.bytes && this.next) throw this.#endedEarly(at, answer);
  }

  /** All bytes, as one file with one digest. */
  async finish(): Promise<Uint8Array<ArrayBuffer>> {
    const { digest, shelf } = this.#options;
    if (this.#pieces.length === 1 || (await digest(this.#bytes)) === this.#wanted.integrity) return this.#bytes;
    for (const { integrity } of this.#pieces) await shelf?.drop(integrity);
    throw this.#unfit('pieces as promised that together are another file');
  }

  /** Copies the bytes of one part, which begins at `at`, into the pieces that lack them. */
  async #take(part: Uint8Array, at: number): Promise<void> {
    for (let piece = this.next; piece; piece = this.next) {
      const from = piece.start + this.#begun;
      const end = Math.min(piece.end, at + part.byteLength);
      if (from < at || from >= end) return;
      this.#bytes.set(part.subarray(from - at, end - at), from);
      this.#begun = end - piece.start;
      if (end === piece.end) await this.#check(piece);
      this.#report();
    }
  }

  async #check(piece: Piece): Promise<void> {
    const { digest, shelf, signal } = this.#options;
    const whole = this.#pieces.length === 1;
    const bytes = whole ? this.#bytes : this.#bytes.slice(piece.start, piece.end);
    const found = await digest(bytes);
    signal.throwIfAborted();
    this.#begun = 0;
    if (found !== piece.integrity) {
      const got = whole
        ? `${looksLike(bytes)} with ${found}`
        : `other bytes from ${piece.start} to ${piece.end}${isPage(bytes) ? `, in ${looksLike(bytes)}` : ''}`;
      const error = this.#unfit(got);
      throw this.#stitched ? mayPass(error) : error;
    }
    this.#stitched = false;
    piece.done = true;
    await shelf?.put(piece.integrity, bytes);
  }

  #endedEarly(at: number, { contentType, start }: Answer): MettleError {
    const beginning = this.#bytes.subarray(0, at);
    const page = start === 0 && isPage(beginning);
    const error = this.#unfit(`${page ? looksLike(beginning) : `${at} bytes`}, ${contentType || 'of no type'}`);
    return page ? error : mayPass(error);
  }

  #unfit(got: string): MettleError {
    return unfit(this.#url, this.#wanted, got);
  }

  #report(): void {
    const done = this.#pieces.reduce((sum, { start, end, done }) => sum + (done ? end - start : 0), 0);
    this.#furthest = Math.max(this.#furthest, done + this.#begun);
    this.#options.onBytes(this.#furthest);
  }
}

/** Whether bytes are text that servers send in place of a file. */
const isPage = (bytes: Uint8Array): boolean => looksLike(bytes) !== `${bytes.byteLength} bytes`;

/** The pieces of a file that have digests: itself, where no smaller ones are known. */
export function piecesOf({ bytes, integrity, chunkBytes = bytes, chunks = [integrity] }: Wanted): Piece[] {
  return chunks.map((integrity, index) => ({
    start: index * chunkBytes,
    end: Math.min(bytes, (index + 1) * chunkBytes),
    integrity,
    done: false,
  }));
}
