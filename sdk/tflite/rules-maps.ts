/** Operators on maps and on vectors that learned numbers weigh: convolutions, pooling, fully connected layers, resizing. */
import { type Live, type TfliteNetwork, Untranslated } from './network.ts';
import { sizeOf, type TfliteOperator } from './reader.ts';
import type { Rule } from './rules.ts';
import { options, paddings } from './schema.ts';

type Window = { kernel: number[]; strides: number[]; dilations: number[] };

const int = ({ options: table }: TfliteOperator, field: number, otherwise = 0): number =>
  table?.int32(field, otherwise) ?? otherwise;
const byte = ({ options: table }: TfliteOperator, field: number): number => table?.int8(field) ?? 0;

/** [batch, rows, columns, channels], or the operator has no translation. */
function mapOf(to: TfliteNetwork, index: number | undefined): Live {
  const live = to.live(index);
  if (live.shape.length !== 4) throw new Untranslated(`on [${live.shape}]`);
  return live;
}

function filterShape(to: TfliteNetwork, index: number | undefined): readonly number[] {
  const shape = to.tensors[index ?? -1]?.shape ?? [];
  if (shape.length !== 4 || sizeOf(shape) === 0) throw new Untranslated(`with a filter of [${shape}]`);
  return shape;
}

/**
 * What is added before and behind rows and columns. `same`: as much as makes a map of ceil(length / stride), the odd one behind; computed from the lengths of the
 * file, which are fixed, so that it is exact where strides and even kernels make it uneven.
 */
function padsOf(padding: number, [, ...lengths]: readonly number[], { kernel, strides, dilations }: Window): number[] {
  if (padding === paddings.valid) return [0, 0, 0, 0];
  if (padding !== paddings.same) throw new Untranslated(`with padding ${padding}`);
  const total = kernel.map((size, axis) => {
    const [length, stride] = [lengths[axis]!, strides[axis]!];
    return Math.max(0, (Math.ceil(length / stride) - 1) * stride + (size - 1) * dilations[axis]! + 1 - length);
  });
  const before = total.map((length) => Math.floor(length / 2));
  return [...before, ...total.map((length, axis) => length - before[axis]!)];
}

function checkWindow({ kernel, strides, dilations }: Window): void {
  const astray = [...kernel, ...strides, ...dilations].find((x) => x < 1 || x > 65536);
  if (astray !== undefined) throw new Untranslated(`with a size, stride or dilation of ${astray}`);
}

/** A list of numbers; its axes stay. */
const bias = (to: TfliteNetwork, operator: TfliteOperator, index: number | undefined): string[] =>
  index === undefined || index < 0
    ? []
    : [to.constant(operator, 'bias', index, [0], [sizeOf(to.tensors[index]!.shape)])];

const convolution: Rule = (to, operator) => {
  const [x, filter, added] = operator.inputs;
  const input = mapOf(to, x);
  const shape = filterShape(to, filter);
  const at = options.conv;
  const window = {
    kernel: shape.slice(1, 3),
    strides: [int(operator, at.strideHeight), int(operator, at.strideWidth)],
    dilations: [int(operator, at.dilationHeight, 1), int(operator, at.dilationWidth, 1)],
  };
  const group = input.shape[3]! / shape[3]!;
  if (!Number.isInteger(group)) throw new Untranslated(`of ${shape[3]} channels on ${input.shape[3]}`);
  const weights = to.constant(operator, 'filter', filter, [0, 3, 1, 2]);
  convolve(to, operator, { input, weights, added, window, group, padding: byte(operator, at.padding) }, at.activation);
};

const depthwise: Rule = (to, operator) => {
  const [x, filter, added] = operator.inputs;
  const input = mapOf(to, x);
  const shape = filterShape(to, filter);
  const at = options.depthwise;
  const window = {
    kernel: shape.slice(1, 3),
    strides: [int(operator, at.strideHeight), int(operator, at.strideWidth)],
    dilations: [int(operator, at.dilationHeight, 1), int(operator, at.dilationWidth, 1)],
  };
  const group = input.shape[3]!;
  if (shape[0] !== 1 || group === 0 || shape[3]! % group !== 0) {
    throw new Untranslated(`with a filter of [${shape}] on ${group} channels`);
  }
  const weights = to.constant(operator, 'filter', filter, [3, 0, 1, 2]);
  convolve(to, operator, { input, weights, added, window, group, padding: byte(operator, at.padding) }, at.activation);
};

type Convolution = {
  input: Live;
  weights: string;
  added: number | undefined;
  window: Window;
  group: number;
  padding: number;
};

function convolve(to: TfliteNetwork, operator: TfliteOperator, made: Convolution, activation: number): void {
  const { input, weights, added, window, group, padding } = made;
  checkWindow(window);
  const pads = padsOf(padding, input.shape, window);
  const inputs = [to.first(input), weights, ...bias(to, operator, added)];
  const attributes = { kernel_shape: window.kernel, strides: window.strides, dilations: window.dilations, pads, group };
  to.give(operator, true, (output) => to.onnx.node('Conv', inputs, [output], attributes), {
    activation: byte(operator, activation),
  });
}

