/**
 * Reads a TensorFlow Lite file into plain data: tensors, operators, and views of the bytes of constants. It checks that everything that the file names is there and
 * has its size; what operators mean is for `convert.ts`. Only the main graph is read, and what stands behind the model in the file (labels) is left alone.
 */
import { customOperator, type ElementType, elementTypes, fields, operatorNames } from './schema.ts';
import { FlatFile, type FlatTable } from './table.ts';

export type Quantization = {
  /** One, or one per index of `dimension`. */
  scale: number[];
  zeroPoint: number[];
  dimension: number;
};

export type TfliteTensor = {
  name: string;
  /** Channels last. */
  shape: number[];
  type: ElementType;
  /** Elements, little-endian; null for what is computed or fed. */
  bytes: Uint8Array | null;
  quantization: Quantization | null;
};

export type TfliteOperator = {
  /** Such as `CONV_2D`, or what a custom one is called. */
  name: string;
  /** Indices of tensors; -1 where an optional one is left out. */
  inputs: number[];
  outputs: number[];
  options: FlatTable | null;
  /** For errors, e.g. `operator 3 (CONV_2D)`. */
  title: string;
};

export type TfliteModel = {
  tensors: TfliteTensor[];
  operators: TfliteOperator[];
  inputs: number[];
  outputs: number[];
  file: FlatFile;
};

const mostRank = 8;
/** Elements of one tensor. */
const mostElements = 2 ** 31;

const itemBytes: Partial<Record<ElementType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint8: 1,
  int64: 8,
  bool: 1,
  int16: 2,
  int8: 1,
  float64: 8,
  uint32: 4,
  uint16: 2,
  uint64: 8,
  bfloat16: 2,
};

/** Whether a file says of itself that it is one. */
export const isTflite = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(4, 8)) === 'TFL3';

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Throws `invalid-file` that begins with `where` and names the table at fault. */
export function readTflite(bytes: Uint8Array, where: string): TfliteModel {
  const file = new FlatFile(bytes, where);
  if (!isTflite(bytes)) throw file.error('no TensorFlow Lite model: bytes 4 to 7 are not "TFL3"');
  const model = file.root('model');
  const version = model.uint32(fields.model.version);
  if (version !== 3) throw model.error(`version ${version} of the format, expected 3`);
  const [graph] = model.tables(fields.model.subgraphs, 'graph');
  if (!graph) throw model.error('it has no graph');
  const names = model.tables(fields.model.operatorCodes, 'operator code').map(nameOfCode);
  const buffers = model.tables(fields.model.buffers, 'buffer');
  const tensors = graph.tables(fields.subgraph.tensors, 'tensor').map((table) => readTensor(table, buffers));
  const indices = (table: FlatTable, field: number): number[] => {
    const found = table.int32s(field) ?? [];
    const astray = found.find((index) => index < -1 || index >= tensors.length);
    if (astray !== undefined) throw table.error(`it names tensor ${astray} of ${tensors.length}`);
    return found;
  };
  const inputs = indices(graph, fields.subgraph.inputs);
  const outputs = indices(graph, fields.subgraph.outputs);
  if ([...inputs, ...outputs].includes(-1)) throw graph.error('an input or output is no tensor');
  const operators = graph.tables(fields.subgraph.operators, 'operator').map((table): TfliteOperator => {
    const code = table.uint32(fields.operator.code);
    const name = names[code];
    if (name === undefined) throw table.error(`it names operator code ${code} of ${names.length}`);
    return {
      name,
      inputs: indices(table, fields.operator.inputs),
      outputs: indices(table, fields.operator.outputs),
      options: table.table(fields.operator.options, `options of ${table.name}`),
      title: `${table.name} (${name})`,
    };
  });
  checkOrder({ tensors, operators, inputs }, graph);
  return { tensors, operators, inputs, outputs, file };
}

function nameOfCode(table: FlatTable): string {
  // Numbers above 127 stand in the newer field alone; older files have the older field alone.
  const code = Math.max(table.int8(fields.operatorCode.oldCode), table.int32(fields.operatorCode.code));
  if (code === customOperator) return table.text(fields.operatorCode.custom) || 'CUSTOM';
  return operatorNames[code] ?? `operator ${code}`;
}

