/** Operators that work number by number, or along one axis: arithmetic, activations, means, softmax, and the ways to and from integers. */
import { axisFirst, type Live, type TfliteNetwork, Untranslated } from './network.ts';
import { isInteger } from './numbers.ts';
import type { TfliteOperator } from './reader.ts';
import type { Rule } from './rules.ts';
import { options } from './schema.ts';

const byte = ({ options: table }: TfliteOperator, field: number): number => table?.int8(field) ?? 0;

/** Two operands that broadcast from their last axes. */
const arithmetic =
  (type: string, activated = true): Rule =>
  (to, operator) => {
    const [a, b] = operator.inputs;
    const activation = activated ? byte(operator, options.arithmetic.activation) : 0;
    binary(to, operator, [a, b], (names, output) => to.onnx.node(type, names, [output]), activation);
  };

function binary(
  to: TfliteNetwork,
  operator: TfliteOperator,
  indices: readonly (number | undefined)[],
  write: (names: string[], output: string) => void,
  activation: number,
): void {
  const live = indices.map((index) => (to.isConstant(index) ? null : to.live(index)));
  const first = live.some((value) => value?.first);
  const fits = live.every((value, i) => !value || value.shape.length === 4 || to.isConstant(indices[i]));
  if (first && fits) {
    const names = live.map((value, i) => (value ? to.first(value) : constantFirst(to, operator, indices[i]!, i)));
    to.give(operator, true, (output) => write(names, output), { activation });
    return;
  }
  const names = indices.map((index) => to.last(to.live(index)));
  to.give(operator, false, (output) => write(names, output), { activation });
}

/** A constant as it broadcasts over maps with channels first. */
function constantFirst(to: TfliteNetwork, operator: TfliteOperator, index: number, at: number): string {
  const { shape } = to.tensors[index]!;
  if (shape.length > 4) throw new Untranslated(`with a constant of [${shape}]`);
  const whole = [...Array.from({ length: 4 - shape.length }, () => 1), ...shape];
  return to.constant(operator, `constant.${at}`, index, [0, 3, 1, 2], whole);
}

/** One operand, in whichever order it is. */
const unary =
  (write: (to: TfliteNetwork, name: string, output: string, operator: TfliteOperator) => void): Rule =>
  (to, operator) => {
    const input = to.live(operator.inputs[0]);
    to.give(operator, input.first, (output) => write(to, input.name, output, operator));
  };

const node = (type: string, attributes: Record<string, string> = {}): Rule =>
  unary((to, name, output) => to.onnx.node(type, [name], [output], attributes));

const clipped = (least: number, most: number): Rule =>
  unary((to, name, output) => to.clip(name, [least, most], output));

const squaredDifference: Rule = (to, operator) => {
  const [a, b] = operator.inputs;
  binary(
    to,
    operator,
    [a, b],
    (names, output) => {
      const difference = to.step('Sub', names);
      to.onnx.node('Mul', [difference, difference], [output]);
    },
    0,
  );
};

const prelu: Rule = (to, operator) => {
  const [x, slope] = operator.inputs;
  binary(to, operator, [x, slope], (names, output) => to.onnx.node('PRelu', names, [output]), 0);
};

const leakyRelu = unary((to, name, output, { options: table }) => {
  const alpha = table?.float32(options.leakyRelu.alpha) ?? 0;
  to.onnx.node('LeakyRelu', [name], [output], { alpha: to.onnx.float(alpha) });
});

const gelu = unary((to, name, output, { options: table }) => {
  const approximate = table?.int8(options.gelu.approximate) ? 'tanh' : 'none';
  to.onnx.node('Gelu', [name], [output], { approximate });
});

const softmax =
  (type: 'Softmax' | 'LogSoftmax'): Rule =>
  (to, operator) => {
    const input = to.live(operator.inputs[0]);
    const beta = type === 'Softmax' ? (operator.options?.float32(options.softmax.beta) ?? 1) : 1;
    const scaled = beta === 1 ? input.name : to.step('Mul', [input.name, to.scalar(beta)]);
    const axis = input.first ? 1 : -1;
    to.give(operator, input.first, (output) => to.onnx.node(type, [scaled], [output], { axis }));
  };

