/**
 * Reverse-mode differentiation: extends a graph by the values that are the gradients of a scalar.
 *
 * A norm of something that no parameter has a part in (a tap of a frozen backbone) is computed again where a gradient needs it, instead of being kept from the
 * forward pass: that is cheap, and normed taps would otherwise be most of what training keeps.
 */
import { add, mul } from './elementwise.ts';
import { sameShape, sizeOf, type Value } from './graph.ts';
import { concat, expand, sliceOp } from './layout.ts';
import { matmulOp } from './linear.ts';
import { layerNormAgain, layerNormOp } from './normalize.ts';

/**
 * Gradients of `loss` (one number) with respect to each of `parameters`, as values of the same graph and of the parameters' shapes;
 * zeros for a parameter that the loss does not depend on. Throws if an operation on the way has no backward rule.
 */
export function grad(loss: Value, parameters: readonly Value[]): Value[] {
  if (sizeOf(loss.shape) !== 1) throw new Error(`loss must be one number, got [${loss.shape}]`);
  const graph = loss.graph;
  const forward = graph.values.slice(0, loss.id + 1);
  const depends = new Set<Value>(parameters);
  for (const value of forward) if (value.inputs.some((input) => depends.has(input))) depends.add(value);

  const gradients = new Map<Value, Value>([[loss, expand(graph.scalar(1), loss.shape)]]);
  const receive = (input: Value, dx: Value): void => {
    const sum = gradients.get(input);
    gradients.set(input, sum ? add(sum, dx) : dx);
  };
  const parts = new Map<Value, Value[]>();
  graph.scope('grad', () => {
    for (const value of forward.reverse()) {
      // Whatever is computed from a value comes after it, so all slices of it have been seen by now.
      for (const dx of joined(value, parts.get(value) ?? [], gradients)) receive(value, dx);
      const dy = gradients.get(value);
      if (!dy || value.inputs.length === 0 || !depends.has(value)) continue;
      if (!value.op.backward) throw new Error(`operation ${value.op.name} has no backward rule (${value.name})`);
      const needs = value.inputs.map((input) => depends.has(input));
      if (value.op === sliceOp && needs[0]) {
        const source = value.inputs[0]!;
        parts.set(source, [...(parts.get(source) ?? []), value]);
        continue;
      }
      value.op.backward(value.op === matmulOp ? withNormsAgain(value, depends) : value, dy, needs).forEach((dx, i) => {
        const input = value.inputs[i]!;
        if (!dx || !needs[i]) return;
        if (!sameShape(dx.shape, input.shape)) {
          throw new Error(`gradient of ${value.op.name} has shape [${dx.shape}], expected [${input.shape}]`);
        }
        receive(input, dx);
      });
    }
  });
  return parameters.map((p) => gradients.get(p) ?? mul(expand(graph.scalar(0), p.shape), 1));
}

/**
 * What comes back to `source` from slices of it: where they lie side by side on one axis and leave nothing out (the parts of a joint projection), one array of their gradients, as
 * padding each with zeros and adding them passes over the memory several times; else each by its own rule.
 */
function joined(source: Value, slices: readonly Value[], gradients: ReadonlyMap<Value, Value>): Value[] {
  const axis = source.shape.findIndex((length, i) => slices.some(({ shape }) => shape[i] !== length));
  const startOf = (slice: Value): number => (slice.attributes.starts as number[])[axis]!;
  const inOrder = [...slices].sort((a, b) => startOf(a) - startOf(b));
  let end = 0;
  const cover = inOrder.every((slice) => {
    const fits = startOf(slice) === end && slice.shape.every((length, i) => i === axis || length === source.shape[i]);
    end += slice.shape[axis]!;
    return fits;
  });
  const dys = inOrder.map((slice) => gradients.get(slice)!);
  if (slices.length > 1 && cover && end === source.shape[axis]) return [concat(dys, axis)];
  return slices.map((slice) => sliceOp.backward!(slice, gradients.get(slice)!, [true])[0]!);
}

/** A product as its backward rule shall see it: the rule reads its operands and never the product itself. */
function withNormsAgain(value: Value, depends: ReadonlySet<Value>): Value {
  const isFrozenNorm = (input: Value): boolean => input.op === layerNormOp && !depends.has(input);
  if (!value.inputs.some(isFrozenNorm)) return value;
  const inputs = value.inputs.map((input) => (isFrozenNorm(input) ? layerNormAgain(input) : input));
  return Object.create(value, { inputs: { value: inputs } }) as Value;
}
