/** What to make of an error while decoding: go on behind the damage and say so once, or give up. */
import { InputDisposedError } from 'mediabunny';
import { MettleError, type Warning } from '../errors.ts';

/** Receives what should be known about a stream, perhaps often. */
export type Warn = (warning: Warning) => void;

export function damaged(what: string, time: number): Warning {
  return {
    code: 'truncated',
    message: `The ${what} is damaged near ${time.toFixed(1)} s; what could not be decoded is filled in.`,
  };
}

/** Errors that the next second would meet again. */
export function isFinal(error: unknown): boolean {
  return error instanceof MettleError || error instanceof InputDisposedError;
}
