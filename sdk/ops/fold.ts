/**
 * What is done to a graph once, before it is shipped: everything that depends on constants alone is computed and becomes a constant
 * (transposed weights, the queries of meta-tokens). The arithmetic is the runtime's, not ours.
 */

import { constantOp, type Data, type DType, Graph, inputOp, reachable, sizeOf, type Value } from './graph.ts';
import { transpose } from './layout.ts';
import { matmulOp } from './linear.ts';

/** Computes the named values, none of which depends on an input. */
export type Evaluate = (values: Record<string, Value>) => Promise<Record<string, Float32Array>>;

/**
 * A new graph with the same outputs and nothing left in it that could have been computed before, but for what takes more bytes than the constants that it
 * is made of (a table spread over all pairs of tokens): that the runtime computes when it loads the graph. What depends on a deferred constant becomes one
 * itself: it is computed when it is fetched, one value at a time.
 */
export async function foldConstants(
  outputs: Record<string, Value>,
  evaluate: Evaluate,
): Promise<Record<string, Value>> {
  const prepared = rebuild(outputs, transposeWeights);
  const values = reachable(Object.values(prepared));
  const foldable = foldableAmong(values);
  const results = new Set(Object.values(prepared));
  const needed = new Set(values.filter((v) => !foldable.has(v)).flatMap((v) => v.inputs));
  const frontier = values.filter((v) => foldable.has(v) && v.op !== constantOp && (needed.has(v) || results.has(v)));
  const later = new Set(frontier.filter((v) => reachable([v]).some((part) => part.load)));
  const now = frontier.filter((v) => !later.has(v));
  const computed = now.length > 0 ? await evaluate(Object.fromEntries(now.map((v) => [v.name, v]))) : {};
  return rebuild(prepared, (graph, value, inputs) => {
    if (later.has(value)) return graph.deferred(() => compute(value, evaluate), value.shape, value.name);
    const data = computed[value.name];
    return data && now.includes(value) ? graph.constant(data, value.shape, value.name) : graph.adopt(value, inputs);
  });
}

/** Fetches the deferred constants that a value depends on, and computes it. */
async function compute(value: Value, evaluate: Evaluate): Promise<Float32Array> {
  return (await evaluate(await fetchConstants({ [value.name]: value })))[value.name]!;
}

/** The same outputs in a new graph, every deferred constant in memory. */
export async function fetchConstants(outputs: Record<string, Value>): Promise<Record<string, Value>> {
  const fetched = new Map<Value, Data>();
  for (const part of reachable(Object.values(outputs))) if (part.load) fetched.set(part, await part.load());
  return rebuild(outputs, (graph, part, inputs) => {
    const data = fetched.get(part);
    return data ? graph.constant(data, part.shape, part.name) : graph.adopt(part, inputs);
  });
}

const itemBytes: Record<DType, number> = { float32: 4, float16: 2, int64: 8, bool: 1, int8: 1, uint8: 1 };
const bytesOf = ({ dtype, shape }: Value): number => itemBytes[dtype] * sizeOf(shape);

/** Values that depend on constants alone and are no larger than those; but none in half precision, which only graphs that are folded already hold. */
function foldableAmong(values: readonly Value[]): Set<Value> {
  const foldable = new Set<Value>();
  const madeOf = new Map<Value, Set<Value>>();
  for (const value of values) {
    if (value.op === constantOp) madeOf.set(value, new Set([value]));
    else if (value.op !== inputOp && value.inputs.every((input) => madeOf.has(input))) {
      madeOf.set(value, new Set(value.inputs.flatMap((input) => [...madeOf.get(input)!])));
    }
    const constants = madeOf.get(value);
    if (value.dtype === 'float16' && value.op !== constantOp) continue;
    if (constants && bytesOf(value) <= [...constants].reduce((sum, of) => sum + bytesOf(of), 0)) foldable.add(value);
  }
  return foldable;
}

/** The same outputs in a new graph, each value made by `make` from its operands there. */
export function rebuild(
  outputs: Record<string, Value>,
  make: (graph: Graph, value: Value, inputs: Value[]) => Value,
): Record<string, Value> {
  const graph = new Graph();
  const made = new Map<Value, Value>();
  for (const value of reachable(Object.values(outputs))) {
    made.set(
      value,
      make(
        graph,
        value,
        value.inputs.map((input) => made.get(input)!),
      ),
    );
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, made.get(value)!]));
}

/** A product with a transposed operand becomes one with a transposition before it, which folds if the operand is a constant. */
function transposeWeights(graph: Graph, value: Value, inputs: Value[]): Value {
  const [a, b] = inputs as [Value, Value];
  const weight = value.inputs[1];
  if (value.op !== matmulOp || !value.attributes.transposeB || weight?.rank !== 2) return graph.adopt(value, inputs);
  return graph.adopt(value, [a, graph.scope(b.name, () => transpose(b, [1, 0]))], {
    ...value.attributes,
    transposeB: false,
  });
}
