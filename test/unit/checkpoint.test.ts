/** Checkpoint containers: what is read out of good files, and how bad ones are refused. Files are made by `helpers/checkpoint-files.ts`. */
import { describe, expect, test } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { type ByteSource, memorySource } from '../../sdk/onnx/checkpoint/byte-source.ts';
import { openCheckpoint } from '../../sdk/onnx/checkpoint/checkpoint.ts';
import type { Checkpoint } from '../../sdk/onnx/checkpoint/types.ts';
import { encodeHalf } from '../../sdk/onnx/float16.ts';
import { writeSafetensors } from '../../sdk/onnx/safetensors.ts';
import { type Entry, pickleOf, pk, tensorPickle, torchFileOf, zipOf } from '../helpers/checkpoint-files.ts';
import { brokenCopies } from './fuzz.ts';

const open = (bytes: Uint8Array): Promise<Checkpoint> => openCheckpoint(memorySource(bytes), 'x.pth');
const numbers = async (file: Checkpoint, name: string): Promise<number[]> => [
  ...(await file.tensors.get(name)!.read()),
];
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

async function refusal(bytes: Uint8Array): Promise<MettleError> {
  const error = await open(bytes).then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(MettleError);
  expect((error as MettleError).code).toBe('invalid-file');
  expect((error as MettleError).message).toMatch(/^x\.pth: /);
  return error as MettleError;
}

const good = {
  a: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  b: { shape: [2], data: BigInt64Array.of(7n, -8n) },
};

describe('good files', () => {
  test.each([undefined, 'model', 'state_dict'])('PyTorch, weights under %s', async (nested) => {
    for (const wide of [false, true]) {
      const file = await open(torchFileOf(good, { nested, wide }));
      expect(file).toMatchObject({ container: 'PyTorch', nested: nested ?? null, others: [] });
      expect([...file.tensors.keys()]).toEqual(['a', 'b']);
      expect(file.tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [2, 3], bytes: 24 });
      expect(await numbers(file, 'a')).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await numbers(file, 'b')).toEqual([7, -8]);
    }
  });

  test('safetensors, all types as float32', async () => {
    const file = await open(
      writeSafetensors({
        f: { dtype: 'F32', shape: [2], data: Float32Array.of(0.5, -1) },
        h: { dtype: 'F16', shape: [2], data: encodeHalf([0.5, -1]) },
        b: { dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3f80) },
        d: { dtype: 'F64', shape: [1], data: Float64Array.of(0.25) },
        i: { dtype: 'I64', shape: [1], data: BigInt64Array.of(-5n) },
        u: { dtype: 'U8', shape: [], data: Uint8Array.of(200) },
      }),
    );
    expect(file.container).toBe('safetensors');
    const read = Object.fromEntries(
      await Promise.all([...file.tensors.keys()].map(async (name) => [name, await numbers(file, name)])),
    );
    expect(read).toEqual({ f: [0.5, -1], h: [0.5, -1], b: [1], d: [0.25], i: [-5], u: [200] });
  });

  test('views are gathered by their strides', async () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const views: [string, number[]][] = [
      ['turned', tensorPickle(0, 12, { shape: [4, 3], strides: [1, 4] })],
      ['part', tensorPickle(0, 12, { shape: [2, 2], strides: [4, 2], offset: 1 })],
      ['spread', tensorPickle(0, 12, { shape: [2, 3], strides: [0, 1], offset: 9 })],
      ['empty', tensorPickle(0, 12, { shape: [0, 3], strides: [3, 1] })],
    ];
    const items = views.flatMap(([name, tensor]) => [...pk.text(name), ...tensor]);
    const file = await open(archive([pk.emptyDict, pk.mark, items, pk.setItems], [new Uint8Array(data.buffer)]));
    expect(await numbers(file, 'turned')).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    expect(await numbers(file, 'part')).toEqual([1, 3, 5, 7]);
    expect(await numbers(file, 'spread')).toEqual([9, 10, 11, 9, 10, 11]);
    expect(await numbers(file, 'empty')).toEqual([]);
  });

  test('a tensor beyond 4 GiB is read from its place', async () => {
    // A ZIP64 archive of which only the ends exist: a storage of 5 GiB, then the pickle, then the directory.
    const hole = 5 * 2 ** 30;
    const small = zipOf(
      [
        { name: 'archive/data/0', data: new Uint8Array(0), size: hole },
        { name: 'archive/data.pkl', data: last(hole / 4), offset: 44 + hole },
      ],
      { wide: true },
    );
    const file = await openCheckpoint(withHole(small, 44, hole), 'large.pth');
    expect(await numbers(file, 'end')).toEqual([0.5, 0.5]);
  });

  const last = (numel: number): Uint8Array =>
    pickleOf(
      ...[pk.emptyDict, pk.mark, pk.text('end')],
      tensorPickle(0, numel, { shape: [2], offset: numel - 2 }),
      pk.setItems,
    );

  /** `bytes` with `length` bytes of the float 0.5 put in at `at`; places in the records of the end move along. */
  function withHole(bytes: Uint8Array, at: number, length: number): ByteSource {
    const moved = bytes.slice();
    const view = new DataView(moved.buffer);
    const end = moved.length - 22;
    const record = end - 20 - 56;
    view.setBigUint64(record + 48, view.getBigUint64(record + 48, true) + BigInt(length), true);
    view.setBigUint64(end - 20 + 8, BigInt(record + length), true);
    const half = new Uint8Array(Float32Array.of(0.5).buffer);
    return {
      size: moved.length + length,
      read: async (offset, count) =>
        Uint8Array.from({ length: count }, (_, i) => {
          const place = offset + i;
          if (place < at) return moved[place]!;
          return place < at + length ? half[(place - at) % 4]! : moved[place - length]!;
        }),
    };
  }
});

