/** Wave files. */

/** 16 bit, mono; `sound` beyond -1 and 1 is cut off there. */
export function encodeWav(sound: Float32Array, rate: number): Uint8Array {
  const bytes = Buffer.alloc(44 + 2 * sound.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + 2 * sound.length, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(2 * rate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * sound.length, 40);
  sound.forEach((value, i) => bytes.writeInt16LE(Math.round(32767 * Math.min(1, Math.max(-1, value))), 44 + 2 * i));
  return bytes;
}
