/** Operators that move numbers about and compute none. */
import { axisFirst, type Live, type TfliteNetwork, Untranslated } from './network.ts';
import { sizeOf, type TfliteOperator } from './reader.ts';
import type { Rule } from './rules.ts';
import { options } from './schema.ts';

const int = ({ options: table }: TfliteOperator, field: number): number => table?.int32(field) ?? 0;

/** To the shape that the file says the output has, by whatever name. */
const reshape: Rule = (to, operator) => {
  const output = operator.outputs[0];
  const tensor = to.tensors[output ?? -1];
  if (!tensor) throw new Untranslated('without an output');
  const [x] = operator.inputs;
  if (to.isConstant(x) && sizeOf(tensor.shape) === sizeOf(to.tensors[x!]!.shape)) to.fold(output!, to.floats(x));
  else named(to, operator, to.reshaped(to.live(x), tensor.shape));
};

/** Gives the output of an operator the value of a step. */
function named(to: TfliteNetwork, operator: TfliteOperator, { name, first }: Live): void {
  to.give(operator, first, (output) => to.onnx.node('Identity', [name], [output]), { limited: false });
}

const concatenation: Rule = (to, operator) => {
  const lives = operator.inputs.map((index) => to.live(index));
  const rank = lives[0]?.shape.length ?? 0;
  const given = int(operator, options.concatenation.axis);
  const axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis >= rank) throw new Untranslated(`along axis ${given}`);
  if (axis === 0) to.fixBatch();
  const first = rank === 4 && lives.some((live) => live.first);
  const names = lives.map((live) => (first ? to.first(live) : to.last(live)));
  const activation = operator.options?.int8(options.concatenation.activation) ?? 0;
  to.give(
    operator,
    first,
    (output) => to.onnx.node('Concat', names, [output], { axis: first ? axisFirst(axis) : axis }),
    { activation },
  );
};

const pad =
  (mode: 'constant' | 'mirror'): Rule =>
  (to, operator) => {
    const [x, list, filled] = operator.inputs;
    const input = to.live(x);
    const { length } = input.shape;
    const amounts = to.integers(list);
    if (amounts.length !== 2 * length || amounts.some((amount) => amount < 0)) {
      throw new Untranslated(`by [${amounts.slice(0, 16)}] of [${input.shape}]`);
    }
    if (amounts[0]! + amounts[1]! > 0) to.fixBatch();
    const axes = Array.from({ length }, (_, axis) => axis);
    const order = input.first ? [0, 3, 1, 2] : axes;
    const pads = [...order.map((axis) => amounts[2 * axis]!), ...order.map((axis) => amounts[2 * axis + 1]!)];
    const value = mode === 'constant' && filled !== undefined ? to.floats(filled)[0]! : 0;
    if (mode === 'mirror' && operator.options?.int8(options.mirrorPad.mode) === 1) {
      throw new Untranslated('that repeats the edge');
    }
    const attributes = { mode: mode === 'mirror' ? 'reflect' : 'constant' };
    const inputs = [input.name, to.onnx.integers(pads), ...(mode === 'constant' ? [to.scalar(value)] : [])];
    to.give(operator, input.first, (output) => to.onnx.node('Pad', inputs, [output], attributes));
  };

/** Axes, where each begins and ends, and its steps. */
type Cut = { axis: number; start: number; end: number; step: number };

function slice(to: TfliteNetwork, input: Live, cuts: readonly Cut[]): Live {
  if (cuts.some(({ axis }) => axis === 0)) to.fixBatch();
  const list = (value: (cut: Cut) => number): string => to.onnx.integers(cuts.map(value));
  const places = list(({ axis }) => (input.first ? axisFirst(axis) : axis));
  const name = to.step('Slice', [
    input.name,
    list(({ start }) => start),
    list(({ end }) => end),
    places,
    list(({ step }) => step),
  ]);
  return { name, shape: input.shape, first: input.first };
}

const bit = (mask: number, axis: number): boolean => ((mask >> axis) & 1) === 1;

