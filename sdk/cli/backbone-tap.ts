/** `mettle backbone tap`: any ONNX network as a backbone package. */
import { usageError } from './options.ts';
import type { Io } from './types.ts';

/** Returns the exit code. */
export async function backboneTap(_argv: string[], _io: Io): Promise<number> {
  throw usageError('"mettle backbone tap" is not in this build.', 'backbone');
}
