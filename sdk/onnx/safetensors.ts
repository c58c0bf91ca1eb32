/**
 * The safetensors format: 8 bytes of header length, a JSON header, then the tensors side by side. Reading checks everything before a tensor is
 * touched, since files come from strangers; writing gives the same bytes for the same tensors. No file access here.
 */
import { MettleError } from '../errors.ts';
import { decodeBfloat16, decodeHalf } from './float16.ts';

/** Bytes per element. Types smaller than a byte are refused. */
const itemBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

export type SafetensorsType = keyof typeof itemBytes;

/** Where a tensor lies: `offset` and `length` in bytes, counted from the start of the file. */
export type TensorEntry = { dtype: SafetensorsType; shape: number[]; offset: number; length: number };

/** A tensor of a file; `bytes` is a view into it, little-endian, rows first, and not always aligned to its type. */
export type TensorView = TensorEntry & { bytes: Uint8Array };

export type SafetensorsHeader = {
  metadata: Record<string, string>;
  tensors: Map<string, TensorEntry>;
  /** Size of the whole file in bytes. */
  fileBytes: number;
};

export type Safetensors = { metadata: Record<string, string>; tensors: Map<string, TensorView> };

/** A tensor to write: `data` holds exactly the elements of `shape`, F16 as Uint16Array of bit patterns. */
export type TensorData = { dtype: SafetensorsType; shape: readonly number[]; data: ArrayBufferView };

/** Longest header that is read; the reference implementation's bound is of this order. */
const maxHeaderBytes = 25_000_000;

/** Multiple at which written tensors begin in the file as a block: enough for every element type and for a cache line. */
const dataAlignment = 64;

/**
 * Reads a whole file.
 * Throws `invalid-file` that begins with `where` and names the tensor at fault.
 */
export function readSafetensors(bytes: Uint8Array, where = 'safetensors file'): Safetensors {
  const { metadata, tensors } = headerOf(bytes, where);
  const views = new Map<string, TensorView>();
  for (const [name, entry] of tensors) {
    views.set(name, { ...entry, bytes: bytes.subarray(entry.offset, entry.offset + entry.length) });
  }
  return { metadata, tensors: views };
}

/**
 * Reads the header alone. `head` may be cut anywhere after the header, if `fileBytes` tells the size of the whole file.
 * Throws `invalid-file` that begins with `where` and names the tensor at fault.
 */
export function headerOf(head: Uint8Array, where = 'safetensors file', fileBytes = head.byteLength): SafetensorsHeader {
  const fail = (problem: string, hint?: string): never => {
    throw new MettleError('invalid-file', `${where}: ${problem}.`, { hint });
  };
  if (head.byteLength < 8) fail(`${head.byteLength} bytes, expected at least the 8 bytes of the header length`);
  const headerBytes = new DataView(head.buffer, head.byteOffset, head.byteLength).getBigUint64(0, true);
  if (headerBytes > maxHeaderBytes) fail(`header of ${headerBytes} bytes, expected at most ${maxHeaderBytes}`);
  const dataStart = 8 + Number(headerBytes);
  if (dataStart > head.byteLength)
    fail(`header of ${headerBytes} bytes in a file of ${head.byteLength} bytes`, cutShort);

  const header = parseHeader(head.subarray(8, dataStart), fail);
  const metadata = readMetadata(header.__metadata__, fail);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    tensors.set(
      name,
      readEntry(value, dataStart, (problem) => fail(`tensor ${quote(name)}: ${problem}`)),
    );
  }
  checkLayout(tensors, dataStart, fileBytes, fail);
  return { metadata, tensors, fileBytes };
}

/** The tensor called `name`, of `shape` where one is given. Throws `invalid-file`. */
export function tensorOf(file: Safetensors, name: string, shape?: readonly number[]): TensorView {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new MettleError('invalid-file', `The safetensors file has no tensor ${quote(name)}.`);
  if (shape && (shape.length !== tensor.shape.length || shape.some((size, axis) => size !== tensor.shape[axis]))) {
    throw new MettleError(
      'invalid-file',
      `Tensor ${quote(name)} of the safetensors file has shape [${tensor.shape}], expected [${shape}].`,
    );
  }
  return tensor;
}