const stridedSlice: Rule = (to, operator) => {
  const [x, begin, end, stride] = operator.inputs;
  const input = to.live(x);
  const at = options.stridedSlice;
  if (int(operator, at.ellipsis) !== 0 || int(operator, at.newAxis) !== 0) throw new Untranslated('with new axes');
  const [beginMask, endMask, shrinkMask] = [at.begin, at.end, at.shrink].map((field) => int(operator, field));
  const [starts, ends, steps] = [begin, end, stride].map((index) => to.integers(index));
  if (starts!.length > input.shape.length) throw new Untranslated(`of [${input.shape}]`);
  const cuts = starts!.flatMap((start, axis): Cut[] => {
    const length = input.shape[axis]!;
    const step = steps![axis] ?? 1;
    if (step < 1) throw new Untranslated('that goes backwards');
    const from = bit(beginMask!, axis) ? 0 : start < 0 ? start + length : start;
    const given = ends![axis] ?? length;
    const to = bit(endMask!, axis) ? length : given < 0 ? given + length : given;
    if (bit(shrinkMask!, axis)) return [{ axis, start: from, end: from + 1, step: 1 }];
    return from === 0 && to >= length && step === 1 ? [] : [{ axis, start: from, end: to, step }];
  });
  sliced(to, operator, input, cuts);
};

const sliceRule: Rule = (to, operator) => {
  const [x, begin, size] = operator.inputs;
  const input = to.live(x);
  const [starts, sizes] = [to.integers(begin), to.integers(size)];
  if (starts.length !== input.shape.length || sizes.length !== starts.length) throw new Untranslated('of some axes');
  const cuts = starts.flatMap((start, axis): Cut[] => {
    const length = input.shape[axis]!;
    const end = sizes[axis] === -1 ? length : start + sizes[axis]!;
    return start === 0 && end === length ? [] : [{ axis, start, end, step: 1 }];
  });
  sliced(to, operator, input, cuts);
};

function sliced(to: TfliteNetwork, operator: TfliteOperator, input: Live, cuts: readonly Cut[]): void {
  const { shape } = to.tensors[operator.outputs[0] ?? -1] ?? {};
  if (!shape) throw new Untranslated('without an output');
  const cut = cuts.length > 0 ? slice(to, input, cuts) : input;
  const kept = input.shape.map((length, axis) => {
    const own = cuts.find((one) => one.axis === axis);
    return own ? Math.max(0, Math.ceil((Math.min(own.end, length) - own.start) / own.step)) : length;
  });
  const whole = { ...cut, shape: kept };
  named(to, operator, String(kept) === String(shape) ? whole : to.reshaped(whole, shape));
}

const transpose: Rule = (to, operator) => {
  const [x, list] = operator.inputs;
  const input = to.live(x);
  const perm = to.integers(list);
  if (perm.length !== input.shape.length || new Set(perm).size !== perm.length) {
    throw new Untranslated(`of [${input.shape}] by [${perm.slice(0, 8)}]`);
  }
  if (perm[0] !== 0) to.fixBatch();
  to.give(operator, false, (output) => to.onnx.node('Transpose', [to.last(input)], [output], { perm }), {
    limited: false,
  });
};

const gather: Rule = (to, operator) => {
  const [x, places] = operator.inputs;
  const input = to.live(x);
  if (int(operator, options.gather.batchDimensions) !== 0) throw new Untranslated('by batch');
  const given = int(operator, options.gather.axis);
  const axis = given < 0 ? given + input.shape.length : given;
  if (axis === 0) to.fixBatch();
  const indices = BigInt64Array.from(to.integers(places), BigInt);
  const shape = to.tensors[places!]!.shape;
  const name = to.onnx.once(`places/${places}`, (made) => to.onnx.initializer(made, shape, indices));
  to.give(operator, false, (output) => to.onnx.node('Gather', [to.last(input), name], [output], { axis }), {
    limited: false,
  });
};

export const layoutRules: Record<string, Rule> = {
  RESHAPE: reshape,
  SQUEEZE: reshape,
  EXPAND_DIMS: reshape,
  CONCATENATION: concatenation,
  PAD: pad('constant'),
  PADV2: pad('constant'),
  MIRROR_PAD: pad('mirror'),
  STRIDED_SLICE: stridedSlice,
  SLICE: sliceRule,
  TRANSPOSE: transpose,
  GATHER: gather,
};
