/**
 * What a node gives: shapes from the shapes before it, and the numbers of small values where shapes follow from them (Shape, Gather, Concat, Reshape ...). Only as
 * exact as an estimate of memory needs: a node that it does not know gives a value of unknown shape. Checks nothing; that is the runtime's business.
 */
import type { OnnxNode } from './reader.ts';
import * as layouts from './shape-layouts.ts';
import {
  Attributes,
  axisOf,
  broadcast,
  type Inputs,
  integers,
  itemBytesOf,
  type Known,
  like,
  numbersOf,
  type Rule,
  type Shape,
  shapeOf,
  sizeOf,
  Unknown,
  withNumbers,
} from './shapes.ts';

/** Of each output, in order; null where nothing is known. */
export function outputsOf(node: OnnxNode, inputs: Inputs): (Known | null)[] {
  const rule = rules.get(node.opType);
  if (!rule) return [];
  try {
    return rule(new Attributes(node.attributes), inputs, node.outputs.length);
  } catch (error) {
    // A node whose inputs do not go together; the runtime will say so.
    if (error instanceof Unknown) return [];
    throw error;
  }
}

const same: Rule = (_, inputs, outputs) => Array.from({ length: outputs }, () => like(inputs, shapeOf(inputs[0])));

const elementwise =
  (compute: ((...xs: number[]) => number) | null, itemBytes?: number): Rule =>
  (_, inputs) => {
    const given = inputs.filter((input) => input !== null);
    const shape = broadcast(given.map(shapeOf));
    const known = { shape, itemBytes: itemBytes ?? Math.max(...given.map((input) => input.itemBytes)) };
    if (!compute) return [known];
    return [
      withNumbers(known, given, (numbers) =>
        Array.from({ length: sizeOf(shape) }, (_, i) => compute(...numbers.map((xs) => xs[xs.length === 1 ? 0 : i]!))),
      ),
    ];
  };

const unary = (compute: (x: number) => number): Rule => elementwise(compute);

function matmul(a: Shape, b: Shape): Shape {
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  const batch = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  return [...batch, ...(a.length === 1 ? [] : [left.at(-2)!]), ...(b.length === 1 ? [] : [right.at(-1)!])];
}

/** Lengths along the axes of space, of a convolution or pool of `kernel`. */
function windows(node: Attributes, space: Shape, kernel: Shape): Shape {
  const strides = node.ints('strides') ?? space.map(() => 1);
  const dilations = node.ints('dilations') ?? space.map(() => 1);
  const pads = node.ints('pads') ?? space.flatMap(() => [0, 0]);
  const automatic = node.text('auto_pad');
  const round = node.int('ceil_mode', 0) ? Math.ceil : Math.floor;
  return space.map((length, axis) => {
    const stride = strides[axis] ?? 1;
    if (automatic.startsWith('SAME')) return Math.ceil(length / stride);
    const padded = automatic === 'VALID' ? length : length + pads[axis]! + pads[axis + space.length]!;
    return Math.max(0, round((padded - ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) - 1) / stride) + 1);
  });
}

const convolution =
  (weights: number, itemBytes?: number): Rule =>
  (node, inputs) => {
    const [batch, , ...space] = shapeOf(inputs[0]) as [number, number, ...number[]];
    const [channels, , ...kernel] = shapeOf(inputs[weights]) as [number, number, ...number[]];
    const shape = [batch, channels, ...windows(node, space, node.ints('kernel_shape') ?? kernel)];
    return [{ shape, itemBytes: itemBytes ?? itemBytesOf(inputs) }];
  };

const pool: Rule = (node, inputs, outputs) => {
  const [batch, channels, ...space] = shapeOf(inputs[0]) as [number, number, ...number[]];
  const shape = [batch, channels, ...windows(node, space, node.ints('kernel_shape') ?? [])];
  return Array.from({ length: outputs }, (_, at) => ({ shape, itemBytes: at === 0 ? itemBytesOf(inputs) : 8 }));
};

const globalPool: Rule = (_, inputs) => [
  like(
    inputs,
    shapeOf(inputs[0]).map((length, axis) => (axis < 2 ? length : 1)),
  ),
];

const convTranspose: Rule = (node, inputs) => {
  const [batch, , ...space] = shapeOf(inputs[0]) as [number, number, ...number[]];
  const [, channels, ...kernel] = shapeOf(inputs[1]) as [number, number, ...number[]];
  const given = node.ints('output_shape');
  const [strides, pads, extra] = [node.ints('strides'), node.ints('pads'), node.ints('output_padding')];
  const dilations = node.ints('dilations');
  const grown = space.map((length, axis) => {
    const stride = strides?.[axis] ?? 1;
    if (node.text('auto_pad').startsWith('SAME')) return length * stride;
    const reach = ((kernel[axis] ?? 1) - 1) * (dilations?.[axis] ?? 1) + 1;
    const cut = (pads?.[axis] ?? 0) + (pads?.[axis + space.length] ?? 0);
    return Math.max(0, stride * (length - 1) + (extra?.[axis] ?? 0) + reach - cut);
  });
  return [like(inputs, [batch, channels * node.int('group', 1), ...(given?.slice(-space.length) ?? grown)])];
};

