/** Bytes to JSON, with an error that says what the bytes were instead. */
import { MettleError } from '../errors.ts';
import { looksLike } from './looks-like.ts';

/** Throws `invalid-file` that begins with `where`. */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new MettleError('invalid-file', `${where}: expected JSON, got ${looksLike(bytes)}.`, { cause });
  }
}
