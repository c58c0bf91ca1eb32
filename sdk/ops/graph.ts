/**
 * The graph that models are written in: values with static shapes, made by the functions of this folder, emitted as ONNX by `onnx/writer`.
 * Nothing is computed here. A graph only grows, so the order of `values` is topological.
 */
import type { OnnxNodes } from './onnx-nodes.ts';

export type DType = 'float32' | 'float16' | 'int64' | 'bool' | 'int8' | 'uint8';
export type Shape = readonly number[];
/** Half precision as bit patterns, in Uint16Array. */
export type Data = Float32Array | Uint16Array | BigInt64Array | Int8Array | Uint8Array;
/** Fetches the numbers of a constant, anew each time. */
export type Load = () => Promise<Data>;
/** Numbers become scalar constants of the other operand's graph. */
export type Operand = Value | number;

/** What an operation is: how it is written as ONNX nodes, and how a gradient passes back through it. */
export type Op = {
  readonly name: string;
  /** Appends the nodes that compute `output` from `inputs` (names). Absent for inputs and constants. */
  emit?(to: OnnxNodes, value: Value, inputs: string[], output: string): void;
  /**
   * Gradients with respect to each input given the gradient `dy` with respect to the value, in the same vocabulary; null where there is none.
   * `needs[i]` is false where the gradient of input i will not be used.
   */
  backward?(value: Value, dy: Value, needs: boolean[]): (Value | null)[];
};

export type Attributes = Record<string, unknown>;

export class Value {
  constructor(
    readonly graph: Graph,
    readonly id: number,
    /** Readable and unique in the graph: the scope it was made in, and its operation. */
    readonly name: string,
    readonly op: Op,
    readonly inputs: readonly Value[],
    readonly attributes: Attributes,
    readonly shape: Shape,
    readonly dtype: DType,
    /** Set for constants, but those that are fetched. */
    readonly data: Data | null = null,
    /** Set for constants whose numbers are not in memory. */
    readonly load: Load | null = null,
  ) {}

  get rank(): number {
    return this.shape.length;
  }
}

export const inputOp: Op = { name: 'input' };
export const constantOp: Op = { name: 'constant' };

export class Graph {
  readonly values: Value[] = [];
  private readonly known = new Map<string, Value>();
  private readonly names = new Map<string, number>();
  private path = '';

  /** Runs `build` with `name` put before the names of all values that it makes. */
  scope<T>(name: string, build: () => T): T {
    const outer = this.path;
    this.path = `${outer}${name}/`;
    try {
      return build();
    } finally {
      this.path = outer;
    }
  }

  /** A value fed at run time. */
  input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
    return this.add(name, inputOp, [], {}, shape, dtype);
  }

  /** A value known now. `name` is kept as it is, so that weights can be told in a file. */
  constant(data: Data, shape: Shape, name?: string): Value {
    if (data.length !== sizeOf(shape)) throw new Error(`constant ${name ?? ''}: ${data.length} values for [${shape}]`);
    const dtype = dtypeOf(data);
    return this.add(name ?? this.unique('constant'), constantOp, [], {}, shape, dtype, data);
  }

  /** A constant that is fetched when it is written: for weights that need not all be in memory. */
  deferred(load: Load, shape: Shape, name: string, dtype: DType = 'float32'): Value {
    return this.add(name, constantOp, [], {}, shape, dtype, null, load);
  }

  scalar(x: number): Value {
    return this.remember(`scalar ${x}`, () => this.constant(new Float32Array([x]), []));
  }

  /** A 1-D integer constant. */
  integers(xs: readonly number[]): Value {
    return this.remember(`integers ${xs}`, () => this.constant(BigInt64Array.from(xs.map(BigInt)), [xs.length]));
  }

  /** The value that `make` made the first time `key` was asked for: for tables that many layers share. */
  remember(key: string, make: () => Value): Value {
    let value = this.known.get(key);
    if (!value) {
      value = make();
      this.known.set(key, value);
    }
    return value;
  }

  /** Applies an operation; the same operation on the same operands gives the same value. */
  apply(op: Op, inputs: readonly Value[], attributes: Attributes, shape: Shape, dtype: DType = 'float32'): Value {
    for (const input of inputs) {
      if (input.graph !== this) throw new Error(`${op.name}: ${input.name} belongs to another graph`);
    }
    const key = `${op.name} ${inputs.map((i) => i.id)} ${JSON.stringify(attributes)}`;
    return this.remember(key, () => this.add(this.unique(op.name), op, inputs, attributes, shape, dtype));
  }

  /** A value of another graph repeated in this one, name and all, on operands of this one; `op` may do the same another way, or in another precision. */
  adopt(
    value: Value,
    inputs: readonly Value[],
    attributes = value.attributes,
    op = value.op,
    dtype = value.dtype,
  ): Value {
    return this.add(value.name, op, inputs, attributes, value.shape, dtype, value.data, value.load);
  }

  private unique(name: string): string {
    const full = this.path + name;
    const n = this.names.get(full) ?? 0;
    this.names.set(full, n + 1);
    return n === 0 ? full : `${full}.${n}`;
  }

  private add(
    name: string,
    op: Op,
    inputs: readonly Value[],
    attributes: Attributes,
    shape: Shape,
    dtype: DType,
    data: Data | null = null,
    load: Load | null = null,
  ): Value {
    const value = new Value(this, this.values.length, name, op, inputs, attributes, shape, dtype, data, load);
    this.values.push(value);
    return value;
  }
}

export function dtypeOf(data: Data): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Uint16Array) return 'float16';
  if (data instanceof BigInt64Array) return 'int64';
  return data instanceof Int8Array ? 'int8' : 'uint8';
}

export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The shape that two operands have together, by ONNX's (and NumPy's) rule. */
export function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return range(rank).map((i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Values that `outputs` depend on, themselves included, in topological order. */
export function reachable(outputs: readonly Value[]): Value[] {
  const found = new Set<Value>();
  const stack = [...outputs];
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (found.has(value)) continue;
    found.add(value);
    stack.push(...value.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}
