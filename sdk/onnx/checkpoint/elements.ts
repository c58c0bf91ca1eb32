/** Element types that checkpoints hold, and their numbers as float32. */
import { decodeBfloat16, decodeHalf } from '../float16.ts';

/** Bytes per element, by the names of safetensors. */
export const elementBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

export type ElementType = keyof typeof elementBytes;

export const isElementType = (type: string): type is ElementType => Object.hasOwn(elementBytes, type);

/** Little-endian elements as float32, in memory of their own or that of `bytes`. F64 and wide integers are rounded. */
export function decodeElements(bytes: Uint8Array, type: ElementType): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = aligned(bytes, elementBytes[type]);
  const length = byteLength / elementBytes[type];
  switch (type) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, length);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, length));
    case 'F16':
      return decodeHalf(new Uint16Array(buffer, byteOffset, length));
    case 'BF16':
      return decodeBfloat16(new Uint16Array(buffer, byteOffset, length));
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
    case 'I32':
      return Float32Array.from(new Int32Array(buffer, byteOffset, length));
    case 'I16':
      return Float32Array.from(new Int16Array(buffer, byteOffset, length));
    case 'I8':
      return Float32Array.from(new Int8Array(buffer, byteOffset, length));
    default:
      return Float32Array.from(new Uint8Array(buffer, byteOffset, length));
  }
}

function aligned(bytes: Uint8Array, step: number): Uint8Array<ArrayBuffer> {
  if (bytes.byteOffset % step === 0 && bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>;
  return new Uint8Array(bytes);
}