const reduce =
  (compute?: (xs: number[]) => number): Rule =>
  (node, inputs) => {
    const shape = shapeOf(inputs[0]);
    const named = node.ints('axes') ?? (inputs[1] ? numbersOf(inputs[1]) : null);
    const keeps = node.int('keepdims', 1) === 1;
    const none = named === null || named.length === 0;
    if (none && node.int('noop_with_empty_axes', 0)) return [like(inputs, shape)];
    const axes = none ? shape.map((_, axis) => axis) : named.map((axis) => axisOf(axis, shape.length));
    const left = shape.flatMap((length, axis) => (axes.includes(axis) ? (keeps ? [1] : []) : [length]));
    const known = like(inputs, left);
    const whole = sizeOf(left) === 1;
    return [compute && whole ? withNumbers(known, inputs.slice(0, 1), ([xs]) => [compute(xs!)]) : known];
  };

const argReduce: Rule = (node, inputs) => {
  const shape = [...shapeOf(inputs[0])];
  const axis = axisOf(node.int('axis', 0), shape.length);
  shape.splice(axis, 1, ...(node.int('keepdims', 1) ? [1] : []));
  return [{ shape, itemBytes: 8 }];
};

const einsum: Rule = (node, inputs) => {
  const [terms, result] = node.text('equation').replaceAll(' ', '').split('->');
  const lengths = new Map<string, number>();
  terms!.split(',').forEach((term, at) => {
    const shape = shapeOf(inputs[at]);
    [...term].forEach((letter, axis) => lengths.set(letter, shape[axis] ?? 1));
  });
  if (result === undefined || result.includes('.')) throw new Unknown();
  return [
    like(
      inputs,
      [...result].map((letter) => lengths.get(letter) ?? 1),
    ),
  ];
};

const gemm: Rule = (node, inputs) => {
  const [a, b] = [shapeOf(inputs[0]), shapeOf(inputs[1])];
  return [like(inputs, [a[node.int('transA', 0) ? 1 : 0]!, b[node.int('transB', 0) ? 0 : 1]!])];
};

const recurrent: Rule = (node, inputs) => {
  const [seconds, batch] = shapeOf(inputs[0]) as [number, number];
  const [directions] = shapeOf(inputs[1]) as [number];
  const hidden = node.int('hidden_size', 1);
  const last = like(inputs, [directions, batch, hidden]);
  return [like(inputs, [seconds, directions, batch, hidden]), last, last];
};

const hann: Rule = (_, inputs) => [{ shape: [numbersOf(inputs[0])[0]!], itemBytes: 4 }];

const gridSample: Rule = (_, inputs) => {
  const [shape, grid] = [shapeOf(inputs[0]), shapeOf(inputs[1])];
  return [like(inputs, [...shape.slice(0, 2), ...grid.slice(1, -1)])];
};

/** At most: a place for every number that is not 0. */
const nonZero: Rule = (_, inputs) => [{ shape: [shapeOf(inputs[0]).length, sizeOf(shapeOf(inputs[0]))], itemBytes: 8 }];

const cast: Rule = (node, inputs) => {
  const bytes: Record<number, number> = { 1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2 };
  const [input] = inputs;
  const numbers = input?.numbers && [6, 7].includes(node.int('to', 1)) ? input.numbers.map(Math.trunc) : input?.numbers;
  return [{ shape: shapeOf(input), itemBytes: bytes[node.int('to', 1)] ?? 8, ...(numbers && { numbers }) }];
};

const quantized: Rule = (_, inputs) => [
  { shape: shapeOf(inputs[0]), itemBytes: 1 },
  { shape: [], itemBytes: 4 },
  { shape: [], itemBytes: 1 },
];

