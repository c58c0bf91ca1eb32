/**
 * The smallest TensorFlow Lite writer that the tests need: one graph, tensors with or without numbers, operators with options. Written apart from the reader, so that
 * the reader is tested against the format.
 */
import { Builder } from 'flatbuffers';

export type TinyTensor = {
  name?: string;
  shape: number[];
  /** Default: float32. */
  type?: 'float32' | 'float16' | 'int32' | 'uint8' | 'int8' | 'complex64';
  data?: Float32Array | Uint16Array | Int32Array | Uint8Array | Int8Array;
  scale?: number[];
  zeroPoint?: number[];
  dimension?: number;
};

/** `options` by their field: whole numbers are int32, those in `bytes` int8, those in `floats` float32. */
export type TinyOperator = {
  code: number;
  custom?: string;
  inputs: number[];
  outputs: number[];
  options?: Record<number, number>;
  bytes?: Record<number, number>;
  floats?: Record<number, number>;
};

export type TinyTflite = { tensors: TinyTensor[]; operators: TinyOperator[]; inputs: number[]; outputs: number[] };

/** Numbers of the operators that tests use. */
export const codes = {
  add: 0,
  averagePool: 1,
  concatenation: 2,
  convolution: 3,
  depthwise: 4,
  dequantize: 6,
  fullyConnected: 9,
  logistic: 14,
  maxPool: 17,
  multiply: 18,
  relu: 19,
  relu6: 21,
  reshape: 22,
  resizeBilinear: 23,
  softmax: 25,
  tanh: 28,
  custom: 32,
  pad: 34,
  gather: 36,
  transpose: 39,
  mean: 40,
  subtract: 41,
  squeeze: 43,
  stridedSlice: 45,
  topK: 48,
  transposeConvolution: 67,
  expandDimensions: 70,
  log: 73,
  resizeNearest: 97,
  quantize: 114,
  hardSwish: 117,
  rfft2d: 131,
  complexAbs: 135,
} as const;

const typeCodes = { float32: 0, float16: 1, int32: 2, uint8: 3, complex64: 8, int8: 9 };