/** Its padding is that of the convolution which leads back. */
const transposedConvolution: Rule = (to, operator) => {
  const [, filter, x, added] = operator.inputs;
  const input = mapOf(to, x);
  const shape = filterShape(to, filter);
  const at = options.transposeConv;
  const kernel = shape.slice(1, 3);
  const strides = [int(operator, at.strideHeight), int(operator, at.strideWidth)];
  checkWindow({ kernel, strides, dilations: [1, 1] });
  const output = to.tensors[operator.outputs[0] ?? -1]?.shape;
  if (output?.length !== 4) throw new Untranslated(`to [${output ?? ''}]`);
  const padding = byte(operator, at.padding);
  const pads = padsOf(padding, output, { kernel, strides, dilations: [1, 1] });
  const missing = [0, 1].map((axis) => {
    const whole = (input.shape[axis + 1]! - 1) * strides[axis]! + kernel[axis]!;
    return output[axis + 1]! - (whole - pads[axis]! - pads[axis + 2]!);
  });
  if (missing.some((length, axis) => !(length >= 0 && length < strides[axis]!))) {
    throw new Untranslated(`from [${input.shape}] to [${output}]`);
  }
  const weights = to.constant(operator, 'filter', filter, [3, 0, 1, 2]);
  const inputs = [to.first(input), weights, ...bias(to, operator, added)];
  const attributes = { kernel_shape: kernel, strides, pads, output_padding: missing };
  to.give(operator, true, (name) => to.onnx.node('ConvTranspose', inputs, [name], attributes), {
    activation: byte(operator, at.activation),
  });
};

/** The mean of what lies inside the map: places that padding added do not count. */
const pool =
  (type: 'AveragePool' | 'MaxPool'): Rule =>
  (to, operator) => {
    const input = mapOf(to, operator.inputs[0]);
    const at = options.pool;
    const window = {
      kernel: [int(operator, at.height), int(operator, at.width)],
      strides: [int(operator, at.strideHeight), int(operator, at.strideWidth)],
      dilations: [1, 1],
    };
    checkWindow(window);
    const pads = padsOf(byte(operator, at.padding), input.shape, window);
    const attributes = { kernel_shape: window.kernel, strides: window.strides, pads };
    to.give(operator, true, (output) => to.onnx.node(type, [to.first(input)], [output], attributes), {
      activation: byte(operator, at.activation),
    });
  };

const fullyConnected: Rule = (to, operator) => {
  const [x, filter, added] = operator.inputs;
  const at = options.fullyConnected;
  if (byte(operator, at.format) !== 0) throw new Untranslated('with shuffled weights');
  const shape = to.tensors[filter ?? -1]?.shape ?? [];
  if (shape.length !== 2) throw new Untranslated(`with weights of [${shape}]`);
  const inputs = shape[1]!;
  const input = to.live(x);
  const rows = sizeOf(input.shape) / inputs;
  if (!Number.isInteger(rows)) throw new Untranslated(`of ${inputs} numbers on [${input.shape}]`);
  const keeps = byte(operator, at.keepDimensions) !== 0 && input.shape.length > 2;
  const isPlain = input.shape.length === 2 && input.shape[1] === inputs;
  const activation = byte(operator, at.activation);
  const plus = bias(to, operator, added);
  if (keeps) {
    const product = to.step('MatMul', [to.last(input), to.constant(operator, 'weights', filter, [1, 0])]);
    const sum = (output: string): void =>
      plus.length > 0
        ? to.onnx.node('Add', [product, ...plus], [output])
        : to.onnx.node('Identity', [product], [output]);
    to.give(operator, false, sum, { activation });
    return;
  }
  const flat = isPlain ? input : to.reshaped(input, [rows, inputs]);
  const weights = to.constant(operator, 'weights', filter, [0, 1]);
  to.give(operator, false, (output) => to.onnx.node('Gemm', [flat.name, weights, ...plus], [output], { transB: 1 }), {
    activation,
  });
};

const resize =
  (mode: 'linear' | 'nearest'): Rule =>
  (to, operator) => {
    const [x, size] = operator.inputs;
    const input = mapOf(to, x);
    const at = mode === 'linear' ? options.resizeBilinear : options.resizeNearest;
    const sizes = to.integers(size);
    if (sizes.length !== 2) throw new Untranslated(`to [${sizes}]`);
    const isHalf = byte(operator, at.halfPixelCenters) !== 0;
    const corners = byte(operator, at.alignCorners) !== 0;
    const attributes = {
      mode,
      axes: [2, 3],
      coordinate_transformation_mode: isHalf ? 'half_pixel' : corners ? 'align_corners' : 'asymmetric',
      ...(mode === 'nearest' ? { nearest_mode: isHalf || corners ? 'round_prefer_ceil' : 'floor' } : {}),
    };
    const target = to.onnx.integers(sizes);
    to.give(operator, true, (output) =>
      to.onnx.node('Resize', [to.first(input), '', '', target], [output], attributes),
    );
  };

const l2Normalization: Rule = (to, operator) => {
  const input = to.live(operator.inputs[0]);
  const axis = input.first ? 1 : input.shape.length - 1;
  to.give(operator, input.first, (output) => to.onnx.node('LpNormalization', [input.name], [output], { axis, p: 2 }));
};

export const mapRules: Record<string, Rule> = {
  CONV_2D: convolution,
  DEPTHWISE_CONV_2D: depthwise,
  TRANSPOSE_CONV: transposedConvolution,
  AVERAGE_POOL_2D: pool('AveragePool'),
  MAX_POOL_2D: pool('MaxPool'),
  FULLY_CONNECTED: fullyConnected,
  RESIZE_BILINEAR: resize('linear'),
  RESIZE_NEAREST_NEIGHBOR: resize('nearest'),
  L2_NORMALIZATION: l2Normalization,
};
