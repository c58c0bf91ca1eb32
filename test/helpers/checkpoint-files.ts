/** Checkpoint files made by hand, good and bad: ZIP archives, pickles instruction by instruction, and PyTorch files of both. */

export type Tensors = Readonly<Record<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>>;

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];
const u16 = (x: number): number[] => [x & 255, (x >> 8) & 255];
const u32 = (x: number): number[] => [...u16(x & 0xffff), ...u16(x >>> 16)];
const u64 = (x: number): number[] => [...u32(x % 2 ** 32), ...u32(Math.floor(x / 2 ** 32))];

/** Instructions of a pickle. */
export const pk = {
  global: (module: string, name: string) => [0x63, ...bytesOf(`${module}\n${name}\n`)],
  text: (text: string) => [0x58, ...u32(bytesOf(text).length), ...bytesOf(text)],
  int: (x: number) => [0x4a, ...u32(x >>> 0)],
  mark: [0x28],
  tuple: [0x74],
  emptyTuple: [0x29],
  emptyDict: [0x7d],
  emptyList: [0x5d],
  reduce: [0x52],
  newObject: [0x81],
  build: [0x62],
  setItems: [0x75],
  append: [0x61],
  persistent: [0x51],
  false: [0x89],
  none: [0x4e],
  put: (index: number) => [0x72, ...u32(index)],
  get: (index: number) => [0x6a, ...u32(index)],
};

/** A pickle of protocol 2 that ends with its STOP. */
export function pickleOf(...parts: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0x80, 2, ...parts.flat(), 0x2e]);
}

/** Instructions that rebuild a tensor over storage `key` of `numel` elements. */
export function tensorPickle(
  key: string | number,
  numel: number,
  { shape, strides = rowStrides(shape), offset = 0, type = 'FloatStorage' }: TensorShape,
): number[] {
  const counts = (xs: readonly number[]) => [...pk.mark, ...xs.flatMap(pk.int), ...pk.tuple];
  const storage = ['storage', null, String(key), 'cpu'].flatMap((part) =>
    part === null ? pk.global('torch', type) : pk.text(part),
  );
  return [
    ...pk.global('torch._utils', '_rebuild_tensor_v2'),
    ...[...pk.mark, ...pk.mark, ...storage, ...pk.int(numel), ...pk.tuple, ...pk.persistent, ...pk.int(offset)],
    ...[...counts(shape), ...counts(strides), ...pk.false, ...pk.none, ...pk.tuple, ...pk.reduce],
  ];
}

export type TensorShape = {
  shape: readonly number[];
  strides?: readonly number[];
  offset?: number;
  type?: string;
};

const rowStrides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));

export type Entry = {
  name: string;
  data: Uint8Array;
  /** What the archive says instead of the truth. */
  method?: number;
  flags?: number;
  offset?: number;
  localName?: string;
  size?: number;
};

/** A ZIP archive; in the ZIP64 form where `wide`. */
export function zipOf(entries: readonly Entry[], { wide = false } = {}): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  const directory: number[] = [];
  let at = 0;
  const add = (bytes: Uint8Array): void => {
    pieces.push(bytes);
    at += bytes.length;
  };
  for (const { name, data, method = 0, flags = 0x800, offset = at, localName = name, size = data.length } of entries) {
    const [path, local] = [bytesOf(name), bytesOf(localName)];
    const common = [...u16(0), ...u16(flags), ...u16(method), ...u32(0), ...u32(0)];
    const extra = wide ? [...u16(1), ...u16(24), ...u64(size), ...u64(size), ...u64(offset)] : [];
    const sizes = wide ? [...u32(0xffffffff), ...u32(0xffffffff)] : [...u32(size), ...u32(size)];
    directory.push(...u32(0x02014b50), ...u16(0), ...common, ...sizes, ...u16(path.length), ...u16(extra.length));
    directory.push(...u16(0), ...u16(0), ...u16(0), ...u32(0), ...u32(wide ? 0xffffffff : offset), ...path, ...extra);
    add(
      Uint8Array.from([
        ...u32(0x04034b50),
        ...common,
        ...u32(size),
        ...u32(size),
        ...u16(local.length),
        ...u16(0),
        ...local,
      ]),
    );
    add(data);
  }
  const [start, length, count] = [at, directory.length, entries.length];
  add(Uint8Array.from(directory));
  if (wide) {
    const place = at;
    const record = [...u32(0), ...u32(0), ...u64(count), ...u64(count), ...u64(length), ...u64(start)];
    add(Uint8Array.from([...u32(0x06064b50), ...u64(44), ...u16(0), ...u16(0), ...record]));
    add(Uint8Array.from([...u32(0x07064b50), ...u32(0), ...u64(place), ...u32(1)]));
  }
  const end = wide ? [0xffff, 0xffff].flatMap(u16) : [count, count].flatMap(u16);
  const where = wide ? [...u32(0xffffffff), ...u32(0xffffffff)] : [...u32(length), ...u32(start)];
  add(Uint8Array.from([...u32(0x06054b50), ...u16(0), ...u16(0), ...end, ...where, ...u16(0)]));
  const file = new Uint8Array(at);
  pieces.reduce((from, piece) => {
    file.set(piece, from);
    return from + piece.length;
  }, 0);
  return file;
}

/** As `torch.save` writes a dict of tensors, under `nested` where that is given. */
export function torchFileOf(
  tensors: Tensors,
  { nested, wide = false }: { nested?: string; wide?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const entries: Entry[] = [];
  const items = Object.entries(tensors).flatMap(([name, { shape, data }], key) => {
    entries.push({ name: `archive/data/${key}`, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    const type = data instanceof Float32Array ? 'FloatStorage' : 'LongStorage';
    return [...pk.text(name), ...tensorPickle(key, data.length, { shape, type })];
  });
  const dict = [...pk.global('collections', 'OrderedDict'), ...pk.emptyTuple, ...pk.reduce];
  const weights = [...dict, ...pk.mark, ...items, ...pk.setItems];
  const whole = nested ? [...pk.emptyDict, ...pk.mark, ...pk.text(nested), ...weights, ...pk.setItems] : weights;
  const pickle = { name: 'archive/data.pkl', data: pickleOf(whole) };
  const version = { name: 'archive/version', data: Uint8Array.from(bytesOf('3\n')) };
  return zipOf([pickle, ...entries, version], { wide });
}
