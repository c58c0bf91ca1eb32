/** Operations value by value, with broadcasting where there are two operands. */
import { broadcast, type Op, type Operand, type Value } from './graph.ts';
import { sumTo } from './reduce.ts';

const emitAs =
  (type: string): NonNullable<Op['emit']> =>
  (to, _value, inputs, output) => {
    to.node(type, inputs, [output]);
  };

/** Both operands as values of one graph. */
function pair(a: Operand, b: Operand): [Value, Value] {
  if (typeof a !== 'number') return [a, typeof b === 'number' ? a.graph.scalar(b) : b];
  if (typeof b !== 'number') return [b.graph.scalar(a), b];
  throw new Error('at least one operand must be a value');
}

function binary(op: Op, a: Operand, b: Operand): Value {
  const [x, y] = pair(a, b);
  return x.graph.apply(op, [x, y], {}, broadcast(x.shape, y.shape));
}

const unary = (op: Op, x: Value): Value => x.graph.apply(op, [x], {}, x.shape);

/** A rule for two operands from the gradients before broadcasting is undone. */
const pairRule =
  (rule: (x: Value, y: Value, dy: Value, value: Value) => [() => Value, () => Value]): NonNullable<Op['backward']> =>
  (value, dy, needs) => {
    const [x, y] = value.inputs as [Value, Value];
    const [dx, dz] = rule(x, y, dy, value);
    return [needs[0] ? sumTo(dx(), x.shape) : null, needs[1] ? sumTo(dz(), y.shape) : null];
  };

const addOp: Op = { name: 'add', emit: emitAs('Add'), backward: pairRule((_x, _y, dy) => [() => dy, () => dy]) };
const subOp: Op = { name: 'sub', emit: emitAs('Sub'), backward: pairRule((_x, _y, dy) => [() => dy, () => neg(dy)]) };
const mulOp: Op = {
  name: 'mul',
  emit: emitAs('Mul'),
  backward: pairRule((x, y, dy) => [() => mul(dy, y), () => mul(dy, x)]),
};
const divOp: Op = {
  name: 'div',
  emit: emitAs('Div'),
  backward: pairRule((_x, y, dy, value) => [() => div(dy, y), () => neg(div(mul(dy, value), y))]),
};

export const add = (a: Operand, b: Operand): Value => (b === 0 && typeof a !== 'number' ? a : binary(addOp, a, b));
export const sub = (a: Operand, b: Operand): Value => binary(subOp, a, b);
export const mul = (a: Operand, b: Operand): Value => (b === 1 && typeof a !== 'number' ? a : binary(mulOp, a, b));
export const div = (a: Operand, b: Operand): Value => binary(divOp, a, b);

/** max(a, b); where both are equal the gradient goes to `a`. */
const maxOp: Op = {
  name: 'max',
  emit: emitAs('Max'),
  backward: pairRule((x, y, dy) => chosen(dy, isGreaterOrEqual(x, y))),
};
/** min(a, b); where both are equal the gradient goes to `a`. */
const minOp: Op = {
  name: 'min',
  emit: emitAs('Min'),
  backward: pairRule((x, y, dy) => chosen(dy, isGreaterOrEqual(y, x))),
};
const chosen = (dy: Value, first: Value): [() => Value, () => Value] => [
  () => mul(dy, first),
  () => mul(dy, sub(1, first)),
];
export const maximum = (a: Operand, b: Operand): Value => binary(maxOp, a, b);
export const minimum = (a: Operand, b: Operand): Value => binary(minOp, a, b);

/** 1 where a >= b, else 0; no gradient passes. */
const greaterOrEqualOp: Op = {
  name: 'greaterOrEqual',
  emit(to, value, inputs, output) {
    to.node('GreaterOrEqual', inputs, [`${output}/bool`]);
    to.node('Cast', [`${output}/bool`], [output], { to: to.dtypeCode(value.dtype) });
  },
};
export const isGreaterOrEqual = (a: Operand, b: Operand): Value => binary(greaterOrEqualOp, a, b);

/** A rule for one operand: dy times a factor. */
const factorRule =
  (factor: (x: Value, y: Value) => Value): NonNullable<Op['backward']> =>
  (value, dy) => [mul(dy, factor(value.inputs[0]!, value))];

const expOp: Op = { name: 'exp', emit: emitAs('Exp'), backward: factorRule((_x, y) => y) };
const logOp: Op = { name: 'log', emit: emitAs('Log'), backward: (value, dy) => [div(dy, value.inputs[0]!)] };
const sqrtOp: Op = { name: 'sqrt', emit: emitAs('Sqrt'), backward: (value, dy) => [div(mul(dy, 0.5), value)] };
const absOp: Op = {
  name: 'abs',
  emit: emitAs('Abs'),
  backward: factorRule((x) => sub(mul(isGreaterOrEqual(x, 0), 2), 1)),
};
const tanhOp: Op = { name: 'tanh', emit: emitAs('Tanh'), backward: factorRule((_x, y) => sub(1, mul(y, y))) };
const sigmoidOp: Op = { name: 'sigmoid', emit: emitAs('Sigmoid'), backward: factorRule((_x, y) => mul(y, sub(1, y))) };
const reluOp: Op = { name: 'relu', emit: emitAs('Relu'), backward: factorRule((x) => sub(1, isGreaterOrEqual(0, x))) };
const erfOp: Op = {
  name: 'erf',
  emit: emitAs('Erf'),
  backward: factorRule((x) => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
};
/** Exact GELU, x times the normal distribution function of x. */
const geluOp: Op = {
  name: 'gelu',
  emit: emitAs('Gelu'),
  backward: factorRule((x) => {
    const distribution = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return add(distribution, mul(x, density));
  }),
};

export const neg = (x: Operand): Value => mul(x, -1);
export const exp = (x: Value): Value => unary(expOp, x);
export const log = (x: Value): Value => unary(logOp, x);
export const sqrt = (x: Value): Value => unary(sqrtOp, x);
export const abs = (x: Value): Value => unary(absOp, x);
export const tanh = (x: Value): Value => unary(tanhOp, x);
export const sigmoid = (x: Value): Value => unary(sigmoidOp, x);
export const relu = (x: Value): Value => unary(reluOp, x);
export const erf = (x: Value): Value => unary(erfOp, x);
export const gelu = (x: Value): Value => unary(geluOp, x);
/** log(1 + exp(x)) without overflow. */
export const softplus = (x: Value): Value => add(relu(x), log(add(exp(neg(abs(x))), 1)));
