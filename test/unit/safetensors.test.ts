import { describe, expect, test } from 'vitest';
import { decodeHalf, encodeHalf, halfToNumber, numberToHalf } from '../../sdk/onnx/float16.ts';
import {
  elementsOf,
  headerOf,
  readSafetensors,
  tensorOf,
  toFloat32,
  writeSafetensors,
} from '../../sdk/onnx/safetensors.ts';
import { brokenCopies, survives } from './fuzz.ts';

/** A file with this header text and this many bytes of data after it. */
function file(header: string | Uint8Array, dataBytes = 0): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

/** Message of the `invalid-file` error that reading these bytes throws. */
function problemOf(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes, 'weights of "toy"');
  } catch (error) {
    expect(error).toMatchObject({ name: 'MettleError', code: 'invalid-file' });
    return (error as Error).message;
  }
  throw new Error('expected an error');
}

const tensors = {
  scale: { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 3, 0.5, 1e-20, 6) },
  bytes: { dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) },
  index: { dtype: 'I64', shape: [2], data: BigInt64Array.of(-5n, 2n ** 62n) },
  half: { dtype: 'F16', shape: [4], data: encodeHalf([1, -0.5, 65504, 2 ** -24]) },
  empty: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
  scalar: { dtype: 'F64', shape: [], data: Float64Array.of(Math.PI) },
} as const;

describe('writing and reading', () => {
  test('gives every tensor back', () => {
    const read = readSafetensors(writeSafetensors(tensors, { made: 'by a test' }));
    expect(read.metadata).toEqual({ made: 'by a test' });
    expect([...read.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
      const tensor = tensorOf(read, name, shape);
      expect(elementsOf(tensor, dtype)).toEqual(data);
    }
    expect(toFloat32(tensorOf(read, 'half'))).toEqual(Float32Array.of(1, -0.5, 65504, 2 ** -24));
    expect(toFloat32(tensorOf(read, 'scalar'))[0]).toBe(Math.fround(Math.PI));
  });

  test('bytes depend on the tensors, not on the order in which they were named', () => {
    const backwards = Object.fromEntries(Object.entries(tensors).reverse());
    expect(writeSafetensors(backwards, { b: '2', a: '1' })).toEqual(writeSafetensors(tensors, { a: '1', b: '2' }));
  });

  test('is this file, byte for byte', () => {
    const written = writeSafetensors({
      b: { dtype: 'U8', shape: [1], data: Uint8Array.of(9) },
      a: { dtype: 'U8', shape: [1], data: Uint8Array.of(8) },
      10: { dtype: 'U16', shape: [1], data: Uint16Array.of(257) },
    });
    const header =
      '{"10":{"dtype":"U16","shape":[1],"data_offsets":[0,2]},' +
      '"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},' +
      '"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}';
    const padded = file(header.padEnd(192 - 8), 4);
    padded.set([1, 1, 8, 9], 192);
    expect(written).toEqual(padded);
  });

  test('header offsets point into the file, aligned to the element size', () => {
    const bytes = writeSafetensors(tensors);
    const { tensors: entries, fileBytes } = headerOf(bytes);
    expect(fileBytes).toBe(bytes.byteLength);
    expect(Math.min(...[...entries.values()].map(({ offset }) => offset)) % 64).toBe(0);
    for (const [name, { data }] of Object.entries(tensors)) {
      const { offset, length } = entries.get(name)!;
      expect(offset % data.BYTES_PER_ELEMENT).toBe(0);
      expect(bytes.slice(offset, offset + length)).toEqual(new Uint8Array(data.buffer));
    }
  });

  test('the header can be read from the beginning of a large file', () => {
    const bytes = writeSafetensors(tensors);
    const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerOf(bytes.subarray(0, headerEnd), 'big', bytes.byteLength)).toEqual(headerOf(bytes));
    expect(() => headerOf(bytes.subarray(0, headerEnd - 1), 'big', bytes.byteLength)).toThrow(/^big: header of/);
  });

  test('unaligned tensors of other writers are read', () => {
    const header =
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}';
    const bytes = file(header, 5);
    new DataView(bytes.buffer).setFloat32(bytes.byteLength - 4, 1.25, true);
    expect(toFloat32(tensorOf(readSafetensors(bytes), 'b'))).toEqual(Float32Array.of(1.25));
  });

  test('data that does not fill its shape is refused', () => {
    const wrong = { a: { dtype: 'F32', shape: [3], data: new Float32Array(2) } } as const;
    expect(() => writeSafetensors(wrong)).toThrow('Tensor "a": data has 8 bytes, but F32 [3] takes 12.');
  });

  test('asking for what is not there names it', () => {
    const read = readSafetensors(writeSafetensors(tensors));
    expect(() => tensorOf(read, 'shift')).toThrow('no tensor "shift"');
    expect(() => tensorOf(read, 'scale', [3, 2])).toThrow('has shape [2,3], expected [3,2]');
    expect(() => elementsOf(tensorOf(read, 'scale'), 'I64')).toThrow('is F32, expected I64');
    expect(() => toFloat32(tensorOf(read, 'index'))).toThrow('is I64, expected F32, F16, BF16 or F64');
  });
});

