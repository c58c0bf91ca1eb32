import { describe, expect, test } from 'vitest';
import { ProtoWriter } from '../../sdk/onnx/protobuf.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { add, Graph, matmul, softmax } from '../../sdk/ops/index.ts';
import { brokenCopies, survives } from './fuzz.ts';

const message = () => new ProtoWriter();

/** A model around this graph. */
function model(graph: ProtoWriter): Uint8Array {
  const opset = message().string(1, '').varint(2, 20);
  return message().varint(1, 9).string(2, 'a test').message(7, graph).message(8, opset).finish();
}

function node(opType: string, ...attributes: ProtoWriter[]): ProtoWriter {
  const result = message().string(1, 'x').string(2, 'y').string(3, 'n').string(4, opType);
  for (const attribute of attributes) result.message(5, attribute);
  return result;
}

/** The tensor that a model with this initializer has. */
function initializer(tensor: ProtoWriter) {
  return readOnnx(model(message().string(2, 'g').message(5, tensor)), 'toy.onnx').graph.initializers[0]!;
}

/** Message of the `invalid-file` error that reading throws. */
function problemOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toMatchObject({ name: 'MettleError', code: 'invalid-file' });
    return (error as Error).message;
  }
  throw new Error('expected an error');
}

function smallModel(): Uint8Array {
  const graph = new Graph();
  const weight = graph.constant(Float32Array.from({ length: 128 }, Math.sin), [2, 64], 'weight');
  const y = softmax(add(matmul(graph.input('x', [3, 2]), weight), 0.5));
  const places = new Map([['weight', { offset: 192, length: 512 }]]);
  return writeOnnx({ y }, { name: 'small', weights: { location: 'weights.safetensors', places } });
}

describe('a model of our own writer', () => {
  test('has its values, nodes and weights', () => {
    const { graph, opsets, producer } = readOnnx(smallModel());
    expect(producer).toBe('mettle-edge');
    expect(opsets['']).toBeGreaterThanOrEqual(17);
    expect(graph.name).toBe('small');
    expect(graph.inputs).toEqual([{ name: 'x', type: 'float32', shape: [3, 2] }]);
    expect(graph.outputs).toEqual([{ name: 'y', type: 'float32', shape: [3, 64] }]);
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(['MatMul', 'Add', 'Softmax']);
    expect(graph.nodes[0]!.inputs).toEqual(['x', 'weight']);
    expect(graph.nodes[2]!.outputs).toEqual(['y']);
    expect(graph.initializers.find(({ name }) => name === 'weight')).toEqual({
      name: 'weight',
      type: 'float32',
      dims: [2, 64],
      bytes: null,
      external: { location: 'weights.safetensors', offset: 192, length: 512 },
      strings: null,
    });
    const half = graph.initializers.find(({ dims }) => dims.length === 0)!;
    expect(new Float32Array(half.bytes!.slice().buffer)).toEqual(Float32Array.of(0.5));
  });
});

describe('attributes', () => {
  test('of every kind', () => {
    const tensor = message().varint(2, 1).packedFloats(4, [7]);
    const body = message().string(2, 'body').message(1, node('Relu'));
    const read = readOnnx(
      model(
        message().message(
          1,
          node(
            'Everything',
            message().string(1, 'f').float(2, 0.5).varint(20, 1),
            message().string(1, 'i').varint(3, -3).varint(20, 2),
            message()
              .string(1, 'end')
              .varint(3, 2n ** 63n - 1n)
              .varint(20, 2),
            message().string(1, 's').string(4, 'nearest').varint(20, 3),
            message().string(1, 't').message(5, tensor).varint(20, 4),
            message().string(1, 'g').message(6, body).varint(20, 5),
            message().string(1, 'fs').float(7, 1).float(7, 2).varint(20, 6),
            message().string(1, 'is').varint(8, 1).packedVarints(8, [-1, 4]).varint(20, 7),
            message().string(1, 'ss').string(9, 'a').string(9, 'b').varint(20, 8),
            message().string(1, 'none').varint(20, 7),
          ),
        ),
      ),
    ).graph.nodes[0]!.attributes;
    expect(Object.fromEntries([...read].map(([name, { type }]) => [name, type]))).toEqual({
      f: 'float',
      i: 'int',
      end: 'int',
      s: 'string',
      t: 'tensor',
      g: 'graph',
      fs: 'floats',
      is: 'ints',
      ss: 'strings',
      none: 'ints',
    });
    const value = (name: string): unknown => read.get(name)!.value;
    expect(value('f')).toBe(0.5);
    expect(value('i')).toBe(-3);
    expect(value('end')).toBe(2n ** 63n - 1n);
    expect(value('s')).toBe('nearest');
    expect(value('t')).toMatchObject({ dims: [], type: 'float32' });
    expect(value('g')).toMatchObject({ name: 'body', nodes: [{ opType: 'Relu' }] });
    expect(value('fs')).toEqual([1, 2]);
    expect(value('is')).toEqual([1, -1, 4]);
    expect(value('ss')).toEqual(['a', 'b']);
    expect(value('none')).toEqual([]);
  });
});

