/** What a failure looks like on the terminal, and which exit code it gives. */
import { spacedLine } from '../contract/plain-text.ts';
import { type ErrorCode, MettleError } from '../errors.ts';
import { oneLine } from './terminal.ts';
import type { Io } from './types.ts';

/** Failures that the user cannot help. */
const FAULTS: readonly ErrorCode[] = ['internal', 'worker-died', 'disposed'];

/** Whether it is one that the user can mend. */
const isKnown = (error: unknown): error is MettleError => error instanceof MettleError && !FAULTS.includes(error.code);

/** The exit code that a failure gives: 1 for a fault of ours, 2 for what the user can mend. */
export const exitCodeOf = (error: unknown): 1 | 2 => (isKnown(error) ? 2 : 1);

/** Prints `mettle: message` and `hint: ...`, each on one line, and returns 1 for a fault of ours or 2 for what the user can mend. */
export function reportError(
  error: unknown,
  io: Pick<Io, 'stderr'>,
  options: { verbose: boolean; subject?: string },
): 1 | 2 {
  const known = isKnown(error);
  const message = error instanceof Error ? error.message : String(error);
  const hint =
    (error instanceof MettleError && error.hint) ||
    (known ? 'Run "mettle --help" to see what can be given.' : 'Run again with --verbose to see where it happened.');
  const subject = options.subject && !message.includes(options.subject) ? `${options.subject}: ` : '';
  io.stderr.write(
    `mettle: ${oneLine(`${known ? '' : 'internal fault: '}${subject}${message}`)}\nhint: ${oneLine(hint)}\n`,
  );
  if (options.verbose) {
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      io.stderr.write(`${(cause.stack ?? cause.message).split('\n').map(spacedLine).join('\n')}\n`);
  }
  return exitCodeOf(error);
}