/** A PyTorch file of these instructions and storages. */
function archive(
  parts: readonly (readonly number[])[],
  storages: readonly Uint8Array[] = [],
  more: Entry[] = [],
): Uint8Array {
  return zipOf([
    { name: 'archive/data.pkl', data: pickleOf(...parts) },
    ...storages.map((data, key) => ({ name: `archive/data/${key}`, data })),
    ...more,
  ]);
}

const weight = (tensor: readonly number[]): number[][] => [
  pk.emptyDict,
  pk.mark,
  pk.text('w'),
  [...tensor],
  pk.setItems,
];
const four = new Uint8Array(16);

describe('bad archives', () => {
  const data = { name: 'archive/data.pkl', data: pickleOf(...weight(tensorPickle(0, 4, { shape: [4] }))) };
  const storage = { name: 'archive/data/0', data: four };
  test.each<[string, Uint8Array, RegExp]>([
    ['compressed', zipOf([data, { ...storage, method: 8 }]), /"archive\/data\/0" is compressed/],
    ['encrypted', zipOf([data, { ...storage, flags: 1 }]), /"archive\/data\/0" is encrypted/],
    [
      'overlapping',
      zipOf([data, storage, { name: 'archive/data/1', data: four, offset: 0, localName: 'archive/data.pkl' }]),
      /overlaps/,
    ],
    ['beyond the directory', zipOf([data, { ...storage, size: 17 }]), /overlaps the directory/],
    ['beyond the file', zipOf([data, { ...storage, size: 2 ** 31 }]), /overlaps the directory/],
    ['offset beyond the file', zipOf([data, { ...storage, offset: 2 ** 31 }]), /ends at byte/],
    ['twice the same', zipOf([data, storage, storage]), /two entries are called/],
    ['another name inside', zipOf([data, { ...storage, localName: 'archive/data/1' }]), /say different things/],
    ['climbing', zipOf([data, { name: 'archive/../data/0', data: four }]), /does not belong/],
    ['absolute', zipOf([data, { name: '/archive/data/0', data: four }]), /does not belong/],
    ['backslashes', zipOf([data, { name: 'archive\\data\\0', data: four }]), /does not belong/],
    ['two folders', zipOf([data, { name: 'other/data/0', data: four }]), /no single folder/],
    ['no pickle', zipOf([storage]), /no single folder with a data\.pkl/],
    ['TorchScript', zipOf([data, storage, { name: 'archive/constants.pkl', data: four }]), /TorchScript/],
    ['big-endian', zipOf([data, storage, { name: 'archive/byteorder', data: ascii('big') }]), /byte order "big"/],
    ['no storage', zipOf([data]), /tensor "w": its storage 0 is not in the file/],
    ['short storage', zipOf([data, { name: 'archive/data/0', data: four.subarray(4) }]), /12 bytes, expected 16/],
  ])('%s', async (_, bytes, message) => {
    expect((await refusal(bytes)).message).toMatch(message);
  });

  test('cut anywhere', async () => {
    const whole = torchFileOf(good);
    for (let length = 16; length < whole.length; length += 7) await refusal(whole.slice(0, length));
  });

  test.each<[string, readonly number[], RegExp]>([
    ['beyond its storage', tensorPickle(0, 4, { shape: [5] }), /reaches beyond its storage/],
    ['offset beyond its storage', tensorPickle(0, 4, { shape: [1], offset: 4 }), /reaches beyond/],
    ['strides beyond its storage', tensorPickle(0, 4, { shape: [2], strides: [4] }), /reaches beyond/],
    ['negative strides', tensorPickle(0, 4, { shape: [2], strides: [-1] }), /impossible shape/],
    ['negative sizes', tensorPickle(0, 4, { shape: [-2], strides: [1] }), /impossible shape/],
    ['more elements than can be', tensorPickle(0, 4, { shape: [2 ** 30, 2 ** 30], strides: [0, 0] }), /reaches beyond/],
    ['other rank than strides', tensorPickle(0, 4, { shape: [2, 2], strides: [1] }), /impossible shape/],
    ['unknown storage', tensorPickle(0, 4, { shape: [4], type: 'ComplexFloatStorage' }), /torch\.ComplexFloatStorage/],
    ['path as storage', tensorPickle('../../x', 4, { shape: [4] }), /storage without a number/],
  ])('a tensor %s', async (_, tensor, message) => {
    expect((await refusal(archive(weight(tensor), [four]))).message).toMatch(message);
  });

  test('no weights: says what is there', async () => {
    const items = [pk.emptyDict, pk.mark, pk.text('epoch'), pk.int(3), pk.setItems];
    expect((await refusal(archive(items))).message).toMatch(/no weights .*it holds "epoch"/);
    expect((await refusal(archive([pk.emptyList]))).message).toMatch(/no dict of weights/);
  });
});