export function tinyTflite({ tensors, operators, inputs, outputs }: TinyTflite): Uint8Array {
  const to = new Builder(1024);
  const vector = (values: readonly number[], bytes: number, add: (value: number) => void): number => {
    to.startVector(bytes, values.length, bytes);
    for (const value of values.toReversed()) add(value);
    return to.endVector();
  };
  const ints = (values: readonly number[]) => vector(values, 4, (x) => to.addInt32(x));
  const floats = (values: readonly number[]) => vector(values, 4, (x) => to.addFloat32(x));
  const longs = (values: readonly number[]) => vector(values, 8, (x) => to.addInt64(BigInt(x)));
  const offsets = (values: readonly number[]) => vector(values, 4, (x) => to.addOffset(x));
  const table = (fieldCount: number, fill: () => void): number => {
    to.startObject(fieldCount);
    fill();
    return to.endObject();
  };

  const kinds = [...new Set(operators.map(({ code, custom = '' }) => `${code} ${custom}`))];
  const codeTables = kinds.map((kind) => {
    const [code, custom] = [Number(kind.split(' ')[0]), kind.slice(kind.indexOf(' ') + 1)];
    const name = custom ? to.createString(custom) : 0;
    return table(4, () => {
      to.addFieldInt8(0, Math.min(code, 127), 0);
      if (name) to.addFieldOffset(1, name, 0);
      to.addFieldInt32(3, code, 0);
    });
  });
  const datas = tensors.flatMap(({ data }) => (data ? [data] : []));
  const buffers = [null, ...datas].map((data) => {
    const bytes = data && to.createByteVector(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return table(3, () => {
      if (bytes) to.addFieldOffset(0, bytes, 0);
    });
  });
  const tensorTables = tensors.map(({ name = '', shape, type = 'float32', data, scale, zeroPoint, dimension }) => {
    const [title, sizes] = [to.createString(name), ints(shape)];
    const [scales, zeros] = scale ? [floats(scale), longs(zeroPoint ?? scale.map(() => 0))] : [0, 0];
    const quantization = scale
      ? table(7, () => {
          to.addFieldOffset(2, scales, 0);
          to.addFieldOffset(3, zeros, 0);
          to.addFieldInt32(6, dimension ?? 0, 0);
        })
      : 0;
    return table(8, () => {
      to.addFieldOffset(0, sizes, 0);
      to.addFieldInt8(1, typeCodes[type], 0);
      to.addFieldInt32(2, data ? 1 + datas.indexOf(data) : 0, 0);
      to.addFieldOffset(3, title, 0);
      if (quantization) to.addFieldOffset(4, quantization, 0);
    });
  });
  const operatorTables = operators.map(
    ({ code, custom = '', inputs, outputs, options = {}, bytes = {}, floats = {} }) => {
      const [read, written] = [ints(inputs), ints(outputs)];
      const chosen = table(8, () => {
        for (const [field, value] of Object.entries(options)) to.addFieldInt32(Number(field), value, 0);
        for (const [field, value] of Object.entries(floats)) to.addFieldFloat32(Number(field), value, 0);
        for (const [field, value] of Object.entries(bytes)) to.addFieldInt8(Number(field), value, 0);
      });
      return table(6, () => {
        to.addFieldInt32(0, kinds.indexOf(`${code} ${custom}`), 0);
        to.addFieldOffset(1, read, 0);
        to.addFieldOffset(2, written, 0);
        to.addFieldOffset(4, chosen, 0);
      });
    },
  );
  const parts = [offsets(tensorTables), ints(inputs), ints(outputs), offsets(operatorTables)];
  const graph = table(5, () => {
    parts.forEach((part, field) => to.addFieldOffset(field, part, 0));
  });
  const lists = [offsets(codeTables), offsets([graph]), offsets(buffers)];
  const model = table(8, () => {
    to.addFieldInt32(0, 3, 0);
    to.addFieldOffset(1, lists[0]!, 0);
    to.addFieldOffset(2, lists[1]!, 0);
    to.addFieldOffset(4, lists[2]!, 0);
  });
  to.finish(model, 'TFL3');
  return to.asUint8Array().slice();
}

/** A wave that no two numbers of a test share. */
export const wave = (length: number, step: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin(1 + i * step));

/** A picture network with a depthwise block, a residual sum, pooling and a head; 8-bit weights per channel, float activations. */
export function tinyPictureNet(): Uint8Array {
  const eighths = (length: number): Int8Array => Int8Array.from({ length }, (_, i) => ((i * 37) % 255) - 127);
  const tensors: TinyTensor[] = [
    { name: 'input', shape: [1, 9, 8, 3] },
    { name: 'stem/w', shape: [4, 3, 3, 3], data: wave(108, 0.7) },
    { name: 'stem/b', shape: [4], data: wave(4, 2) },
    { name: 'stem', shape: [1, 5, 4, 4] },
    { name: 'dw/w', shape: [1, 3, 3, 4], data: wave(36, 1.3) },
    { name: 'dw', shape: [1, 5, 4, 4] },
    { name: 'pw/w', shape: [4, 1, 1, 4], type: 'int8', data: eighths(16), scale: [0.01, 0.02, 0.005, 0.03] },
    { name: 'pw/b', shape: [4], data: wave(4, 3) },
    { name: 'pw', shape: [1, 5, 4, 4] },
    { name: 'sum', shape: [1, 5, 4, 4] },
    { name: 'axes', shape: [2], type: 'int32', data: Int32Array.of(1, 2) },
    { name: 'pooled', shape: [1, 4] },
    { name: 'fc/w', shape: [3, 4], data: wave(12, 0.9) },
    { name: 'fc', shape: [1, 3] },
    { name: 'out', shape: [1, 3] },
  ];
  const operators: TinyOperator[] = [
    { code: codes.convolution, inputs: [0, 1, 2], outputs: [3], options: { 1: 2, 2: 2 }, bytes: { 0: 0, 3: 3 } },
    { code: codes.depthwise, inputs: [3, 4, -1], outputs: [5], options: { 1: 1, 2: 1, 3: 1 }, bytes: { 0: 0, 4: 1 } },
    { code: codes.convolution, inputs: [5, 6, 7], outputs: [8], options: { 1: 1, 2: 1 }, bytes: { 0: 0 } },
    { code: codes.add, inputs: [8, 3], outputs: [9] },
    { code: codes.mean, inputs: [9, 10], outputs: [11] },
    { code: codes.fullyConnected, inputs: [11, 12, -1], outputs: [13] },
    { code: codes.softmax, inputs: [13], outputs: [14], floats: { 0: 1 } },
  ];
  return tinyTflite({ tensors, operators, inputs: [0], outputs: [14] });
}
