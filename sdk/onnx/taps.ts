/**
 * Cuts an ONNX network down to a backbone's graph: chosen values become its outputs, what they do not need is left out, large initializers move to a
 * safetensors file, and the input gets a fixed shape. Nodes and everything else that is kept stay as they are, byte for byte; only a tap's own name changes.
 */
import { MettleError } from '../errors.ts';
import { refuseForeign } from './foreign.ts';
import { ProtoReader, ProtoWriter, wire } from './protobuf.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxType } from './reader.ts';
import { readOnnx } from './reader.ts';
import { headerOf, type SafetensorsType, type TensorData, writeSafetensors } from './safetensors.ts';

/** A value of the network and what it is called as an output; its shape where it is known. Another number of axes than the value has is brought about by a reshape. */
export type TapRequest = { value: string; name: string; shape?: readonly number[]; reshape?: boolean };

export type CutRequest = {
  taps: readonly TapRequest[];
  /** Shape that the network's input gets. */
  inputShape: readonly number[];
  /** Name that the graph gives to the file of its weights. */
  location: string;
};

/** Bytes of a file beside the model, for initializers that lie outside. */
export type ReadExternal = (location: string) => Uint8Array;

/** Initializers from this size on move to the weights file. */
const movedBytes = 256;

const dtypes: Partial<Record<OnnxType, SafetensorsType>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int8: 'I8',
  uint8: 'U8',
  int16: 'I16',
  uint16: 'U16',
  int32: 'I32',
  uint32: 'U32',
  int64: 'I64',
  uint64: 'U64',
};

/** A network whose bytes and structure are at hand. */
export type Network = { bytes: Uint8Array; model: OnnxModel; where: string };

/** Reads a network. Throws `invalid-file` that begins with `where`. */
export function openNetwork(bytes: Uint8Array, where: string): Network {
  refuseForeign(bytes, where);
  return { bytes, model: readOnnx(bytes, where), where };
}

/** What must be fed: inputs that are no initializers. */
export function fedInputs({ inputs, initializers }: OnnxGraph): OnnxGraph['inputs'] {
  const known = new Set(initializers.map(({ name }) => name));
  return inputs.filter(({ name }) => !known.has(name));
}

/** Names of all values that a node computes. */
export const computedValues = ({ nodes }: OnnxGraph): string[] =>
  nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== ''));

/**
 * The graph of these taps and its weights. Throws `not-found` for a value that no node computes, naming those most like it, `incompatible` where the taps need
 * another input than one, and `invalid-file` for external data that is not there.
 */
export function cutNetwork(
  network: Network,
  request: CutRequest,
  readExternal: ReadExternal = () => new Uint8Array(0),
): { graph: Uint8Array<ArrayBuffer>; weights: Uint8Array<ArrayBuffer>; input: string } {
  const { graph } = network.model;
  const needed = neededBy(graph, request.taps, network.where);
  const input = onlyInput(graph, needed.values, network.where);
  const kept = graph.initializers.filter(({ name }) => needed.values.has(name));
  const weights = weightsOf(kept, network, readExternal);
  const places = headerOf(weights).tensors;
  const names = renamed(graph, needed.nodes, request.taps);

  const out = new ProtoWriter();
  copyMessage(new ProtoReader(graphBytes(network), network.where), out, {
    1: ({ index, bytes }) => (needed.nodes.has(graph.nodes[index]!) ? nodeWithNames(bytes, names.byValue) : null),
    5: ({ index, bytes }) => {
      const tensor = graph.initializers[index]!;
      if (!needed.values.has(tensor.name)) return null;
      const place = places.get(tensor.name);
      return place ? externalTensor(bytes, request.location, place) : bytes;
    },
    11: ({ index }) =>
      graph.inputs[index]!.name === input ? valueInfo(input, graph.inputs[index]!.type, request.inputShape) : null,
    12: () => null,
    13: ({ index, bytes }) => {
      const { name } = graph.values[index]!;
      return needed.values.has(name) && !names.byValue.has(name) ? bytes : null;
    },
  });
  for (const { from, to } of names.copies) out.message(1, identity(from, to));
  for (const { value, name, shape } of request.taps.filter(({ reshape }) => reshape)) {
    out.message(5, shapeTensor(`${name}.shape`, shape!));
    out.message(1, reshapeNode(names.byValue.get(value) ?? value, `${name}.shape`, name));
  }
  for (const { name, shape } of request.taps) out.bytes(12, valueInfo(name, shape ? 'float32' : null, shape));

  const model = new ProtoWriter();
  copyMessage(new ProtoReader(network.bytes, network.where), model, { 7: () => out.finish() });
  return { graph: model.finish(), weights, input };
}

/**
 * The network with more outputs: values that it computes anyway, under names of their own, and with `widen` in float32 whatever they are. All that it had stays as it is,
 * byte for byte.
 */
