/** `mettle backbone import`: a published checkpoint as a backbone package. */
import { usageError } from './options.ts';
import type { Io } from './types.ts';

/** Returns the exit code. */
export async function backboneImport(_argv: string[], _io: Io): Promise<number> {
  throw usageError('"mettle backbone import" is not in this build.', 'backbone');
}