test.each<[string, number[] | string, RegExp, RegExp]>([
  ['old PyTorch', [0x80, 2, 0x8a, 10, 0x6c, 0xfc], /before 1\.6/, /torch\.save\(torch\.load/],
  ['gzip', [0x1f, 0x8b, 8, 0, 0], /gzip/, /Download/],
  ['HDF5', [0x89, 0x48, 0x44, 0x46, 0x0d], /HDF5/, /Download/],
  ['Git LFS pointer', 'version https://git-lfs', /Git LFS/, /Download/],
  ['web page', '<!doctype html>', /web page/, /Download/],
  ['empty', [], /empty/, /^$/],
  ['noise', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], /unknown kind/, /Download/],
])('%s is called by its name', async (_, bytes, message, hint) => {
  const error = await refusal(typeof bytes === 'string' ? ascii(bytes) : Uint8Array.from(bytes));
  expect(error.message).toMatch(message);
  expect(error.hint).toMatch(hint);
});

test('broken copies give weights or an error with a place', async () => {
  let refused = 0;
  for (const whole of [torchFileOf(good, { nested: 'model' }), torchFileOf(good, { wide: true })]) {
    for (const bytes of brokenCopies(whole, 3000, 7)) {
      try {
        const file = await open(bytes);
        for (const tensor of file.tensors.values()) expect(tensor.bytes).toBeLessThanOrEqual(bytes.length);
        for (const tensor of file.tensors.values()) if (tensor.shape.every((size) => size < 1000)) await tensor.read();
      } catch (error) {
        refused++;
        if (!(error instanceof MettleError)) throw new Error(`no MettleError for ${[...bytes]}`, { cause: error });
        expect(error.code).toBe('invalid-file');
        expect(error.message).toMatch(/^x\.pth: /);
        expect(error.message.length).toBeLessThan(1000);
      }
    }
  }
  expect(refused).toBeGreaterThan(1500);
});
