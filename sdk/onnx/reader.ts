/**
 * Reads an ONNX model into plain data: graph, nodes, attributes, initializers, with views into the file where bytes are large. It checks the form
 * of the file and no more: whether operators exist and shapes agree is for the runtime to say.
 */
import { MettleError } from '../errors.ts';
import { ProtoReader } from './protobuf.ts';
import { type OnnxTensor, type OnnxType, readElementType, readPair, readTensor } from './tensor-reader.ts';

export type { ExternalData, OnnxTensor, OnnxType } from './tensor-reader.ts';

export type OnnxModel = {
  irVersion: number;
  /** Name and version of the program that wrote the file; may be empty. */
  producer: string;
  /** Version by operator domain; the standard operators have domain ``. */
  opsets: Record<string, number>;
  metadata: Record<string, string>;
  graph: OnnxGraph;
};

export type OnnxGraph = {
  name: string;
  /** What a caller must feed; older files list initializers here too. */
  inputs: OnnxValueInfo[];
  outputs: OnnxValueInfo[];
  /** What the file says of values in between. */
  values: OnnxValueInfo[];
  nodes: OnnxNode[];
  initializers: OnnxTensor[];
};

/** `shape` has a number per known dimension, a string per named one and null otherwise; it is null where nothing is known. `type` is null for sequences and maps. */
export type OnnxValueInfo = { name: string; type: OnnxType | null; shape: (number | string | null)[] | null };

export type OnnxNode = {
  name: string;
  opType: string;
  domain: string;
  /** Names of values; an omitted optional one is the empty string. */
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
};

/** A number where it is a safe integer, else a bigint: some files write 2^63 - 1 for "to the end". */
export type OnnxInteger = number | bigint;

export type OnnxAttribute =
  | { type: 'float'; value: number }
  | { type: 'int'; value: OnnxInteger }
  | { type: 'string'; value: string }
  | { type: 'tensor'; value: OnnxTensor }
  | { type: 'graph'; value: OnnxGraph }
  | { type: 'floats'; value: number[] }
  | { type: 'ints'; value: OnnxInteger[] }
  | { type: 'strings'; value: string[] }
  | { type: 'tensors'; value: OnnxTensor[] }
  | { type: 'graphs'; value: OnnxGraph[] };

/** Nodes, tensors, attributes and value infos of one file together; real models have some ten thousand. */
const maxItems = 1_000_000;

/** Counts what was read, so that a small file cannot ask for much memory. */
type Budget = { items: number };

/**
 * Reads a model. Initializers that lie outside keep their place instead of bytes.
 * Throws `invalid-file` that begins with `where` and names the graph, node or tensor at fault.
 */
export function readOnnx(bytes: Uint8Array, where = 'ONNX model'): OnnxModel {
  const reader = new ProtoReader(bytes, where);
  const budget: Budget = { items: 0 };
  const opsets: Record<string, number> = {};
  const metadata: Record<string, string> = {};
  let irVersion = 0;
  let producerName = '';
  let producerVersion = '';
  let graph: OnnxGraph | null = null;
  while (reader.next()) {
    if (reader.field === 1) irVersion = reader.integer(0);
    else if (reader.field === 2) producerName = reader.string();
    else if (reader.field === 3) producerVersion = reader.string();
    else if (reader.field === 7) {
      if (graph) throw reader.error('a second graph');
      graph = readGraph(reader.message(`${where}: graph`), budget);
    } else if (reader.field === 8) readOpset(reader.message(`${where}: opset import`), opsets);
    else if (reader.field === 14) {
      const [key, value] = readPair(reader.message(`${where}: metadata`));
      metadata[key] = value;
    } else if (reader.field === 25) throw reader.error('functions of its own are not supported; inline them first');
    else reader.skip();
  }
  if (!graph) throw new MettleError('invalid-file', `${where}: no graph found, expected an ONNX model.`);
  const producer = [producerName, producerVersion].filter(Boolean).join(' ');
  return { irVersion, producer, opsets, metadata, graph };
}

function readGraph(reader: ProtoReader, budget: Budget): OnnxGraph {
  const place = reader.place;
  const graph: OnnxGraph = { name: '', inputs: [], outputs: [], values: [], nodes: [], initializers: [] };
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) graph.nodes.push(readNode(item(reader, `${place}: node ${graph.nodes.length}`, budget), budget));
    else if (field === 2) graph.name = reader.string();
    else if (field === 5) {
      graph.initializers.push(readTensor(item(reader, `${place}: initializer ${graph.initializers.length}`, budget)));
    } else if (field === 11) {
      graph.inputs.push(readValueInfo(item(reader, `${place}: input ${graph.inputs.length}`, budget)));
    } else if (field === 12) {
      graph.outputs.push(readValueInfo(item(reader, `${place}: output ${graph.outputs.length}`, budget)));
    } else if (field === 13) {
      graph.values.push(readValueInfo(item(reader, `${place}: value info ${graph.values.length}`, budget)));
    } else if (field === 15) throw reader.error('sparse initializers are not supported');
    else reader.skip();
  }
  return graph;
}