describe('hostile files', () => {
  const entry = (fields: string) => `{"a":{${fields}}}`;
  const u8 = (name: string, begin: number, end: number) =>
    `"${name}":{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), '0 bytes, expected at least the 8'],
    ['a header longer than the file', file('{}').subarray(0, 9), 'header of 2 bytes in a file of 9'],
    ['a header beyond the bound', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255), 'expected at most 25000000'],
    ['a header that is not UTF-8', file(Uint8Array.of(0x7b, 0xff, 0x7d)), 'not UTF-8'],
    ['a header that is not JSON', file('{"a":'), 'not JSON'],
    ['a header nested without end', file('['.repeat(200_000)), 'not JSON'],
    ['a header that is a list', file('[]'), 'not a JSON object'],
    ['metadata with a number', file('{"__metadata__":{"a":1}}'), '__metadata__ "a" is not a string'],
    ['a tensor that is a list', file('{"a":[]}'), 'tensor "a": not an object'],
    ['an unknown dtype', file(entry('"dtype":"F4","shape":[],"data_offsets":[0,0]')), 'unknown dtype "F4"'],
    ['an inherited dtype', file(entry('"dtype":"valueOf","shape":[],"data_offsets":[0,0]')), 'unknown dtype "valueOf"'],
    ['an unknown field', file(entry('"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1')), 'unknown field "x"'],
    ['a negative size', file(entry('"dtype":"U8","shape":[-1],"data_offsets":[0,0]')), 'shape is not'],
    ['half a size', file(entry('"dtype":"U8","shape":[0.5],"data_offsets":[0,0]')), 'shape is not'],
    ['a shape beyond numbers', file(entry('"dtype":"U8","shape":[1e10,1e10],"data_offsets":[0,0]')), 'fewer than 2^53'],
    ['offsets beyond numbers', file(entry('"dtype":"U8","shape":[1],"data_offsets":[0,1e300]')), 'not a pair'],
    ['offsets backwards', file(entry('"dtype":"U8","shape":[1],"data_offsets":[2,1]'), 2), 'run backwards'],
    [
      'too few bytes',
      file(entry('"dtype":"F32","shape":[2],"data_offsets":[0,4]'), 4),
      '4 bytes for F32 [2], expected 8',
    ],
    ['offsets past the end', file(`{${u8('a', 0, 9)}}`, 8), 'tensor "a": ends at byte'],
    ['an overlap', file(`{${u8('a', 0, 4)},${u8('b', 3, 8)}}`, 8), 'tensor "b": begins at byte'],
    ['a gap', file(`{${u8('a', 0, 4)},${u8('b', 5, 8)}}`, 8), 'leaving a gap of 1'],
    ['bytes after the end', file(`{${u8('a', 0, 4)}}`, 8), '4 bytes after the last tensor'],
    ['a tensor called __proto__', file('{"__proto__":{"dtype":"U8"}}'), 'tensor "__proto__": shape is not'],
  ])('%s', (_name, bytes, problem) => {
    const message = problemOf(bytes);
    expect(message).toContain(problem);
    expect(message).toMatch(/^weights of "toy": /);
  });
});

describe('half precision', () => {
  test('every bit pattern survives the way there and back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToNumber(bits);
      if (Number.isNaN(value)) expect(numberToHalf(value)).toBe(0x7e00);
      else if (numberToHalf(value) !== bits) expect(numberToHalf(value)).toBe(bits);
    }
  });

  test.each([
    ['1/3, value of the format', 1 / 3, 0x3555],
    ['halfway, to even below', 2049, 0x6800],
    ['halfway, to even above', 2051, 0x6802],
    ['largest', 65504, 0x7bff],
    ['just below the halfway to infinity', 65519, 0x7bff],
    ['halfway to infinity', 65520, 0x7c00],
    ['smallest', 2 ** -24, 1],
    ['half of the smallest, to even', 2 ** -25, 0],
    ['rounds up into the normal range', 2 ** -14 - 2 ** -26, 0x0400],
    ['negative zero', -0, 0x8000],
    ['infinity', -Infinity, 0xfc00],
  ])('%s', (_name, value, bits) => {
    expect(numberToHalf(value)).toBe(bits);
  });

  test('arrays are encoded as single numbers are, at every step and halfway between two', () => {
    const patterns = Uint32Array.from(
      { length: 1 << 20 },
      (_, i) => ((i >> 2) << 14) | [0, 0xfff, 0x1000, 0x1001][i % 4]!,
    );
    const values = new Float32Array(patterns.buffer);
    expect(encodeHalf(values)).toEqual(Uint16Array.from(values, numberToHalf));
  });

  test('decoding is exact', () => {
    expect(decodeHalf(Uint16Array.of(0x3c00, 0xc000, 0x0001))).toEqual(Float32Array.of(1, -2, 2 ** -24));
  });
});

test('broken copies of a file give a result or an error with a place', () => {
  const refused = survives(brokenCopies(writeSafetensors(tensors, { note: 'x' }), 6000), 'fuzzed: ', (bytes) => {
    for (const tensor of readSafetensors(bytes, 'fuzzed').tensors.values()) elementsOf(tensor, tensor.dtype);
  });
  expect(refused).toBeGreaterThan(2000);
});