const sum = (...xs: number[]): number => xs.reduce((a, b) => a + b, 0);
const rules = new Map<string, Rule>([
  ['Add', elementwise(sum)],
  ['Sum', elementwise(sum)],
  ['Sub', elementwise((a, b) => a - b)],
  ['Mul', elementwise((a, b) => a * b)],
  [
    'Div',
    (node, inputs, outputs) =>
      elementwise(inputs.some((input) => input?.itemBytes === 8) ? (a, b) => Math.trunc(a / b) : (a, b) => a / b)(
        node,
        inputs,
        outputs,
      ),
  ],
  ['Mod', elementwise((a, b) => a % b)],
  ['Min', elementwise(Math.min)],
  ['Max', elementwise(Math.max)],
  ['Pow', elementwise((a, b) => a ** b)],
  ['Equal', elementwise((a, b) => Number(a === b), 1)],
  ['Greater', elementwise((a, b) => Number(a > b), 1)],
  ['Less', elementwise((a, b) => Number(a < b), 1)],
  [
    'Where',
    (node, inputs) => [
      { ...elementwise((which, a, b) => (which ? a : b))(node, inputs, 1)[0]!, itemBytes: inputs[1]?.itemBytes ?? 4 },
    ],
  ],
  ...list('And Or Xor GreaterOrEqual LessOrEqual', elementwise(null, 1)),
  ...list('Mean BitShift BitwiseAnd BitwiseOr BitwiseXor PRelu', elementwise(null)),
  ['Identity', unary((x) => x)],
  ['Neg', unary((x) => -x)],
  ['Abs', unary(Math.abs)],
  ['Ceil', unary(Math.ceil)],
  ['Floor', unary(Math.floor)],
  ...list(
    `Acos Acosh Asin Asinh Atan Atanh BitwiseNot Celu Clip Cos Cosh CumSum Elu Erf Exp Gelu HardSigmoid HardSwish Hardmax LRN LeakyRelu Log LogSoftmax
    LpNormalization MeanVarianceNormalization Mish Reciprocal Relu ReverseSequence Round Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish
    Tan Tanh ThresholdedRelu Trilu InstanceNormalization GroupNormalization RMSNormalization RotaryEmbedding Scatter ScatterElements ScatterND
    TensorScatter Compress EyeLike Unique CastLike DequantizeLinear`,
    layouts.likeInput(0),
  ),
  ...list('BatchNormalization Dropout LayerNormalization', same),
  ...list('IsInf IsNaN Not', elementwise(null, 1)),
  ['DequantizeLinear', (_, inputs) => [{ shape: shapeOf(inputs[0]), itemBytes: 4 }]],
  ...list('QuantizeLinear DynamicQuantizeLinear', quantized),
  ['Cast', cast],
  ['MatMul', (_, inputs) => [like(inputs, matmul(shapeOf(inputs[0]), shapeOf(inputs[1])))]],
  ['MatMulInteger', (_, inputs) => [{ shape: matmul(shapeOf(inputs[0]), shapeOf(inputs[1])), itemBytes: 4 }]],
  ['QLinearMatMul', (_, inputs) => [{ shape: matmul(shapeOf(inputs[0]), shapeOf(inputs[3])), itemBytes: 1 }]],
  ['MatMulNBits', (node, inputs) => [like(inputs, [...shapeOf(inputs[0]).slice(0, -1), node.int('N', 1)])]],
  ['Gemm', gemm],
  ['Einsum', einsum],
  ['Conv', convolution(1)],
  ['ConvInteger', convolution(1, 4)],
  ['QLinearConv', convolution(3, 1)],
  ['DeformConv', convolution(1)],
  ['ConvTranspose', convTranspose],
  ...list('MaxPool AveragePool LpPool', pool),
  ...list('GlobalAveragePool GlobalMaxPool GlobalLpPool', globalPool),
  ['ReduceProd', reduce((xs) => xs.reduce((a, b) => a * b, 1))],
  ['ReduceMax', reduce((xs) => Math.max(...xs))],
  ['ReduceMin', reduce((xs) => Math.min(...xs))],
  ['ReduceSum', reduce((xs) => sum(...xs))],
  ...list('ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMean ReduceSumSquare', reduce()),
  ...list('ArgMax ArgMin', argReduce),
  ['Concat', layouts.concat],
  ['Split', layouts.split],
  ['Slice', layouts.slice],
  ['Gather', layouts.gather],
  ['GatherElements', layouts.likeInput(1)],
  ['GatherND', layouts.gatherNd],
  ['Reshape', layouts.reshape],
  ['Flatten', layouts.flatten],
  ['Squeeze', layouts.squeeze],
  ['Unsqueeze', layouts.unsqueeze],
  ['Transpose', layouts.transpose],
  ['Expand', layouts.expand],
  ['Tile', layouts.tile],
  ['Pad', layouts.pad],
  ...list('Resize Upsample', layouts.resize),
  ['Shape', layouts.shapeRule],
  ['Size', (_, inputs) => [integers([sizeOf(shapeOf(inputs[0]))], [])]],
  ['Constant', layouts.constant],
  ['ConstantOfShape', layouts.constantOfShape],
  ['Range', layouts.range],
  ['OneHot', layouts.oneHot],
  ['TopK', layouts.topK],
  ['DepthToSpace', layouts.blocks(false)],
  ['SpaceToDepth', layouts.blocks(true)],
  ...list('LSTM GRU RNN', recurrent),
  ...list('HannWindow HammingWindow BlackmanWindow', hann),
  ['GridSample', gridSample],
  ['NonZero', nonZero],
]);

function list(names: string, rule: Rule): [string, Rule][] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [name, rule]);
}