describe('tensors', () => {
  test.each([
    ['raw', message().varint(1, 2).varint(2, 2).bytes(9, Uint8Array.of(5, 6)), [5, 6]],
    ['floats', message().varint(1, 1).varint(2, 1).packedFloats(4, [1]), [0, 0, 0x80, 0x3f]],
    ['bytes as integers', message().varint(1, 2).varint(2, 3).packedVarints(5, [-1, 2]), [0xff, 2]],
    ['halves as integers', message().varint(1, 1).varint(2, 10).packedVarints(5, [0x3c00]), [0x00, 0x3c]],
    ['longs', message().varint(1, 1).varint(2, 7).packedVarints(7, [-2]), [0xfe, ...Array(7).fill(0xff)]],
    [
      'longs one by one',
      message().packedVarints(1, [2]).varint(2, 6).varint(5, 1).varint(5, 2),
      [1, 0, 0, 0, 2, 0, 0, 0],
    ],
    ['4-bit integers', message().varint(1, 3).varint(2, 22).bytes(9, Uint8Array.of(0x21, 3)), [0x21, 3]],
    ['nothing', message().varint(1, 0).varint(2, 1), []],
  ])('%s', (_name, tensor, bytes) => {
    expect([...initializer(tensor).bytes!]).toEqual(bytes);
  });

  test('strings', () => {
    expect(initializer(message().varint(1, 1).varint(2, 8).string(6, 'dog')).strings).toEqual(['dog']);
  });
});

describe('files that break the rules', () => {
  const external = (location: string, offset = '0') =>
    message()
      .varint(1, 4)
      .varint(2, 1)
      .string(8, 'w')
      .message(13, message().string(1, 'location').string(2, location))
      .message(13, message().string(1, 'offset').string(2, offset))
      .varint(14, 1);

  test.each<[string, ProtoWriter, string]>([
    [
      'too few bytes',
      message().varint(1, 2).varint(2, 1).string(8, 'w').bytes(9, new Uint8Array(4)),
      '4 bytes for float32 [2], expected 8',
    ],
    [
      'a shape beyond files',
      message()
        .packedVarints(1, [2 ** 52, 2 ** 52])
        .varint(2, 1)
        .string(8, 'w'),
      'larger than any file',
    ],
    ['a negative dimension', message().string(8, 'w').varint(1, -1), 'dimension 0 is -1'],
    ['an unknown type', message().string(8, 'w').varint(2, 99), 'element type 99'],
    ['no type', message().string(8, 'w'), 'no element type'],
    ['a place above the model', external('../secret'), 'external data at "../secret"'],
    ['an absolute place', external('/etc/passwd'), 'external data at "/etc/passwd"'],
    ['another host', external('https:\\\\host\\x'), 'expected a file beside the model'],
    ['a strange offset', external('w.bin', '-4'), 'external data at offset "-4"'],
  ])('initializer with %s', (_name, tensor, problem) => {
    const text = problemOf(() => initializer(tensor));
    expect(text).toContain(problem);
    expect(text).toMatch(/^toy\.onnx: graph: initializer 0 "w": /);
  });

  test('name the node and the attribute', () => {
    const bad = node('Conv', message().string(1, 'pads').varint(20, 77));
    expect(problemOf(() => readOnnx(model(message().message(1, node('Relu')).message(1, bad)), 'toy.onnx'))).toMatch(
      /^toy\.onnx: graph: node 1 \(Conv n\): attribute 0 "pads": type 77, expected 1 to 10 \(byte \d+\)\.$/,
    );
  });

  test('are refused when they are something else', () => {
    expect(problemOf(() => readOnnx(new Uint8Array(0), 'toy.onnx'))).toBe(
      'toy.onnx: no graph found, expected an ONNX model.',
    );
    const page = new TextEncoder().encode('<!doctype html><title>404</title>');
    expect(problemOf(() => readOnnx(page, 'toy.onnx'))).toMatch(/^toy\.onnx: /);
  });

  test('graphs in graphs without end', () => {
    let graph = message().string(2, 'innermost');
    for (let depth = 0; depth < 20; depth++) {
      graph = message().message(1, node('If', message().string(1, 'then').message(6, graph).varint(20, 5)));
    }
    expect(problemOf(() => readOnnx(model(graph)))).toContain('nested more than');
  });

  test('a million empty values', () => {
    const info = message().string(1, 'v').finish();
    const graph = message();
    for (let index = 0; index < 1_000_001; index++) graph.bytes(13, info);
    expect(problemOf(() => readOnnx(model(graph)))).toContain('more than 1000000');
  });
});

test('broken copies of a model give a result or an error with a place', () => {
  const refused = survives(brokenCopies(smallModel(), 4000), 'fuzzed.onnx: ', (bytes) =>
    readOnnx(bytes, 'fuzzed.onnx'),
  );
  expect(refused).toBeGreaterThan(1000);
});
