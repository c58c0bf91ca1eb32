/** Constants of a TensorFlow Lite file as numbers: floats of any kind, and integers that stand for floats by a scale and a zero point. */
import { limits } from '../contract/limits.ts';
import { decodeHalf } from '../onnx/float16.ts';
import { type Quantization, sizeOf, type TfliteTensor } from './reader.ts';
import type { ElementType } from './schema.ts';
import type { FlatFile } from './table.ts';

/** Entries of a list of sizes, axes, places. */
const mostIntegers = 1_000_000;

/** Elements of each type, from their bytes. */
const elements: Partial<Record<ElementType, (bytes: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  float32: (bytes) => new Float32Array(bytes),
  float16: (bytes) => decodeHalf(new Uint16Array(bytes)),
  bfloat16: (bytes) => new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits * 2 ** 16).buffer),
  float64: (bytes) => new Float64Array(bytes),
  int8: (bytes) => new Int8Array(bytes),
  uint8: (bytes) => new Uint8Array(bytes),
  int16: (bytes) => new Int16Array(bytes),
  uint16: (bytes) => new Uint16Array(bytes),
  int32: (bytes) => new Int32Array(bytes),
  uint32: (bytes) => new Uint32Array(bytes),
  int64: (bytes) => new BigInt64Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
};

/** Reads constants of one file. */
export class Constants {
  readonly #file: FlatFile;
  #numbers = 0;

  constructor(file: FlatFile) {
    this.#file = file;
  }

  /** In memory of its own. Throws `invalid-file` for a type that stands for no number, or where all constants together are too many. */
  floats(tensor: TfliteTensor): Float32Array<ArrayBuffer> {
    this.take(sizeOf(tensor.shape));
    const values = this.#elements(tensor);
    const floats = values instanceof Float32Array ? values : Float32Array.from(values, Number);
    if (tensor.quantization && isInteger(tensor.type)) restore(floats, tensor.shape, tensor.quantization);
    return floats as Float32Array<ArrayBuffer>;
  }

  /** Counts numbers before they are made: operators may share a constant, and each gets it in an order of its own. */
  take(count: number): void {
    this.#numbers += count;
    if (this.#numbers <= limits.tfliteNumbers) return;
    throw this.#file.error(`its constants take more than ${limits.tfliteNumbers} numbers, copies counted`);
  }

  /** Whole numbers as they stand in the file: sizes, axes, places. */
  integers(tensor: TfliteTensor): number[] {
    const count = tensor.bytes?.byteLength ?? 0;
    if (count > 8 * mostIntegers) throw this.#file.error(`"${tensor.name}" is a list of more than ${mostIntegers}`);
    if (!isInteger(tensor.type)) throw this.#file.error(`"${tensor.name}" is ${tensor.type}, expected whole numbers`);
    return count === 0 ? [] : Array.from(this.#elements(tensor), Number);
  }

  #elements({ name, type, bytes }: TfliteTensor): ArrayLike<number | bigint> {
    const read = elements[type];
    if (!read) throw this.#file.error(`constant "${name}" is ${type}, which is not supported`);
    // A copy begins where numbers of any size may; the file's own bytes need not.
    return read(new Uint8Array(bytes ?? []).buffer);
  }
}

export const isInteger = (type: ElementType): boolean => /^u?int\d/.test(type);

/** What the integers of a quantized tensor stand for at most and at least; null for types that are not rounded so. */
export function rangeOf({ type, quantization }: TfliteTensor): [number, number] | null {
  const bits = /^(u?)int(8|16)$/.exec(type);
  if (!bits || !quantization) return null;
  const [scale, zero] = [quantization.scale[0]!, quantization.zeroPoint[0]!];
  const levels = 2 ** Number(bits[2]);
  const least = bits[1] ? 0 : -levels / 2;
  return [(least - zero) * scale, (least + levels - 1 - zero) * scale];
}

/** In place: (integer - zero point) x scale, of the whole or of each index of one dimension. */
function restore(floats: Float32Array, shape: readonly number[], quantization: Quantization): void {
  const { scale, zeroPoint, dimension } = quantization;
  const inner = scale.length === 1 ? floats.length : shape.slice(dimension + 1).reduce((a, b) => a * b, 1);
  for (let i = 0; i < floats.length; i++) {
    const index = scale.length === 1 ? 0 : Math.floor(i / inner) % scale.length;
    floats[i] = (floats[i]! - zeroPoint[index]!) * scale[index]!;
  }
}
