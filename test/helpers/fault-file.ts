/** The file that the server with faults serves, and what it notes; for tests in Node and in a page. */

export const weightsPath = 'adapter_model.safetensors';
export const weightsBytes = 320_000;
export const chunkBytes = 16_384;

/** `sent`: bytes of the weights that went out. */
export type FaultLog = { asked: { path: string; range: string | null; sent: number }[]; sent: number };
/** Bytes that do not repeat. */
export function madeWeights(seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(weightsBytes);
  let state = seed;
  for (let at = 0; at < bytes.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
