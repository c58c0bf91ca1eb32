/** Memory in one piece, or an error that says what to do. */
import { MettleError } from '../errors.ts';

/** Zeros. Throws `device` where there is no room for them. */
export function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new MettleError('device', `There is no memory for ${bytes} bytes in one piece.`, {
      hint: 'Take a smaller form of the model, or close other programs.',
      cause,
    });
  }
}
