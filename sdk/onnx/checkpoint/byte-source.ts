/** Bytes that are read piece by piece, so that a file larger than memory can be looked into. Opens no files itself. */
import { MettleError } from '../../errors.ts';

/** Bytes of any number, read piece by piece. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on, in memory that the source will not change again. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes that are in memory already; what is read are views of them. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** Makes errors of one file: `invalid-file`, with its name in front. */
export type Fail = (problem: string, hint?: string) => never;

export function failIn(where: string): Fail {
  return (problem, hint) => {
    throw new MettleError('invalid-file', `${where}: ${problem}.`, { hint });
  };
}

/** `source.read`, with numbers that came from the file itself. Throws through `fail` where they point outside; `what` says which part was meant. */
export async function readPart(
  source: ByteSource,
  offset: number,
  length: number,
  what: string,
  fail: Fail,
): Promise<Uint8Array> {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    return fail(`${what} has an impossible place`);
  }
  if (offset + length > source.size) {
    return fail(
      `${what} ends at byte ${offset + length}, but the file has ${source.size}`,
      'The file is cut short or damaged: get it again.',
    );
  }
  const bytes = await source.read(offset, length);
  if (bytes.byteLength !== length) {
    return fail(`${what}: ${bytes.byteLength} of ${length} bytes could be read`, 'Did the file change meanwhile?');
  }
  return bytes;
}

/** A name from a file, short enough for an error message. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
