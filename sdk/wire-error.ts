/** Errors as plain data, so that they cross a worker whole: class, code, hint, stack and the chain of causes. */
import { type ErrorCode, MettleError } from './errors.ts';

export type WireError =
  | { kind: 'mettle'; message: string; stack?: string; code: ErrorCode; hint: string; cause?: WireError }
  | { kind: 'dom'; name: string; message: string }
  | { kind: 'error'; name: string; message: string; stack?: string; cause?: WireError }
  | { kind: 'value'; value: string | number | boolean | null | undefined };

/** Causes deeper than this are left out; a chain may be a circle. */
const maxDepth = 8;

export function toWireError(error: unknown, depth = 0): WireError {
  if (typeof DOMException !== 'undefined' && error instanceof DOMException) {
    return { kind: 'dom', name: error.name, message: error.message };
  }
  if (!(error instanceof Error)) return { kind: 'value', value: toPlain(error) };
  const { name, message, stack } = error;
  const cause = error.cause === undefined || depth >= maxDepth ? undefined : toWireError(error.cause, depth + 1);
  if (error instanceof MettleError)
    return { kind: 'mettle', message, stack, code: error.code, hint: error.hint, cause };
  return { kind: 'error', name, message, stack, cause };
}

export function fromWireError(wire: WireError): unknown {
  switch (wire.kind) {
    case 'value':
      return wire.value;
    case 'dom':
      return new DOMException(wire.message, wire.name);
    case 'mettle':
      return withStack(new MettleError(wire.code, wire.message, { hint: wire.hint, cause: causeOf(wire) }), wire.stack);
    case 'error': {
      const error = new Error(wire.message, wire.cause && { cause: causeOf(wire) });
      Object.defineProperty(error, 'name', { value: wire.name, configurable: true, writable: true });
      return withStack(error, wire.stack);
    }
  }
}

function causeOf({ cause }: { cause?: WireError }): unknown {
  return cause && fromWireError(cause);
}

function withStack(error: Error, stack: string | undefined): Error {
  if (stack !== undefined) error.stack = stack;
  return error;
}

function toPlain(value: unknown): string | number | boolean | null | undefined {
  if (value === null || value === undefined) return value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return String(value);
}
