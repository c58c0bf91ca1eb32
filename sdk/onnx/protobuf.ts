/**
 * The Protocol Buffers wire format, as much of it as ONNX needs: fields in, fields out. It knows no schema and generates no code;
 * `writer.ts` and `reader.ts` know which field number means what.
 */
import { joinBytes } from '../arrays.ts';
import { MettleError } from '../errors.ts';

/** Wire types; 3 and 4 (groups) were never used by ONNX and are refused. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of one message. Every method appends a field, in the order of the calls, and returns the writer. */
export class ProtoWriter {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** int32, int64, uint64, bool, enum. A negative number takes its 64-bit two's complement. Throws `invalid-argument` on a number that is not a safe integer. */
  varint(field: number, value: number | bigint | boolean): this {
    this.#rawVarint(field * 8 + wire.varint);
    this.#rawVarint(typeof value === 'boolean' ? Number(value) : value);
    return this;
  }

  float(field: number, value: number): this {
    this.#rawVarint(field * 8 + wire.fixed32);
    const chunk = new Uint8Array(4);
    new DataView(chunk.buffer).setFloat32(0, value, true);
    return this.#push(chunk);
  }

  /** Not copied before `finish()`: leave `value` as it is until then. */
  bytes(field: number, value: Uint8Array): this {
    this.#rawVarint(field * 8 + wire.bytes);
    this.#rawVarint(value.byteLength);
    return this.#push(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  /** A message inside this one; write nothing more to `value` afterwards. */
  message(field: number, value: ProtoWriter): this {
    this.#rawVarint(field * 8 + wire.bytes);
    this.#rawVarint(value.#length);
    for (const chunk of value.#chunks) this.#push(chunk);
    return this;
  }

  /** `repeated int64 [packed]`. An empty list writes nothing. */
  packedVarints(field: number, values: Iterable<number | bigint>): this {
    const content = new ProtoWriter();
    for (const value of values) content.#rawVarint(value);
    return content.#length === 0 ? this : this.message(field, content);
  }

  /** `repeated float [packed]`. An empty list writes nothing. */
  packedFloats(field: number, values: ArrayLike<number>): this {
    if (values.length === 0) return this;
    const view = new DataView(new ArrayBuffer(values.length * 4));
    for (let index = 0; index < values.length; index++) view.setFloat32(index * 4, values[index]!, true);
    return this.bytes(field, new Uint8Array(view.buffer));
  }

  finish(): Uint8Array<ArrayBuffer> {
    return joinBytes(this.#chunks);
  }

  #push(chunk: Uint8Array): this {
    this.#chunks.push(chunk);
    this.#length += chunk.byteLength;
    return this;
  }

  #rawVarint(value: number | bigint): void {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw new MettleError('invalid-argument', `A protobuf integer must be a safe integer or a bigint, not ${value}.`);
    }
    const chunk: number[] = [];
    if (typeof value === 'number' && value >= 0) {
      let rest = value;
      for (; rest > 127; rest = Math.floor(rest / 128)) chunk.push((rest % 128) + 128);
      chunk.push(rest);
    } else {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; rest >>= 7n) chunk.push(Number(rest & 127n) + 128);
      chunk.push(Number(rest));
    }
    this.#push(Uint8Array.from(chunk));
  }
}

/** Messages in messages deeper than this are refused: ONNX graphs nest a few levels. */
const maxDepth = 32;

function isPlain(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index]! > 127) return false;
  return true;
}

/**
 * Walks the fields of one message: `while (reader.next())`, then exactly one reading call or `skip()` for the field at hand.
 * Bytes are views, never copies. Everything throws `invalid-file` that names `place` and the byte.
 */
export class ProtoReader {
  /** Number and wire type of the field that `next()` found. */
  field = 0;
  wireType = 0;
  /** What is being read, for errors, e.g. `model.onnx: graph`. */
  place: string;
  readonly #bytes: Uint8Array;
  #view: DataView | null = null;
  /** Where `bytes` begins in the outermost message. */
  readonly #base: number;
  readonly #depth: number;
  #offset = 0;

