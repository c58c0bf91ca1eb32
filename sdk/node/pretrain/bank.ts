/**
 * Views on disk, in pieces that threads make while others are visited: `views-N.bin` holds so many views in a row, all of one length, after a line that says what
 * they were made from. A piece that is there whole is not made again.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ViewSupply } from '../../train/pretrain/pretrain.ts';
import type { View, ViewField } from '../../train/pretrain/views.ts';

/** Views of a piece. */
export const pieceSize = 128;

/** Bytes before the first view: the digest of what they were made from, as text. */
const headBytes = 64;

/** Bytes of a view; fields begin at even places. */
export const viewBytes = (fields: readonly ViewField[]): number =>
  fields.reduce((sum, field) => sum + bytesOf(field), 0);

const bytesOf = ({ type, length }: ViewField): number => (type === 'uint8' ? length + (length % 2) : 2 * length);

export const headOf = (identity: unknown): Buffer =>
  Buffer.from(createHash('sha256').update(JSON.stringify(identity)).digest('hex'));

/** Into `to`, from `offset` on. */
export function writeView(view: View, fields: readonly ViewField[], to: Buffer, offset: number): void {
  let at = offset;
  for (const field of fields) {
    const data = view[field.name]!;
    if (data.length !== field.length) throw new Error(`${field.name} has ${data.length} numbers, not ${field.length}`);
    to.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += bytesOf(field);
  }
}

/** The arrays share the bytes. */
function readView(bytes: Buffer, fields: readonly ViewField[]): View {
  const view: View = {};
  let at = bytes.byteOffset;
  for (const field of fields) {
    const { buffer } = bytes;
    view[field.name] =
      field.type === 'uint8' ? new Uint8Array(buffer, at, field.length) : new Uint16Array(buffer, at, field.length);
    at += bytesOf(field);
  }
  return view;
}

export type BankOptions = {
  folder: string;
  fields: readonly ViewField[];
  /** See `headOf`. */
  head: Buffer;
  /** Makes views from `first` on and writes `head` and them to `path`, whole or not at all. */
  make(first: number, path: string): Promise<void>;
};

/** Owns open files; close it. */
export class ViewBank implements ViewSupply {
  readonly #options: BankOptions;
  readonly #bytes: number;
  readonly #pieces = new Map<number, Promise<FileHandle>>();

  private constructor(options: BankOptions) {
    this.#options = options;
    this.#bytes = viewBytes(options.fields);
  }

  static async open(options: BankOptions): Promise<ViewBank> {
    await mkdir(options.folder, { recursive: true });
    return new ViewBank(options);
  }

  async read(view: number): Promise<View> {
    const file = await this.#piece(Math.floor(view / pieceSize));
    const bytes = Buffer.from(new ArrayBuffer(this.#bytes));
    await file.read(bytes, 0, bytes.length, headBytes + (view % pieceSize) * bytes.length);
    return readView(bytes, this.#options.fields);
  }

  /** The pieces of both stretches are made in turn, those to be read first. */
  turnTo(first: number, _end: number, next: number): void {
    const oldest = Math.floor(first / pieceSize);
    const last = Math.ceil(next / pieceSize);
    for (let piece = oldest; piece < last; piece++) this.#piece(piece).catch(() => {});
    void this.#forget(oldest);
  }

  async close(): Promise<void> {
    const pieces = [...this.#pieces.values()];
    this.#pieces.clear();
    for (const piece of pieces) await piece.then((file) => file.close()).catch(() => {});
  }

  #piece(number: number): Promise<FileHandle> {
    const found = this.#pieces.get(number) ?? this.#open(number);
    this.#pieces.set(number, found);
    return found;
  }

  async #open(number: number): Promise<FileHandle> {
    const path = join(this.#options.folder, nameOf(number));
    const there = await this.#whole(path);
    if (there) return there;
    await this.#options.make(number * pieceSize, path);
    return await open(path);
  }

  /** The file, if it is what it would be made as. */
  async #whole(path: string): Promise<FileHandle | null> {
    const file = await open(path).catch(() => null);
    if (!file) return null;
    const { size } = await file.stat();
    const head = Buffer.alloc(headBytes);
    await file.read(head, 0, headBytes, 0);
    if (size === headBytes + pieceSize * this.#bytes && head.equals(this.#options.head)) return file;
    await file.close();
    return null;
  }

  async #forget(before: number): Promise<void> {
    for (const [number, piece] of this.#pieces) {
      if (number >= before) continue;
      this.#pieces.delete(number);
      await piece.then((file) => file.close()).catch(() => {});
    }
    for (const name of await readdir(this.#options.folder).catch(() => [])) {
      const number = numberOf(name);
      if (number !== null && number < before) await rm(join(this.#options.folder, name), { force: true });
    }
  }
}

const nameOf = (piece: number): string => `views-${String(piece).padStart(8, '0')}.bin`;

function numberOf(name: string): number | null {
  const match = /^views-(\d+)\.bin$/.exec(name);
  return match ? Number(match[1]) : null;
}
