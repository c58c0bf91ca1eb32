/**
 * The smallest ONNX writer that the engine's tests need: float inputs and outputs, nodes without attributes, weights in a second file.
 * Written by hand so that the engine is tested against the format and not against the SDK's own emitter.
 */

/** One node: `op` reads `inputs` and writes `output`. */
export type TinyNode = { op: string; inputs: string[]; output: string };
export type TinyShape = [name: string, shape: number[]];
/** Initializer: floats lie in the weights file, int64 (shapes) in the graph. */
export type TinyWeight = { name: string; shape: number[]; floats?: number[]; ints?: number[] };

export type TinyGraph = {
  inputs: TinyShape[];
  outputs: TinyShape[];
  nodes: TinyNode[];
  weights: TinyWeight[];
};

const float = 1;
const int64 = 7;

/** Returns the bytes of the graph and of the file `weightsPath` that its floats lie in, 8 bytes in (as after a safetensors header). */
export function tinyOnnx(graph: TinyGraph, weightsPath: string) {
  const floats: number[] = [0, 0];
  const initializers = graph.weights.map((weight) => {
    const shape = weight.shape.flatMap((size) => int(1, size));
    if (weight.ints) {
      const raw = new Uint8Array(new BigInt64Array(weight.ints.map(BigInt)).buffer);
      return field(5, [...shape, ...int(2, int64), ...text(8, weight.name), ...field(9, [...raw])]);
    }
    const offset = floats.length * 4;
    const values = weight.floats ?? [];
    floats.push(...values);
    const entries = [
      ['location', weightsPath],
      ['offset', String(offset)],
      ['length', String(values.length * 4)],
    ].flatMap(([key, value]) => field(13, [...text(1, key!), ...text(2, value!)]));
    return field(5, [...shape, ...int(2, float), ...text(8, weight.name), ...entries, ...int(14, 1)]);
  });
  const body = [
    ...graph.nodes.flatMap((node) =>
      field(1, [...node.inputs.flatMap((name) => text(1, name)), ...text(2, node.output), ...text(4, node.op)]),
    ),
    ...text(2, 'tiny'),
    ...initializers.flat(),
    ...graph.inputs.flatMap((input) => field(11, valueInfo(input))),
    ...graph.outputs.flatMap((output) => field(12, valueInfo(output))),
  ];
  const model = [...int(1, 8), ...field(7, body), ...field(8, int(2, 17))];
  return { graph: new Uint8Array(model), weights: new Uint8Array(new Float32Array(floats).buffer) };
}

function valueInfo([name, shape]: TinyShape): number[] {
  const dimensions = shape.flatMap((size) => field(1, int(1, size)));
  return [...text(1, name), ...field(2, field(1, [...int(1, float), ...field(2, dimensions)]))];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

function int(number: number, value: number): number[] {
  return [...varint(number * 8), ...varint(value)];
}

function field(number: number, bytes: number[]): number[] {
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
}

function text(number: number, value: string): number[] {
  return field(number, [...new TextEncoder().encode(value)]);
}
