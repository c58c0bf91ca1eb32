/**
 * Turns a finished graph into one that computes in half precision: weights and what is computed from inputs are float16, inputs and outputs stay float32 with a
 * cast each. Not for devices without half-precision arithmetic.
 */
import { MettleError } from '../errors.ts';
import { constantOp, type Data, type Graph, inputOp, type Op, rebuild, type Value } from '../ops/index.ts';
import { encodeHalf } from './float16.ts';

/** The same numbers in the value's own type. */
export const castOp: Op = {
  name: 'cast',
  emit: (to, value, inputs, output) => to.node('Cast', inputs, [output], { to: to.dtypeCode(value.dtype) }),
};

/**
 * Operations that stay float32: sums, since thousands of terms need more digits than half precision has; and those whose results, or the squares that go into
 * them, leave its range. Of `oneHot` nothing else is written.
 */
const wideOps = new Set(['sum', 'mean', 'exp', 'log', 'sqrt', 'oneHot']);
/** Arithmetic on such results stays float32 too, up to the next operation that is none: so are the vectors of cosine attention made. */
const arithmetic = new Set(['add', 'sub', 'mul', 'div']);

/**
 * The same outputs in a new graph. Expects constants to be folded; what still depends on constants alone stays float32, so that runtimes compute it once, on the
 * CPU. Throws `incompatible` where a weight is beyond half precision, when it is in memory or else when it is fetched.
 */
export function halveGraph(outputs: Record<string, Value>): Record<string, Value> {
  const wide = new Set<Value>();
  const constant = new Set<Value>();
  const halves = new Map<Value, Value>();
  const floats = new Map<Value, Value>();

  const once = (made: Map<Value, Value>, value: Value, make: () => Value): Value => {
    const known = made.get(value) ?? make();
    made.set(value, known);
    return known;
  };
  const asHalf = (graph: Graph, value: Value): Value =>
    value.dtype === 'float32' ? once(halves, value, () => narrowed(graph, value)) : value;
  const asFloat = (graph: Graph, value: Value): Value =>
    value.dtype === 'float16' ? once(floats, value, () => cast(graph, value, 'float32')) : value;

  const inner = rebuild(outputs, (graph, value, inputs) => {
    if (value.op === inputOp) return graph.adopt(value, inputs);
    if (value.inputs.every((input) => constant.has(input))) {
      constant.add(value);
      return graph.adopt(value, inputs);
    }
    if (value.dtype !== 'float32' || isWide(value, wide)) {
      wide.add(value);
      return graph.adopt(
        value,
        inputs.map((input) => asFloat(graph, input)),
      );
    }
    const operands = inputs.map((input) => asHalf(graph, input));
    return graph.adopt(value, operands, value.attributes, value.op, 'float16');
  });
  return Object.fromEntries(Object.entries(inner).map(([name, value]) => [name, asFloat(value.graph, value)]));
}

function isWide({ op, inputs }: Value, wide: ReadonlySet<Value>): boolean {
  if (wideOps.has(op.name)) return true;
  if (!arithmetic.has(op.name)) return false;
  const isSquare = op.name === 'mul' && inputs[0] === inputs[1];
  return isSquare || inputs.some((input) => wide.has(input));
}

function cast(graph: Graph, value: Value, dtype: 'float32' | 'float16'): Value {
  return graph.scope(value.name, () => graph.apply(castOp, [value], { dtype }, value.shape, dtype));
}

function narrowed(graph: Graph, value: Value): Value {
  if (value.op !== constantOp) return cast(graph, value, 'float16');
  const { data, load, shape } = value;
  const name = `${value.name}.half`;
  if (data) return graph.constant(halfOf(data, value.name), shape, name);
  return graph.deferred(async () => halfOf(await load!(), value.name), shape, name, 'float16');
}

function halfOf(data: Data, name: string): Uint16Array<ArrayBuffer> {
  const bits = encodeHalf(data as Float32Array);
  const at = bits.findIndex((pattern) => (pattern & 0x7c00) === 0x7c00);
  if (at < 0) return bits;
  throw new MettleError('incompatible', `Weight "${name}" holds ${data[at]}, which half precision cannot hold.`, {
    hint: 'Leave out the form float16 of this model.',
  });
}