function readTensor(table: FlatTable, buffers: readonly FlatTable[]): TfliteTensor {
  const shape = table.int32s(fields.tensor.shape) ?? [];
  const type = elementTypes[table.int8(fields.tensor.type)];
  if (!type) throw table.error(`elements of type ${table.int8(fields.tensor.type)}`);
  if (shape.length > mostRank) throw table.error(`${shape.length} dimensions, expected at most ${mostRank}`);
  if (shape.some((length) => length < 0) || sizeOf(shape) > mostElements) {
    throw table.error(`shape [${shape}], expected at most ${mostElements} elements`);
  }
  const index = table.uint32(fields.tensor.buffer);
  const buffer = buffers[index];
  if (!buffer) throw table.error(`it names buffer ${index} of ${buffers.length}`);
  const data = bytesOf(buffer);
  if (data && table.has(fields.tensor.sparsity)) throw table.error('it is a sparse constant, which is not supported');
  const expected = (itemBytes[type] ?? 0) * sizeOf(shape);
  if (data && itemBytes[type] && data.byteLength !== expected) {
    throw table.error(`${data.byteLength} bytes for ${type} [${shape}], expected ${expected}`);
  }
  const quantization = table.table(fields.tensor.quantization, `quantization of ${table.name}`);
  return {
    name: table.text(fields.tensor.name),
    shape,
    type,
    bytes: data,
    quantization: quantization && readQuantization(quantization, shape),
  };
}

function bytesOf(buffer: FlatTable): Uint8Array | null {
  const inside = buffer.bytes(fields.buffer.data);
  if (inside && inside.byteLength > 0) return inside;
  // Files above 2 GB keep their buffers behind the tables.
  const [offset, size] = [buffer.size(fields.buffer.offset), buffer.size(fields.buffer.size)];
  if (offset <= 1 || size === 0) return null;
  buffer.file.demand(offset, size, buffer.name);
  return buffer.file.bytes.subarray(offset, offset + size);
}

function readQuantization(table: FlatTable, shape: readonly number[]): Quantization | null {
  const scale = table.float32s(fields.quantization.scale) ?? [];
  if (scale.length === 0) return null;
  const zeroPoint = table.int64s(fields.quantization.zeroPoint) ?? [];
  const dimension = table.int32(fields.quantization.dimension);
  if (scale.some((x) => !Number.isFinite(x) || x < 0)) throw table.error('a scale is no number from 0 on');
  if (zeroPoint.length > 0 && zeroPoint.length !== scale.length) {
    throw table.error(`${zeroPoint.length} zero points for ${scale.length} scales`);
  }
  if (zeroPoint.some((x) => !Number.isSafeInteger(x))) throw table.error('a zero point is too large');
  if (scale.length > 1 && scale.length !== shape[dimension]) {
    throw table.error(`${scale.length} scales for dimension ${dimension} of [${shape}]`);
  }
  return { scale, zeroPoint: zeroPoint.length > 0 ? zeroPoint : scale.map(() => 0), dimension };
}

/** Every tensor that an operator reads is there before it, and none is written twice. */
function checkOrder(
  { tensors, operators, inputs }: Pick<TfliteModel, 'tensors' | 'operators' | 'inputs'>,
  graph: FlatTable,
): void {
  const there = new Set(inputs);
  for (const { title, inputs: read, outputs } of operators) {
    for (const index of read) {
      if (index < 0 || there.has(index) || tensors[index]!.bytes) continue;
      // Of empty constants, such as a list of no axes, there are no bytes.
      if (sizeOf(tensors[index]!.shape) === 0) continue;
      throw graph.error(`${title} reads tensor ${index}, which nothing before it gives`);
    }
    for (const index of outputs) {
      if (index < 0 || there.has(index) || tensors[index]!.bytes) throw graph.error(`${title} writes tensor ${index}`);
      there.add(index);
    }
  }
}