  /** The last two are for messages in messages: see `message()`. */
  constructor(bytes: Uint8Array, place: string, base = 0, depth = 0) {
    this.place = place;
    this.#bytes = bytes;
    this.#base = base;
    this.#depth = depth;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#offset >= this.#bytes.byteLength) return false;
    const tag = this.#smallVarint();
    if (tag > 0xffff_ffff) throw this.error(`field tag ${tag} is larger than 32 bits`);
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) throw this.error('field number 0, which no message has');
    return true;
  }

  /** Passes over the field at hand. */
  skip(): void {
    if (this.wireType === wire.varint) this.#rawVarint();
    else if (this.wireType === wire.fixed64) this.#take(8);
    else if (this.wireType === wire.bytes) this.bytes();
    else if (this.wireType === wire.fixed32) this.#take(4);
    else throw this.error(`wire type ${this.wireType} in field ${this.field}, expected 0, 1, 2 or 5`);
  }

  /** A signed 64-bit integer; int32 and enums too. */
  int64(): bigint {
    this.#expect(wire.varint, 'an integer');
    return BigInt.asIntN(64, this.#rawVarint());
  }

  /** An int64 that must fit a number, between `min` and `max`. */
  integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): number {
    const byte = this.#bytes[this.#offset]!;
    const isOne = this.wireType === wire.varint && byte < 128;
    if (isOne && byte >= min && byte <= max) return this.#smallVarint();
    const value = this.int64();
    if (value < min || value > max) {
      throw this.error(`field ${this.field} is ${value}, expected an integer from ${min} to ${max}`);
    }
    return Number(value);
  }

  float(): number {
    this.#expect(wire.fixed32, 'a float');
    return this.#numbers().getFloat32(this.#take(4), true);
  }

  bytes(): Uint8Array {
    this.#expect(wire.bytes, 'bytes');
    const length = this.#smallVarint();
    if (length > this.#bytes.byteLength - this.#offset) {
      throw this.error(
        `field ${this.field} says ${length} bytes, but only ${this.#bytes.byteLength - this.#offset} are left`,
      );
    }
    const start = this.#take(length);
    return this.#bytes.subarray(start, this.#offset);
  }

  string(): string {
    const bytes = this.bytes();
    // Names are short and plain, and a decoder takes its time to begin.
    if (bytes.byteLength <= 64 && isPlain(bytes)) return String.fromCharCode.apply(null, bytes as unknown as number[]);
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.error(`field ${this.field} is not UTF-8 text`);
    }
  }

  /** A reader over the message at hand. */
  message(place: string): ProtoReader {
    if (this.#depth >= maxDepth) throw this.error(`messages are nested more than ${maxDepth} deep`);
    const content = this.bytes();
    const base = this.#base + this.#offset - content.byteLength;
    return new ProtoReader(content, place, base, this.#depth + 1);
  }

  /** The field's share of a repeated int64: all of a packed list, or the one element at hand. */
  int64s(): BigInt64Array<ArrayBuffer> {
    if (this.wireType !== wire.bytes) return BigInt64Array.of(this.int64());
    const packed = this.message(this.place);
    // The last byte of an integer is the one without the high bit.
    let count = 0;
    for (const byte of packed.#bytes) if (byte < 128) count++;
    const values = new BigInt64Array(count);
    for (let index = 0; index < count; index++) values[index] = packed.#rawVarint();
    if (packed.#offset !== packed.#bytes.byteLength) throw packed.error('the list ends inside an integer');
    return values;
  }

  /** As `int64s`, of a repeated float. */
  floats(): Float32Array<ArrayBuffer> {
    if (this.wireType !== wire.bytes) return Float32Array.of(this.float());
    return new Float32Array(this.#packed(4));
  }

  /** As `int64s`, of a repeated double. */
  doubles(): Float64Array<ArrayBuffer> {
    if (this.wireType !== wire.bytes) {
      this.#expect(wire.fixed64, 'a double');
      return Float64Array.of(this.#numbers().getFloat64(this.#take(8), true));
    }
    return new Float64Array(this.#packed(8));
  }

  /** An `invalid-file` error at the byte where the reader stands. */
  error(problem: string): MettleError {
    return new MettleError('invalid-file', `${this.place}: ${problem} (byte ${this.#base + this.#offset}).`);
  }

  /** Memory of its own with the elements of a packed list of fixed size. */
  #packed(itemBytes: number): ArrayBuffer {
    const packed = this.bytes();
    if (packed.byteLength % itemBytes !== 0) {
      throw this.error(`a packed list of ${packed.byteLength} bytes, expected a multiple of ${itemBytes}`);
    }
    return new Uint8Array(packed).buffer;
  }

  #expect(wireType: number, what: string): void {
    if (this.wireType !== wireType) {
      throw this.error(`field ${this.field} has wire type ${this.wireType}, expected ${what} (wire type ${wireType})`);
    }
  }

  #numbers(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    return this.#view;
  }

  /** Moves over `count` bytes and returns where they begin. */
  #take(count: number): number {
    const start = this.#offset;
    if (count > this.#bytes.byteLength - start) throw this.error(`field ${this.field} ends after the message`);
    this.#offset += count;
    return start;
  }

  /** An integer of up to 64 bits as the nearest number: exact up to 2^53, and beyond too large for any field or length. */
  #smallVarint(): number {
    const byte = this.#bytes[this.#offset]!;
    if (byte >= 128 || this.#offset >= this.#bytes.byteLength) return Number(this.#rawVarint());
    this.#offset++;
    return byte;
  }

  #rawVarint(): bigint {
    let low = 0;
    let high = 0n;
    for (let index = 0; index < 10; index++) {
      const byte = this.#bytes[this.#offset];
      if (byte === undefined) throw this.error('the message ends inside an integer');
      this.#offset++;
      // Seven groups of seven bits are exact in a number; a bigint for each byte would be slow.
      if (index < 7) low += (byte & 127) * 2 ** (7 * index);
      else high += BigInt(byte & 127) << BigInt(7 * index);
      if (byte < 128) return BigInt.asUintN(64, BigInt(low) + high);
    }
    throw this.error('an integer is longer than 10 bytes');
  }
}
