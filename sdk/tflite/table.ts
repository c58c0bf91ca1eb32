/**
 * Tables of a flatbuffer from a stranger. `flatbuffers` reads numbers and trusts every offset; here each offset is checked against the file before anything is read
 * there, and what is copied out of it counts against a budget, so that a small file cannot ask for much. Knows no schema: fields are numbers.
 */
import { ByteBuffer } from 'flatbuffers';
import { limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';

/** Bytes of a name that are read; fused layers are called by all that went into them. */
const nameBytes = 1024;

const decoder = new TextDecoder();

/** A file and how much of it was asked for. */
export class FlatFile {
  readonly bytes: Uint8Array;
  readonly where: string;
  readonly buffer: ByteBuffer;
  #items = 0;

  /** `where` begins every error. */
  constructor(bytes: Uint8Array, where: string) {
    this.bytes = bytes;
    this.where = where;
    this.buffer = new ByteBuffer(bytes);
  }

  /** The table that the file is. */
  root(name: string): FlatTable {
    return new FlatTable(this, this.indirect(0, name), name);
  }

  /** The place that an offset at `at` points to. */
  indirect(at: number, name: string): number {
    this.demand(at, 4, name);
    const place = at + this.buffer.readUint32(at);
    this.demand(place, 4, name);
    return place;
  }

  /** Throws unless `length` bytes from `at` on lie in the file. */
  demand(at: number, length: number, name: string): void {
    if (at >= 0 && length >= 0 && at + length <= this.bytes.byteLength) return;
    throw this.error(`${name} lies at byte ${at}, ${length} bytes, and the file has ${this.bytes.byteLength}`);
  }

  take(items: number): void {
    this.#items += items;
    if (this.#items > limits.tfliteItems)
      throw this.error(`more than ${limits.tfliteItems} numbers and names in its lists`);
  }

  error(problem: string): MettleError {
    return new MettleError('invalid-file', `${this.where}: ${problem}.`, {
      hint: 'The file is damaged, or no TensorFlow Lite model: get it again.',
    });
  }
}

/** One table. Fields that the file leaves out have the value that the schema gives them, which the caller names. */
export class FlatTable {
  readonly file: FlatFile;
  /** For errors, e.g. `operator 3`. */
  readonly name: string;
  readonly #at: number;
  readonly #fields: number;
  /** Bytes of the list of fields. */
  readonly #length: number;

  constructor(file: FlatFile, at: number, name: string) {
    this.file = file;
    this.name = name;
    this.#at = at;
    file.take(1);
    file.demand(at, 4, name);
    this.#fields = at - file.buffer.readInt32(at);
    file.demand(this.#fields, 4, name);
    this.#length = file.buffer.readUint16(this.#fields);
    file.demand(this.#fields, this.#length, name);
  }

  has(field: number): boolean {
    return this.#place(field) !== null;
  }

  int32(field: number, otherwise = 0): number {
    const at = this.#scalar(field, 4);
    return at === null ? otherwise : this.file.buffer.readInt32(at);
  }

  uint32(field: number, otherwise = 0): number {
    const at = this.#scalar(field, 4);
    return at === null ? otherwise : this.file.buffer.readUint32(at);
  }

  int8(field: number, otherwise = 0): number {
    const at = this.#scalar(field, 1);
    return at === null ? otherwise : this.file.buffer.readInt8(at);
  }

  float32(field: number, otherwise = 0): number {
    const at = this.#scalar(field, 4);
    return at === null ? otherwise : this.file.buffer.readFloat32(at);
  }

  /** An uint64 that is a place in a file. */
  size(field: number): number {
    const at = this.#scalar(field, 8);
    return at === null ? 0 : Number(this.file.buffer.readUint64(at));
  }

  text(field: number): string {
    const found = this.#vector(field, 1);
    if (!found) return '';
    const length = Math.min(found.length, nameBytes);
    this.file.take(length);
    return decoder.decode(this.file.bytes.subarray(found.at, found.at + length));
  }

  table(field: number, name: string): FlatTable | null {
    const at = this.#place(field);
    return at === null ? null : new FlatTable(this.file, this.file.indirect(at, name), name);
  }

  /** `name` gets the index behind it. */
  tables(field: number, name: string): FlatTable[] {
    const found = this.#vector(field, 4);
    if (!found) return [];
    this.file.take(found.length);
    return Array.from({ length: found.length }, (_, index) => {
      const title = `${name} ${index}`;
      return new FlatTable(this.file, this.file.indirect(found.at + 4 * index, title), title);
    });
  }

  int32s(field: number): number[] | null {
    return this.#numbers(field, 4, (at) => this.file.buffer.readInt32(at));
  }

  float32s(field: number): number[] | null {
    return this.#numbers(field, 4, (at) => this.file.buffer.readFloat32(at));
  }

  /** As numbers: zero points are small. */
  int64s(field: number): number[] | null {
    return this.#numbers(field, 8, (at) => Number(this.file.buffer.readInt64(at)));
  }

  /** A view, not a copy. */
  bytes(field: number): Uint8Array | null {
    const found = this.#vector(field, 1);
    return found && this.file.bytes.subarray(found.at, found.at + found.length);
  }

  error(problem: string): MettleError {
    return this.file.error(`${this.name}: ${problem}`);
  }

  #numbers(field: number, itemBytes: number, read: (at: number) => number): number[] | null {
    const found = this.#vector(field, itemBytes);
    if (!found) return null;
    this.file.take(found.length);
    return Array.from({ length: found.length }, (_, index) => read(found.at + itemBytes * index));
  }

  #vector(field: number, itemBytes: number): { at: number; length: number } | null {
    const place = this.#place(field);
    if (place === null) return null;
    const at = this.file.indirect(place, this.name);
    const length = this.file.buffer.readUint32(at);
    this.file.demand(at + 4, length * itemBytes, this.name);
    return { at: at + 4, length };
  }

  #scalar(field: number, bytes: number): number | null {
    const at = this.#place(field);
    if (at !== null) this.file.demand(at, bytes, this.name);
    return at;
  }

  /** Where the field's value or offset lies; null where the table does not have it. */
  #place(field: number): number | null {
    const entry = 4 + 2 * field;
    if (entry + 2 > this.#length) return null;
    const offset = this.file.buffer.readUint16(this.#fields + entry);
    return offset === 0 ? null : this.#at + offset;
  }
}