/** Elements of an F32, F16, BF16 or F64 tensor as float32, in memory of their own. Throws `invalid-file` on any other type. */
export function toFloat32(tensor: TensorView): Float32Array<ArrayBuffer> {
  const buffer = ownBytes(tensor);
  if (tensor.dtype === 'F32') return new Float32Array(buffer);
  if (tensor.dtype === 'F16') return decodeHalf(new Uint16Array(buffer));
  if (tensor.dtype === 'BF16') return decodeBfloat16(new Uint16Array(buffer));
  if (tensor.dtype === 'F64') return Float32Array.from(new Float64Array(buffer));
  throw new MettleError('invalid-file', `A safetensors tensor is ${tensor.dtype}, expected F32, F16, BF16 or F64.`);
}

const arrayOf = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  U32: Uint32Array,
  I32: Int32Array,
  F32: Float32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
} as const;

/** The array class that holds a type's elements; F16, BF16 and F8 as bit patterns, BOOL as 0 and 1. */
export type ArrayOf<T extends SafetensorsType> = InstanceType<(typeof arrayOf)[T]>;

/** Elements of a tensor as they are stored, in memory of their own. Throws `invalid-file` if the tensor is not of type `dtype`. */
export function elementsOf<T extends SafetensorsType>(tensor: TensorView, dtype: T): ArrayOf<T> {
  if (tensor.dtype !== dtype) {
    throw new MettleError('invalid-file', `A safetensors tensor is ${tensor.dtype}, expected ${dtype}.`);
  }
  return new arrayOf[dtype](ownBytes(tensor)) as ArrayOf<T>;
}

/** Where everything of a file will lie, known before its numbers are. */
export type SafetensorsLayout = {
  /** The file up to its first tensor. */
  head: Uint8Array<ArrayBuffer>;
  /** In the order of the file, without gaps. */
  tensors: Map<string, TensorEntry>;
  fileBytes: number;
};

/**
 * Lays out a file in its one canonical form. The format forbids gaps between tensors, so those of wide types go first and, within a width, names
 * decide: every tensor then begins at a multiple of its element size. The header's keys are sorted and it is padded with spaces until the
 * tensors begin at a multiple of 64. The result can serve as ONNX external data.
 * Throws `invalid-argument` for shapes and types that cannot be.
 */
export function layoutSafetensors(
  tensors: Readonly<Record<string, Pick<TensorData, 'dtype' | 'shape'>>>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsLayout {
  const names = Object.keys(tensors).sort(compare);
  const sizes = new Map(names.map((name) => [name, bytesOf(name, tensors[name]!)]));
  const placed = [...names].sort((a, b) => itemBytes[tensors[b]!.dtype] - itemBytes[tensors[a]!.dtype]);
  const begins = new Map<string, number>();
  let dataBytes = 0;
  for (const name of placed) {
    begins.set(name, dataBytes);
    dataBytes += sizes.get(name)!;
  }

  // As text, not as an object: JSON.stringify would put names that look like numbers first.
  const fields = names.map((name) => {
    const { dtype, shape } = tensors[name]!;
    const begin = begins.get(name)!;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, begin + sizes.get(name)!] })}`;
  });
  const notes = Object.keys(metadata).sort(compare);
  if (notes.length > 0) {
    const pairs = notes.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    fields.unshift(`"__metadata__":{${pairs.join(',')}}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const dataStart = Math.ceil((8 + header.byteLength) / dataAlignment) * dataAlignment;

  const head = new Uint8Array(dataStart).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  head.set(header, 8);
  const places = placed.map((name): [string, TensorEntry] => {
    const { dtype, shape } = tensors[name]!;
    return [name, { dtype, shape: [...shape], offset: dataStart + begins.get(name)!, length: sizes.get(name)! }];
  });
  return { head, tensors: new Map(places), fileBytes: dataStart + dataBytes };
}