export function withOutputs(
  network: Network,
  outputs: readonly (Omit<TapRequest, 'reshape'> & { widen?: boolean })[],
): Uint8Array<ArrayBuffer> {
  const graph = new ProtoWriter();
  copyMessage(new ProtoReader(graphBytes(network), network.where), graph, {});
  for (const { value, name, shape, widen } of outputs) {
    graph.message(1, widen ? floatCast(value, name) : identity(value, name));
    graph.bytes(12, valueInfo(name, shape ? 'float32' : null, shape));
  }
  const model = new ProtoWriter();
  copyMessage(new ProtoReader(network.bytes, network.where), model, { 7: () => graph.finish() });
  return model.finish();
}

/** Nodes and values that the taps depend on. */
function neededBy(
  graph: OnnxGraph,
  taps: readonly TapRequest[],
  where: string,
): { nodes: Set<OnnxNode>; values: Set<string> } {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  producers.delete('');
  for (const { value } of taps) if (!producers.has(value)) throw noSuchValue(value, [...producers.keys()], where);
  const nodes = new Set<OnnxNode>();
  const values = new Set<string>();
  const open = taps.map(({ value }) => value);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === '' || values.has(name)) continue;
    values.add(name);
    const node = producers.get(name);
    if (!node || nodes.has(node)) continue;
    nodes.add(node);
    open.push(...node.inputs, ...capturedBy(node));
  }
  return { nodes, values };
}

/** Values that the graphs inside a node (of If, Loop, Scan) may take from outside: every name they read. */
function capturedBy(node: OnnxNode): string[] {
  const graphs = [...node.attributes.values()].flatMap((attribute): OnnxGraph[] =>
    attribute.type === 'graph' ? [attribute.value] : attribute.type === 'graphs' ? attribute.value : [],
  );
  return graphs.flatMap((graph) => [
    ...graph.outputs.map(({ name }) => name),
    ...graph.nodes.flatMap((inner) => [...inner.inputs, ...capturedBy(inner)]),
  ]);
}

function onlyInput(graph: OnnxGraph, values: ReadonlySet<string>, where: string): string {
  const inputs = fedInputs(graph).filter(({ name }) => values.has(name));
  if (inputs.length === 1) return inputs[0]!.name;
  const names = inputs.map(({ name }) => name).join(', ') || 'none';
  throw new MettleError('incompatible', `${where}: these taps depend on the inputs ${names}; expected exactly one.`, {
    hint: 'Choose taps of one branch, or export the network with its other inputs fixed.',
  });
}

type Renaming = { byValue: Map<string, string>; copies: { from: string; to: string }[] };

/** Values take the names of their taps; those that graphs inside nodes read, and second names of one value, get a copy. */
function renamed(graph: OnnxGraph, nodes: ReadonlySet<OnnxNode>, taps: readonly TapRequest[]): Renaming {
  const captured = new Set([...nodes].flatMap(capturedBy));
  const taken = new Set(computedValues(graph));
  const byValue = new Map<string, string>();
  const copies: Renaming['copies'] = [];
  for (const { value, name, reshape } of taps) {
    if (value !== name && taken.has(name)) {
      throw new MettleError('invalid-argument', `A tap cannot be called "${name}": another value of the network is.`);
    }
    if (reshape) continue;
    if (captured.has(value) || byValue.has(value)) copies.push({ from: byValue.get(value) ?? value, to: name });
    else byValue.set(value, name);
  }
  return { byValue, copies: copies.filter(({ from, to }) => from !== to) };
}

function weightsOf(
  tensors: readonly OnnxTensor[],
  { where }: Network,
  readExternal: ReadExternal,
): Uint8Array<ArrayBuffer> {
  const moved: Record<string, TensorData> = {};
  for (const { name, type, dims, bytes, external } of tensors) {
    const dtype = dtypes[type];
    const isLarge = external !== null || (bytes?.byteLength ?? 0) >= movedBytes;
    if (!isLarge) continue;
    if (!dtype) {
      if (!external) continue;
      throw new MettleError('invalid-file', `${where}: initializer "${name}" is ${type} and lies in another file.`, {
        hint: 'Save the model as one file first.',
      });
    }
    const data = external ? externalBytes(readExternal, external, name, where) : bytes!;
    moved[name] = { dtype, shape: dims, data };
  }
  return writeSafetensors(moved);
}

function externalBytes(
  readExternal: ReadExternal,
  { location, offset, length }: NonNullable<OnnxTensor['external']>,
  name: string,
  where: string,
): Uint8Array {
  const file = readExternal(location);
  if (offset + length <= file.byteLength) return file.subarray(offset, offset + length);
  throw new MettleError(
    'invalid-file',
    `${where}: initializer "${name}" lies at byte ${offset} of ${location}, which ends before.`,
    { hint: `Put ${location} of the same export beside the model.` },
  );
}

/** A function that gives the new bytes of a field, or null to leave it out. */
type Edit = (field: { index: number; bytes: Uint8Array }) => Uint8Array | null;

