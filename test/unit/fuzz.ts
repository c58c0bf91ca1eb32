/** Broken copies of a good file, the same in every run: for readers of bytes that strangers made. */
import { expect } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';

/** Numbers in [0, 1), by a 32-bit xorshift generator. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** `count` variations of `good`: noise, flipped bits, cut ends, extreme bytes, moved and doubled pieces. */
export function* brokenCopies(good: Uint8Array, count: number, seed = 1): Generator<Uint8Array> {
  const random = randomNumbers(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let index = 0; index < count; index++) {
    const kind = index % 5;
    if (kind === 0) {
      yield Uint8Array.from({ length: below(200) }, () => below(256));
    } else if (kind === 1) {
      const copy = good.slice();
      for (let flips = 1 + below(4); flips > 0; flips--) copy[below(copy.length)]! ^= 1 << below(8);
      yield copy;
    } else if (kind === 2) {
      yield good.slice(0, below(good.length));
    } else if (kind === 3) {
      const copy = good.slice();
      copy.fill([0, 0x7f, 0x80, 0xff][below(4)]!, below(copy.length), below(copy.length) + 1 + below(9));
      yield copy;
    } else {
      const copy = good.slice();
      const start = below(copy.length);
      copy.copyWithin(below(copy.length), start, start + below(40));
      yield copy;
    }
  }
}

/** Fails unless `read` returns, or throws a MettleError with this code and a message that begins with `place`. Returns how many threw. */
export function survives(copies: Iterable<Uint8Array>, place: string, read: (bytes: Uint8Array) => unknown): number {
  let refused = 0;
  for (const bytes of copies) {
    try {
      read(bytes);
    } catch (error) {
      refused++;
      if (!(error instanceof MettleError)) throw new Error(`no MettleError for ${[...bytes]}`, { cause: error });
      expect(error.code).toBe('invalid-file');
      expect(error.message.startsWith(place)).toBe(true);
      expect(error.message.length).toBeLessThan(1000);
    }
  }
  return refused;
}
