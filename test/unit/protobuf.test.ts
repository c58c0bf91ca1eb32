import { describe, expect, test } from 'vitest';
import { ProtoReader, ProtoWriter } from '../../sdk/onnx/protobuf.ts';

/** The error that `run` throws. */
function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

describe('writing', () => {
  test('integers are those of the protobuf encoding guide', () => {
    expect([...new ProtoWriter().varint(1, 150).finish()]).toEqual([0x08, 0x96, 0x01]);
    expect([...new ProtoWriter().varint(1, -2).finish()]).toEqual([0x08, 0xfe, ...Array(8).fill(0xff), 0x01]);
    expect([...new ProtoWriter().varint(16, true).finish()]).toEqual([0x80, 0x01, 0x01]);
    expect([...new ProtoWriter().string(2, 'testing').finish()]).toEqual([
      0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67,
    ]);
    expect([...new ProtoWriter().packedVarints(6, [3, 270, 86942]).finish()]).toEqual([
      0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05,
    ]);
  });

  test('a number that is no safe integer is refused', () => {
    expect(errorOf(() => new ProtoWriter().varint(1, 0.5))).toMatchObject({ code: 'invalid-argument' });
    expect(errorOf(() => new ProtoWriter().varint(1, 2 ** 60))).toMatchObject({ code: 'invalid-argument' });
  });

  test('an empty packed list writes nothing', () => {
    expect(new ProtoWriter().packedVarints(1, []).packedFloats(2, []).finish().byteLength).toBe(0);
  });
});

describe('reading', () => {
  test('gives back what was written, in order', () => {
    const integers = [0n, 1n, -1n, 127n, 128n, 2n ** 49n, 2n ** 56n - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    const writer = new ProtoWriter();
    for (const value of integers) writer.varint(1, value);
    writer.packedVarints(2, integers).float(3, 1.5).packedFloats(4, [0.5, -2]).string(5, 'Ärger');
    writer.message(6, new ProtoWriter().varint(1, 7));

    const reader = new ProtoReader(writer.finish(), 'test');
    for (const value of integers) {
      expect(reader.next() && reader.field).toBe(1);
      expect(reader.int64()).toBe(value);
    }
    reader.next();
    expect([...reader.int64s()]).toEqual(integers);
    reader.next();
    expect(reader.float()).toBe(1.5);
    reader.next();
    expect([...reader.floats()]).toEqual([0.5, -2]);
    reader.next();
    expect(reader.string()).toBe('Ärger');
    reader.next();
    const inner = reader.message('test: inner');
    expect(inner.next()).toBe(true);
    expect(inner.integer()).toBe(7);
    expect(inner.next()).toBe(false);
    expect(reader.next()).toBe(false);
  });

  test.each([
    ['an integer cut short', [0x08, 0x80], 'ends inside an integer'],
    ['an integer of 11 bytes', [0x08, ...Array(10).fill(0x80), 0x01], 'longer than 10 bytes'],
    ['a length past the end', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00], 'only 1 are left'],
    ['a group', [0x0b], 'wire type 3'],
    ['field 0', [0x00], 'field number 0'],
    ['a float cut short', [0x0d, 0x00], 'ends after the message'],
  ])('%s is refused with its place', (_name, bytes, problem) => {
    const error = errorOf(() => {
      const reader = new ProtoReader(Uint8Array.from(bytes), 'some.onnx');
      while (reader.next()) reader.skip();
    });
    expect(error).toMatchObject({ name: 'MettleError', code: 'invalid-file' });
    expect(String(error)).toContain(problem);
    expect(String(error)).toMatch(/some\.onnx: .*\(byte \d+\)/);
  });

  test('a packed list cut short is refused', () => {
    const list = new ProtoReader(Uint8Array.of(0x0a, 0x02, 0x01, 0x80), 'some.onnx');
    list.next();
    expect(String(errorOf(() => list.int64s()))).toContain('the list ends inside an integer');
    const floats = new ProtoReader(Uint8Array.of(0x0a, 0x02, 0x01, 0x80), 'some.onnx');
    floats.next();
    expect(String(errorOf(() => floats.floats()))).toContain('2 bytes, expected a multiple of 4');
  });

  test('a field of another type is refused', () => {
    const reader = new ProtoReader(new ProtoWriter().varint(1, 5).finish(), 'some.onnx');
    reader.next();
    expect(String(errorOf(() => reader.string()))).toContain('field 1 has wire type 0, expected bytes');
  });

  test('messages nested without end are refused', () => {
    let message = new ProtoWriter().varint(1, 1);
    for (let depth = 0; depth < 40; depth++) message = new ProtoWriter().message(1, message);
    const descend = (reader: ProtoReader): void => {
      while (reader.next()) descend(reader.message('deep'));
    };
    expect(String(errorOf(() => descend(new ProtoReader(message.finish(), 'deep'))))).toContain('nested more than');
  });
});