/** Copies all fields, those with an edit as it says; `index` counts fields of one number. */
function copyMessage(reader: ProtoReader, to: ProtoWriter, edits: Record<number, Edit>): void {
  const counts = new Map<number, number>();
  while (reader.next()) {
    const { field, wireType } = reader;
    const index = counts.get(field) ?? 0;
    counts.set(field, index + 1);
    if (wireType === wire.varint) to.varint(field, reader.int64());
    else if (wireType === wire.fixed32) to.float(field, reader.float());
    else {
      const bytes = reader.bytes();
      const edited = edits[field] ? edits[field]({ index, bytes }) : bytes;
      if (edited) to.bytes(field, edited);
    }
  }
}

function graphBytes({ bytes, where }: Network): Uint8Array {
  const reader = new ProtoReader(bytes, where);
  while (reader.next()) {
    if (reader.field === 7) return reader.bytes();
    reader.skip();
  }
  throw reader.error('no graph');
}

function nodeWithNames(bytes: Uint8Array, names: ReadonlyMap<string, string>): Uint8Array {
  const node = new ProtoWriter();
  let changed = false;
  const rename: Edit = ({ bytes: text }) => {
    const name = names.get(new TextDecoder().decode(text));
    if (name === undefined) return text;
    changed = true;
    return new TextEncoder().encode(name);
  };
  copyMessage(new ProtoReader(bytes, 'node'), node, { 1: rename, 2: rename });
  return changed ? node.finish() : bytes;
}

/** The tensor with its elements left out and their place in the weights file put in. */
function externalTensor(bytes: Uint8Array, location: string, place: { offset: number; length: number }): Uint8Array {
  const tensor = new ProtoWriter();
  const reader = new ProtoReader(bytes, 'initializer');
  // Elements of every kind, and where they lay before.
  const left = new Set([4, 5, 6, 7, 9, 10, 11, 13, 14]);
  while (reader.next()) {
    if (left.has(reader.field)) reader.skip();
    else if (reader.wireType === wire.varint) tensor.varint(reader.field, reader.int64());
    else tensor.bytes(reader.field, reader.bytes());
  }
  for (const [key, value] of [
    ['location', location],
    ['offset', String(place.offset)],
    ['length', String(place.length)],
  ] as const) {
    tensor.message(13, new ProtoWriter().string(1, key).string(2, value));
  }
  return tensor.varint(14, 1).finish();
}

function identity(from: string, to: string): ProtoWriter {
  return new ProtoWriter().string(1, from).string(2, to).string(3, to).string(4, 'Identity');
}

/** Attributes of type int have the code 2, float32 is 1. */
function floatCast(from: string, to: string): ProtoWriter {
  const attribute = new ProtoWriter().string(1, 'to').varint(3, 1).varint(20, 2);
  return new ProtoWriter().string(1, from).string(2, to).string(3, to).string(4, 'Cast').message(5, attribute);
}

const int64 = 7;

/** An initializer that holds a shape. */
const shapeTensor = (name: string, shape: readonly number[]): ProtoWriter =>
  new ProtoWriter().packedVarints(1, [shape.length]).varint(2, int64).packedVarints(7, shape).string(8, name);

const reshapeNode = (from: string, shape: string, to: string): ProtoWriter =>
  new ProtoWriter().string(1, from).string(1, shape).string(2, to).string(3, to).string(4, 'Reshape');

const typeCodes: Partial<Record<OnnxType, number>> = { float32: 1, float16: 10, float64: 11, uint8: 2 };

/** Without a type or shape, the runtime works them out. */
function valueInfo(name: string, type: OnnxType | null, shape?: readonly number[]): Uint8Array {
  const info = new ProtoWriter().string(1, name);
  const code = type && typeCodes[type];
  if (!code || !shape) return info.finish();
  const dimensions = new ProtoWriter();
  for (const length of shape) dimensions.message(1, new ProtoWriter().varint(1, length));
  const tensor = new ProtoWriter().varint(1, code).message(2, dimensions);
  return info.message(2, new ProtoWriter().message(1, tensor)).finish();
}

function noSuchValue(value: string, known: readonly string[], where: string): MettleError {
  const near = nearest(value, known, 5);
  return new MettleError('not-found', `${where}: no node computes a value named "${value}".`, {
    hint: `Names like it: ${near.join(', ')}. All candidates: mettle backbone tap MODEL.onnx --list.`,
  });
}

/** The `count` names with the fewest edits from `name`. */
function nearest(name: string, known: readonly string[], count: number): string[] {
  const scored = known.map((other) => ({ other, edits: editDistance(name.slice(0, 200), other.slice(0, 200)) }));
  return scored
    .sort((a, b) => a.edits - b.edits)
    .slice(0, count)
    .map(({ other }) => other);
}

/** Insertions, deletions and replacements from one text to the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