/** A whole file, laid out by `layoutSafetensors`. Throws `invalid-argument` where data and shape do not match. */
export function writeSafetensors(
  tensors: Readonly<Record<string, TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { head, tensors: places, fileBytes } = layoutSafetensors(tensors, metadata);
  for (const [name, { length }] of places) checkData(name, tensors[name]!, length);
  const file = new Uint8Array(fileBytes);
  file.set(head);
  for (const [name, { offset }] of places) {
    const { data } = tensors[name]!;
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  }
  return file;
}

type Fail = (problem: string, hint?: string) => never;

const cutShort = 'The file is cut short, as after a download that broke off: get it again.';

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('the header is not UTF-8 text');
  }
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    return fail('the header is not JSON');
  }
  return isObject(header) ? header : fail('the header is not a JSON object');
}

function readMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) return fail('__metadata__ is not an object of strings');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') fail(`__metadata__ ${quote(key)} is not a string`);
  }
  return value as Record<string, string>;
}

function readEntry(value: unknown, dataStart: number, fail: Fail): TensorEntry {
  if (!isObject(value)) return fail('not an object');
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const unknownField = Object.keys(others)[0];
  if (unknownField !== undefined) fail(`unknown field ${quote(unknownField)}`);
  if (typeof dtype !== 'string' || !Object.hasOwn(itemBytes, dtype)) {
    return fail(`unknown dtype ${typeof dtype === 'string' ? quote(dtype) : typeof dtype}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail('shape is not a list of non-negative integers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    return fail('data_offsets is not a pair of non-negative integers');
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) fail(`data_offsets [${begin}, ${end}] run backwards`);
  const expected = byteLength(dtype as SafetensorsType, shape);
  if (expected !== end - begin) {
    fail(`${end - begin} bytes for ${dtype} [${shape.slice(0, 16)}], expected ${expected ?? 'fewer than 2^53'}`);
  }
  return { dtype: dtype as SafetensorsType, shape, offset: dataStart + begin, length: end - begin };
}

/** The tensors must fill the rest of the file without overlap or gap. */
function checkLayout(tensors: Map<string, TensorEntry>, dataStart: number, fileBytes: number, fail: Fail): void {
  const order = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  let end = dataStart;
  for (const [name, { offset, length }] of order) {
    if (offset < end) fail(`tensor ${quote(name)}: begins at byte ${offset}, inside the tensor before it`);
    if (offset > end) fail(`tensor ${quote(name)}: begins at byte ${offset}, leaving a gap of ${offset - end} bytes`);
    end = offset + length;
    if (end > fileBytes) fail(`tensor ${quote(name)}: ends at byte ${end}, but the file has ${fileBytes}`, cutShort);
  }
  if (end !== fileBytes) fail(`${fileBytes - end} bytes after the last tensor`);
}

function bytesOf(name: string, { dtype, shape }: Pick<TensorData, 'dtype' | 'shape'>): number {
  if (name === '__metadata__') {
    throw new MettleError('invalid-argument', 'A tensor cannot be called "__metadata__": the format uses that name.');
  }
  if (!Object.hasOwn(itemBytes, dtype)) {
    throw new MettleError(
      'invalid-argument',
      `Tensor ${quote(name)}: safetensors has no type ${quote(String(dtype))}.`,
    );
  }
  const bytes = shape.every(isSize) ? byteLength(dtype, shape) : null;
  if (bytes === null) {
    throw new MettleError('invalid-argument', `Tensor ${quote(name)}: ${dtype} [${shape}] takes no size.`);
  }
  return bytes;
}

function checkData(name: string, { dtype, shape, data }: TensorData, expected: number): void {
  if (expected === data.byteLength) return;
  throw new MettleError(
    'invalid-argument',
    `Tensor ${quote(name)}: data has ${data.byteLength} bytes, but ${dtype} [${shape}] takes ${expected}.`,
  );
}

/** Bytes of a tensor; null if beyond the safe integers. */
function byteLength(dtype: SafetensorsType, shape: readonly number[]): number | null {
  let bytes: number = itemBytes[dtype];
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) return null;
  }
  return bytes;
}

function ownBytes({ bytes }: TensorView): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** By UTF-16 units, so that the order does not depend on a locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A name from a file, short enough for an error message. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
