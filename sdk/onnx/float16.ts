/** IEEE 754 half precision and bfloat16 as bit patterns: the runtimes that we support have no Float16Array yet. */

const scratch = new DataView(new ArrayBuffer(4));

/** The number that a half-precision bit pattern stands for. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The nearest half-precision bit pattern, ties to even; beyond 65519 infinity. */
export function numberToHalf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // A step is the distance between two neighbours at this magnitude; below 2^-14 the format is evenly spaced.
  const exponent = magnitude < 2 ** -14 ? -14 : ((bits >>> 23) & 255) - 127;
  const steps = roundHalfToEven(magnitude * 2 ** (10 - exponent));
  // 1024 steps make the implied leading bit; rounding up to 2048 carries into the exponent by itself.
  return sign | (((exponent + 14) << 10) + steps);
}

/** Half-precision bit patterns of `values`. */
export function encodeHalf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const result = new Uint16Array(values.length);
  if (!(values instanceof Float32Array)) {
    for (let index = 0; index < values.length; index++) result[index] = numberToHalf(values[index]!);
    return result;
  }
  const patterns = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < values.length; index++) {
    const bits = patterns[index]!;
    const magnitude = bits & 0x7fffffff;
    // From 2^-14 on and below overflow, half precision is the upper part of the pattern with another exponent: 13 bits go, ties to even.
    const rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
    const plain = magnitude >= 0x38800000 && rounded < 0x47800000;
    result[index] = plain ? ((bits >>> 16) & 0x8000) | ((rounded - 0x38000000) >> 13) : numberToHalf(values[index]!);
  }
  return result;
}

/** All numbers of half precision by their pattern, made when first asked for: looking them up is ten times faster than working them out. */
let numbersOfHalf: Float32Array | undefined;

/** The numbers that half-precision bit patterns stand for; exact. */
export function decodeHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const result = new Float32Array(bits.length);
  decodeHalfInto(bits, result, 0);
  return result;
}

/** As `decodeHalf`, into a place that is there already, from `start` on. */
export function decodeHalfInto(bits: Uint16Array, into: Float32Array, start: number): void {
  numbersOfHalf ??= Float32Array.from({ length: 65536 }, (_, pattern) => halfToNumber(pattern));
  const numbers = numbersOfHalf;
  for (let index = 0; index < bits.length; index++) into[start + index] = numbers[bits[index]!]!;
}

/** The numbers that bfloat16 bit patterns stand for; exact. */
export function decodeBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const result = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index++) result[index] = bits[index]! << 16;
  return new Float32Array(result.buffer);
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest > 0.5 || (rest === 0.5 && below % 2 === 1)) return below + 1;
  return below;
}