/** Over some axes; channels may stay first where the axes that are left keep their order. */
const reduce =
  (type: string): Rule =>
  (to, operator) => {
    const [x, list] = operator.inputs;
    const input = to.live(x);
    const { length } = input.shape;
    const axes = to.integers(list).map((axis) => (axis < 0 ? axis + length : axis));
    if (axes.length === 0 || axes.some((axis) => axis < 0 || axis >= length)) {
      throw new Untranslated(`over axes [${axes}] of [${input.shape}]`);
    }
    if (axes.includes(0)) to.fixBatch();
    const keeps = byte(operator, options.reduce.keepDimensions) !== 0;
    const left = [0, 3, 1, 2].filter((axis) => !axes.includes(axis));
    const first = input.first && (keeps || left.every((axis, i) => i === 0 || axis > left[i - 1]!));
    const name = first ? input.name : to.last(input);
    const places = to.onnx.integers(first ? axes.map(axisFirst) : axes);
    to.give(operator, first && keeps, (output) =>
      to.onnx.node(type, [name, places], [output], { keepdims: keeps ? 1 : 0 }),
    );
  };

/** To integers: computing in floats, what is left of it is the range of those integers. */
const quantize: Rule = (to, operator) => {
  const input = to.live(operator.inputs[0]);
  to.give(operator, input.first, (output) => to.onnx.node('Identity', [input.name], [output]));
};

/** From integers: their value is the same. Of a constant, which may be half precision, the numbers are. */
const dequantize: Rule = (to, operator) => {
  const [x] = operator.inputs;
  const output = operator.outputs[0]!;
  if (to.isConstant(x)) to.fold(output, to.floats(x));
  else to.define(output, to.live(x));
};

/** Floats among themselves; a constant that is cast is one. */
const cast: Rule = (to, operator) => {
  const [x] = operator.inputs;
  const output = operator.outputs[0]!;
  const { type } = to.tensors[output]!;
  if (isInteger(type) || type === 'bool') throw new Untranslated(`to ${type}`);
  if (to.isConstant(x)) to.fold(output, to.floats(x));
  else to.define(output, to.live(x));
};

const argMax: Rule = (to, operator) => {
  const [x, place] = operator.inputs;
  const input: Live = to.live(x);
  const [axis = -1] = to.integers(place);
  const wanted = axis < 0 ? axis + input.shape.length : axis;
  to.give(
    operator,
    false,
    (output) => {
      const places = to.step('ArgMax', [to.last(input)], { axis: wanted, keepdims: 0 });
      to.onnx.node('Cast', [places], [output], { to: to.onnx.dtypeCode('float32') });
    },
    { limited: false },
  );
};

export const numberRules: Record<string, Rule> = {
  ADD: arithmetic('Add'),
  SUB: arithmetic('Sub'),
  MUL: arithmetic('Mul'),
  DIV: arithmetic('Div'),
  MAXIMUM: arithmetic('Max', false),
  MINIMUM: arithmetic('Min', false),
  POW: arithmetic('Pow', false),
  SQUARED_DIFFERENCE: squaredDifference,
  PRELU: prelu,
  RELU: clipped(0, Infinity),
  RELU6: clipped(0, 6),
  RELU_N1_TO_1: clipped(-1, 1),
  RELU_0_TO_1: clipped(0, 1),
  HARD_SWISH: node('HardSwish'),
  LOGISTIC: node('Sigmoid'),
  TANH: node('Tanh'),
  ELU: node('Elu'),
  LEAKY_RELU: leakyRelu,
  GELU: gelu,
  ABS: node('Abs'),
  NEG: node('Neg'),
  EXP: node('Exp'),
  LOG: node('Log'),
  SQRT: node('Sqrt'),
  RSQRT: unary((to, name, output) => to.onnx.node('Reciprocal', [to.step('Sqrt', [name])], [output])),
  SQUARE: unary((to, name, output) => to.onnx.node('Mul', [name, name], [output])),
  FLOOR: node('Floor'),
  CEIL: node('Ceil'),
  SIN: node('Sin'),
  COS: node('Cos'),
  SOFTMAX: softmax('Softmax'),
  LOG_SOFTMAX: softmax('LogSoftmax'),
  MEAN: reduce('ReduceMean'),
  SUM: reduce('ReduceSum'),
  REDUCE_MAX: reduce('ReduceMax'),
  REDUCE_MIN: reduce('ReduceMin'),
  QUANTIZE: quantize,
  DEQUANTIZE: dequantize,
  CAST: cast,
  ARG_MAX: argMax,
};
