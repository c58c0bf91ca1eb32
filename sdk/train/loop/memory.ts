/**
 * What a training step costs, counted from its graph and not measured: bytes that must be kept from the forward pass until the backward pass reads them, the
 * parameters that are trained, and multiply-adds. A runtime may keep more, and recomputing can keep less.
 */
import { constantOp, grad, inputOp, reachable, sizeOf, type Value } from '../../ops/index.ts';

export type StepCost = {
  /** Numbers that are trained. */
  parameters: number;
  /**
   * Bytes of forward values that gradient nodes read, as float32. Inputs (taps, labels), constants and parameters are not counted: they are there anyway.
   * A reshaped value is its source.
   */
  savedBytes: number;
  /** Of those, bytes of values that no parameter has a part in (normed taps): they can be computed again from what is there anyway. */
  frozenBytes: number;
  /** Multiply-adds of matrix products and convolutions. */
  forwardMacs: number;
  backwardMacs: number;
};

/** Counts the step that minimises `loss` over `parameters`, all of one graph. Extends the graph by the gradients. */
export function costOf(loss: Value, parameters: readonly Value[]): StepCost {
  const forward = reachable([loss]);
  const last = loss.id;
  const backward = reachable(grad(loss, parameters)).filter((value) => value.id > last);
  const saved = new Set<Value>();
  for (const value of backward.flatMap(({ inputs }) => inputs)) {
    const source = unreshaped(value);
    if (source.id <= last && source.op !== inputOp && source.op !== constantOp) saved.add(source);
  }
  const trained = new Set<Value>(parameters);
  for (const value of forward) if (value.inputs.some((input) => trained.has(input))) trained.add(value);
  const frozen = [...saved].filter((value) => !trained.has(value));
  return {
    parameters: total(parameters, ({ shape }) => sizeOf(shape)),
    savedBytes: total(saved, bytesOf),
    frozenBytes: total(frozen, bytesOf),
    forwardMacs: total(forward, macs),
    backwardMacs: total(backward, macs),
  };
}

const bytesOf = ({ shape }: Value): number => 4 * sizeOf(shape);

function unreshaped(value: Value): Value {
  return value.op.name === 'reshape' ? unreshaped(value.inputs[0]!) : value;
}

function macs({ op, inputs, attributes, shape }: Value): number {
  const [a, b] = inputs;
  if (op.name === 'matmul') return sizeOf(shape) * a!.shape.at(attributes.transposeA ? -2 : -1)!;
  if (op.name === 'conv2d') return sizeOf(shape) * sizeOf(b!.shape.slice(1));
  return 0;
}

const total = (values: Iterable<Value>, count: (value: Value) => number): number =>
  [...values].reduce((sum, value) => sum + count(value), 0);
