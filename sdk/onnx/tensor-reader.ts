/** ONNX's TensorProto: element types, and the tensor's bytes wherever the file keeps them. Part of `reader.ts`. */
import { joinBytes } from '../arrays.ts';
import type { ProtoReader } from './protobuf.ts';

/** Code in TensorProto.DataType and bits per element; a string has none. */
const elementTypes = {
  float32: [1, 32],
  uint8: [2, 8],
  int8: [3, 8],
  uint16: [4, 16],
  int16: [5, 16],
  int32: [6, 32],
  int64: [7, 64],
  string: [8, 0],
  bool: [9, 8],
  float16: [10, 16],
  float64: [11, 64],
  uint32: [12, 32],
  uint64: [13, 64],
  complex64: [14, 64],
  complex128: [15, 128],
  bfloat16: [16, 16],
  float8e4m3fn: [17, 8],
  float8e4m3fnuz: [18, 8],
  float8e5m2: [19, 8],
  float8e5m2fnuz: [20, 8],
  uint4: [21, 4],
  int4: [22, 4],
  float4e2m1: [23, 4],
} as const;

export type OnnxType = keyof typeof elementTypes;

/** Where a tensor's bytes lie in another file: `location` is relative to the model's folder, `offset` and `length` are bytes. */
export type ExternalData = { location: string; offset: number; length: number };

/** `bytes` holds the elements little-endian, rows first, whichever way the file wrote them; null if they are external or strings. */
export type OnnxTensor = {
  name: string;
  type: OnnxType;
  dims: number[];
  bytes: Uint8Array | null;
  external: ExternalData | null;
  /** The elements of a string tensor. */
  strings: string[] | null;
};

/** More dimensions than this are refused; ONNX operators take a handful. */
const maxRank = 64;
/** A list may come in this many pieces; writers use one. */
const maxPieces = 100_000;

const typeByCode = new Map(Object.entries(elementTypes).map(([type, [code]]) => [code as number, type as OnnxType]));

/** Reads an element type. Throws `invalid-file` on a code that is not known. */
export function readElementType(reader: ProtoReader): OnnxType {
  const code = reader.integer(0, 1000);
  const type = typeByCode.get(code);
  if (!type) throw reader.error(`element type ${code} is unknown`);
  return type;
}

/** Reads one tensor. Throws `invalid-file` if its bytes do not fill its shape. */
export function readTensor(reader: ProtoReader): OnnxTensor {
  const place = reader.place;
  const dims: number[] = [];
  const integers: BigInt64Array[] = [];
  const floats: (Float32Array | Float64Array)[] = [];
  const strings: string[] = [];
  const external: Record<string, string> = {};
  let name = '';
  let type: OnnxType | null = null;
  let raw: Uint8Array | null = null;
  let isExternal = false;
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) addDimensions(reader, dims);
    else if (field === 2) type = readElementType(reader);
    else if (field === 3) throw reader.error('tensors in segments are not supported');
    else if (field === 4) addPiece(reader, floats, reader.floats());
    else if (field === 5 || field === 7 || field === 11) addPiece(reader, integers, reader.int64s());
    else if (field === 6) addPiece(reader, strings, reader.string());
    else if (field === 8) {
      name = reader.string();
      reader.place = `${place} ${JSON.stringify(name)}`;
    } else if (field === 9) raw = reader.bytes();
    else if (field === 10) addPiece(reader, floats, reader.doubles());
    else if (field === 13) {
      const [key, value] = readPair(reader.message(`${reader.place}: external data`));
      if (key === 'location' || key === 'offset' || key === 'length') external[key] = value;
    } else if (field === 14) isExternal = reader.integer(0, 1) === 1;
    else reader.skip();
  }
  if (!type) throw reader.error('no element type');

  const tensor: OnnxTensor = { name, type, dims, bytes: null, external: null, strings: null };
  const elements = dims.reduce((product, size) => product * size, 1);
  const expected = Math.ceil((elements * elementTypes[type][1]) / 8);
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(expected)) {
    throw reader.error(`shape [${dims}] is larger than any file`);
  }
  if (type === 'string') {
    if (strings.length !== elements) throw reader.error(`${strings.length} strings for shape [${dims}]`);
    return { ...tensor, strings };
  }
  if (isExternal) return { ...tensor, external: externalPlace(reader, external, expected) };
  const bytes = raw ?? bytesOf(type, floats, integers);
  if (bytes.byteLength !== expected) {
    throw reader.error(`${bytes.byteLength} bytes for ${type} [${dims}], expected ${expected}`);
  }
  return { ...tensor, bytes };
}

function addDimensions(reader: ProtoReader, dims: number[]): void {
  const sizes = reader.int64s();
  if (dims.length + sizes.length > maxRank) throw reader.error(`more than ${maxRank} dimensions`);
  for (const size of sizes) {
    if (size < 0n || size > Number.MAX_SAFE_INTEGER) throw reader.error(`dimension ${dims.length} is ${size}`);
    dims.push(Number(size));
  }
}

function addPiece<T>(reader: ProtoReader, pieces: T[], piece: T): void {
  if (pieces.length >= maxPieces) throw reader.error(`a list in more than ${maxPieces} pieces`);
  pieces.push(piece);
}

/** The elements as they would stand in `raw_data`, from the fields for floats, doubles and integers. */
function bytesOf(
  type: OnnxType,
  floats: readonly (Float32Array | Float64Array)[],
  integers: readonly BigInt64Array[],
): Uint8Array {
  const itemBytes = Math.max(1, elementTypes[type][1] / 8);
  const pieces: Uint8Array[] = [];
  for (const piece of floats) pieces.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
  for (const piece of integers) {
    const bytes = new Uint8Array(piece.length * itemBytes);
    const words = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    // The low bytes of a little-endian integer come first.
    for (let index = 0; index < piece.length; index++) {
      bytes.set(words.subarray(index * 8, index * 8 + Math.min(itemBytes, 8)), index * itemBytes);
    }
    pieces.push(bytes);
  }
  if (pieces.length === 1) return pieces[0]!;
  return joinBytes(pieces);
}

/** A StringStringEntryProto. */
export function readPair(reader: ProtoReader): [key: string, value: string] {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  return [key, value];
}

function externalPlace(reader: ProtoReader, entries: Record<string, string>, expected: number): ExternalData {
  const { location, offset = '0', length = String(expected) } = entries;
  if (!location || /^[/\\]|^[A-Za-z]:|\\|(^|\/)\.\.(\/|$)/.test(location)) {
    throw reader.error(`external data at ${JSON.stringify(location ?? '')}, expected a file beside the model`);
  }
  if (!/^\d{1,16}$/.test(offset) || !Number.isSafeInteger(Number(offset) + expected)) {
    throw reader.error(`external data at offset ${JSON.stringify(offset)}, expected bytes`);
  }
  if (length !== String(expected)) throw reader.error(`external data of ${length} bytes, expected ${expected}`);
  return { location, offset: Number(offset), length: expected };
}