function readNode(reader: ProtoReader, budget: Budget): OnnxNode {
  const place = reader.place;
  const node: OnnxNode = { name: '', opType: '', domain: '', inputs: [], outputs: [], attributes: new Map() };
  const named = () => (node.opType ? `${place} (${[node.opType, node.name].filter(Boolean).join(' ')})` : place);
  while (reader.next()) {
    if (reader.field === 1) node.inputs.push(text(reader, budget));
    else if (reader.field === 2) node.outputs.push(text(reader, budget));
    else if (reader.field === 3) node.name = reader.string();
    else if (reader.field === 4) node.opType = reader.string();
    else if (reader.field === 5) {
      const { name, value } = readAttribute(
        item(reader, `${named()}: attribute ${node.attributes.size}`, budget),
        budget,
      );
      if (node.attributes.has(name)) throw reader.error(`a second attribute ${JSON.stringify(name)}`);
      node.attributes.set(name, value);
    } else if (reader.field === 7) node.domain = reader.string();
    else reader.skip();
    if (reader.field === 3 || reader.field === 4) reader.place = named();
  }
  if (!node.opType) throw reader.error('no operator type');
  return node;
}

/** Codes of AttributeProto.type. */
const attributeTypes = [
  null,
  'float',
  'int',
  'string',
  'tensor',
  'graph',
  'floats',
  'ints',
  'strings',
  'tensors',
  'graphs',
] as const;

function readAttribute(reader: ProtoReader, budget: Budget): { name: string; value: OnnxAttribute } {
  const place = reader.place;
  const found = {
    float: 0,
    int: 0 as OnnxInteger,
    string: '',
    tensor: null as OnnxTensor | null,
    graph: null as OnnxGraph | null,
    floats: [] as number[],
    ints: [] as OnnxInteger[],
    strings: [] as string[],
    tensors: [] as OnnxTensor[],
    graphs: [] as OnnxGraph[],
  };
  let name = '';
  let code = 0;
  while (reader.next()) {
    if (reader.field === 1) {
      name = reader.string();
      reader.place = `${place} ${JSON.stringify(name)}`;
    } else if (reader.field === 2) found.float = reader.float();
    else if (reader.field === 3) found.int = toInteger(reader.int64());
    else if (reader.field === 4) found.string = reader.string();
    else if (reader.field === 5) found.tensor = readTensor(item(reader, reader.place, budget));
    else if (reader.field === 6) found.graph = readGraph(item(reader, `${reader.place}: graph`, budget), budget);
    else if (reader.field === 7) addAll(reader, found.floats, reader.floats(), Number);
    else if (reader.field === 8) addAll(reader, found.ints, reader.int64s(), toInteger);
    else if (reader.field === 9) found.strings.push(text(reader, budget));
    else if (reader.field === 10) found.tensors.push(readTensor(item(reader, reader.place, budget)));
    else if (reader.field === 11) found.graphs.push(readGraph(item(reader, `${reader.place}: graph`, budget), budget));
    else if (reader.field === 20) code = reader.integer(0, 100);
    else reader.skip();
  }
  const type = attributeTypes[code];
  if (!name) throw reader.error('no name');
  if (!type) throw reader.error(`type ${code}, expected 1 to 10`);
  const value = found[type];
  if (value === null) throw reader.error(`the ${type} is missing`);
  return { name, value: { type, value } as OnnxAttribute };
}

function readValueInfo(reader: ProtoReader): OnnxValueInfo {
  const place = reader.place;
  const info: OnnxValueInfo = { name: '', type: null, shape: null };
  while (reader.next()) {
    if (reader.field === 1) {
      info.name = reader.string();
      reader.place = `${place} ${JSON.stringify(info.name)}`;
    } else if (reader.field === 2) {
      const type = reader.message(`${reader.place}: type`);
      while (type.next()) {
        if (type.field === 1) readTensorType(type.message(type.place), info);
        else type.skip();
      }
    } else reader.skip();
  }
  if (!info.name) throw reader.error('no name');
  return info;
}

function readTensorType(reader: ProtoReader, info: OnnxValueInfo): void {
  while (reader.next()) {
    if (reader.field === 1) {
      info.type = readElementType(reader);
    } else if (reader.field === 2) info.shape = readShape(reader.message(reader.place));
    else reader.skip();
  }
}

function readShape(reader: ProtoReader): (number | string | null)[] {
  const shape: (number | string | null)[] = [];
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const dimension = reader.message(`${reader.place}: dimension ${shape.length}`);
    let size: number | string | null = null;
    while (dimension.next()) {
      if (dimension.field === 1) size = dimension.integer(0);
      else if (dimension.field === 2) size = dimension.string() || null;
      else dimension.skip();
    }
    shape.push(size);
  }
  return shape;
}

function readOpset(reader: ProtoReader, opsets: Record<string, number>): void {
  let domain = '';
  let version = 0;
  while (reader.next()) {
    if (reader.field === 1) domain = reader.string();
    else if (reader.field === 2) version = reader.integer(0);
    else reader.skip();
  }
  // "ai.onnx" is the long name of the standard domain.
  opsets[domain === 'ai.onnx' ? '' : domain] = version;
}

/** Enters a message that counts against the budget. */
function item(reader: ProtoReader, place: string, budget: Budget): ProtoReader {
  count(reader, budget);
  return reader.message(place);
}

function text(reader: ProtoReader, budget: Budget): string {
  count(reader, budget);
  return reader.string();
}

function count(reader: ProtoReader, budget: Budget): void {
  budget.items++;
  if (budget.items > maxItems) throw reader.error(`more than ${maxItems} nodes, tensors and names`);
}

function addAll<V, T>(reader: ProtoReader, target: T[], values: ArrayLike<V>, convert: (value: V) => T): void {
  if (target.length + values.length > maxItems) throw reader.error(`a list of more than ${maxItems} numbers`);
  for (let index = 0; index < values.length; index++) target.push(convert(values[index]!));
}

function toInteger(value: bigint): OnnxInteger {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
