/**
 * Writes a graph of `sdk/ops` as an ONNX model. Large constants may stay outside, in a weights file that the model points into by offset.
 * This file knows ONNX's messages and field numbers; how an operation becomes nodes stands with the operation.
 */
import {
  constantOp,
  type Data,
  type DType,
  dtypeOf,
  inputOp,
  reachable,
  type Shape,
  type Value,
} from '../ops/graph.ts';
import { type AttributeValue, FloatAttribute, type OnnxNodes } from '../ops/onnx-nodes.ts';
import { ProtoWriter } from './protobuf.ts';

const opset = 20;
/** The IR version that belongs to opset 20. */
const irVersion = 9;
const dtypeCodes: Record<DType, number> = { float32: 1, uint8: 2, int8: 3, int64: 7, bool: 9, float16: 10 };
/** Operators that are not ONNX's own but the runtime's. */
export const microsoft = 'com.microsoft';
/** Constants below this many bytes are not worth a place in a weights file. */
const inlineBytes = 256;

/** Where the bytes of a constant lie in the weights file. */
export type WeightsFile = {
  /** The file's name, as the loader will be told. */
  location: string;
  /** By the constant's name: bytes from the start of the file. */
  places: ReadonlyMap<string, { offset: number; length: number }>;
};

/** A graph as it grows; `finish` makes a model of it. */
export class OnnxWriter implements OnnxNodes {
  readonly nodes: ProtoWriter[] = [];
  readonly initializers: ProtoWriter[] = [];
  /** Domains of the nodes beside ONNX's own. */
  readonly domains = new Set<string>();
  private readonly made = new Set<string>();

  node(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    domain = '',
  ): void {
    const node = new ProtoWriter();
    for (const name of inputs) node.string(1, name);
    for (const name of outputs) node.string(2, name);
    node.string(3, outputs[0]!).string(4, type);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attributeProto(name, value));
    if (domain) {
      node.string(7, domain);
      this.domains.add(domain);
    }
    this.nodes.push(node);
  }

  once(name: string, make: (name: string) => void): string {
    if (!this.made.has(name)) {
      this.made.add(name);
      make(name);
    }
    return name;
  }

  integers(xs: readonly number[]): string {
    const data = BigInt64Array.from(xs.map(BigInt));
    return this.once(`integers/${xs.join(',')}`, (name) => this.initializer(name, [xs.length], data));
  }

  floats(xs: readonly number[]): string {
    const data = Float32Array.from(xs);
    return this.once(`floats/${xs.join(',')}`, (name) => this.initializer(name, [xs.length], data));
  }

  float(value: number): AttributeValue {
    return new FloatAttribute(value);
  }

  dtypeCode(dtype: DType): number {
    return dtypeCodes[dtype];
  }

  /** `data` may be a type alone where the numbers have their place in `weights`. */
  initializer(name: string, shape: Shape, data: Data | DType, weights?: WeightsFile): void {
    const tensor = new ProtoWriter();
    tensor.packedVarints(1, shape).varint(2, dtypeCodes[typeof data === 'string' ? data : dtypeOf(data)]);
    tensor.string(8, name);
    const place = weights?.places.get(name);
    if (weights && place) {
      for (const [key, value] of [
        ['location', weights.location],
        ['offset', String(place.offset)],
        ['length', String(place.length)],
      ] as const) {
        tensor.message(13, new ProtoWriter().string(1, key).string(2, value));
      }
      tensor.varint(14, 1);
    } else if (typeof data === 'string') {
      throw new Error(`constant ${name} has neither numbers nor a place`);
    } else {
      tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    this.initializers.push(tensor);
  }

  /** The bytes of a model with these inputs and outputs. */
  finish(name: string, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Uint8Array<ArrayBuffer> {
    const graph = new ProtoWriter();
    for (const node of this.nodes) graph.message(1, node);
    graph.string(2, name);
    for (const tensor of this.initializers) graph.message(5, tensor);
    for (const info of inputs) graph.message(11, valueInfo(info));
    for (const info of outputs) graph.message(12, valueInfo(info));
    const model = new ProtoWriter().varint(1, irVersion).string(2, 'mettle-edge').message(7, graph);
    model.message(8, new ProtoWriter().string(1, '').varint(2, opset));
    for (const domain of this.domains) model.message(8, new ProtoWriter().string(1, domain).varint(2, 1));
    return model.finish();
  }
}

/** An input or output; a length that has a name is known when the graph runs. */
export type ValueInfo = { name: string; shape: readonly (number | string)[]; dtype: DType };

/** The constants that `outputs` need and that belong in a weights file, by name: those that are large, and those that are not in memory. */
export function largeConstants(outputs: readonly Value[]): Map<string, Value> {
  const large = reachable(outputs).filter(
    ({ data, load }) => load || (data && !(data instanceof BigInt64Array) && data.byteLength >= inlineBytes),
  );
  return new Map(large.map((v) => [v.name, v]));
}

/**
 * The bytes of an ONNX model with these named outputs. Its inputs are the graph inputs that they depend on, in the order they were made.
 * Constants with a place in `weights` are written as references into that file, all others are inside.
 */
export function writeOnnx(
  outputs: Record<string, Value>,
  { name = 'mettle', weights }: { name?: string; weights?: WeightsFile } = {},
): Uint8Array<ArrayBuffer> {
  const to = new OnnxWriter();
  const names = outputNames(outputs);
  const nameOf = (value: Value): string => names.get(value) ?? value.name;
  const inputs: ValueInfo[] = [];
  for (const value of reachable(Object.values(outputs))) {
    if (value.op === inputOp && value.name in outputs) throw new Error(`"${value.name}" names an input and an output`);
    if (value.op === inputOp) inputs.push(value);
    else if (value.op === constantOp) {
      to.initializer(value.name, value.shape, value.data ?? value.dtype, weights);
    } else if (value.op.emit) value.op.emit(to, value, value.inputs.map(nameOf), nameOf(value));
    else throw new Error(`operation ${value.op.name} cannot be written (${value.name})`);
  }
  const infos = Object.entries(outputs).map(([outputName, value]): ValueInfo => {
    if (nameOf(value) !== outputName) to.node('Identity', [nameOf(value)], [outputName]);
    return { name: outputName, shape: value.shape, dtype: value.dtype };
  });
  return to.finish(name, inputs, infos);
}

/** Computed values that are outputs take the output's name, so that no copy is needed; inputs, constants and second names get one. */
function outputNames(outputs: Record<string, Value>): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const [name, value] of Object.entries(outputs)) {
    if (value.op !== inputOp && value.op !== constantOp && !names.has(value)) names.set(value, name);
  }
  return names;
}

function valueInfo({ name, shape, dtype }: ValueInfo): ProtoWriter {
  const dimensions = new ProtoWriter();
  for (const d of shape) {
    dimensions.message(1, typeof d === 'string' ? new ProtoWriter().string(2, d) : new ProtoWriter().varint(1, d));
  }
  const tensor = new ProtoWriter().varint(1, dtypeCodes[dtype]).message(2, dimensions);
  return new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, tensor));
}

function attributeProto(name: string, value: AttributeValue): ProtoWriter {
  const attribute = new ProtoWriter().string(1, name);
  if (typeof value === 'number') return attribute.varint(3, value).varint(20, 2);
  if (typeof value === 'string') return attribute.string(4, value).varint(20, 3);
  if (value instanceof FloatAttribute) return attribute.float(2, value.value).varint(20, 1);
  for (const x of value) attribute.varint(8, x);
  return attribute.varint(20, 7);
}
