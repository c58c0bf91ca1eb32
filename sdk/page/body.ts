/** Bytes that arrive in pieces, put together in one piece of memory that never grows beyond what was allowed. */
import type { ByteLimit } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';

/** Without a size that is known beforehand, memory begins with so much and doubles. */
const firstRoom = 2 ** 20;

export class Body {
  readonly #limit: ByteLimit | undefined;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `size` is what the server or the disk says, null where they say nothing. Throws the limit's error before memory is taken, or `device` where there is none left. */
  constructor(size: number | null, limit?: ByteLimit) {
    if (size !== null && limit && size > limit.bytes) throw limit.exceeded(size);
    this.#limit = limit;
    this.#bytes = allocate(size ?? Math.min(firstRoom, limit?.bytes ?? firstRoom));
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Throws the limit's error where the body becomes longer. */
  push(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength;
    if (this.#limit && length > this.#limit.bytes) throw this.#limit.exceeded(length);
    if (length > this.#bytes.byteLength) {
      const grown = allocate(Math.max(length, Math.min(2 * this.#bytes.byteLength, this.#limit?.bytes ?? Infinity)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** All bytes. They fill their buffer where the size was known, so that it can be transferred. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#bytes.byteLength ? this.#bytes : this.#bytes.slice(0, this.#length);
  }
}

function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new MettleError('device', `There is no memory for ${bytes} bytes in one piece.`, {
      hint: 'Take a smaller form of the model, or close other programs.',
      cause,
    });
  }
}
