/** Shapes after nodes that move numbers about: join, cut, pick, reshape, repeat, resize; and those that make numbers out of shapes. */
import {
  type Attributes,
  axisOf,
  broadcast,
  elementBytes,
  type Inputs,
  integers,
  type Known,
  knownTensor,
  like,
  mostNumbers,
  numbersOf,
  type Rule,
  type Shape,
  shapeOf,
  sizeOf,
  withNumbers,
} from './shapes.ts';

export const concat: Rule = (node, inputs) => {
  const shapes = inputs.map(shapeOf);
  const axis = axisOf(node.int('axis', 0), shapes[0]!.length);
  const shape = shapes[0]!.map((length, i) => (i === axis ? shapes.reduce((sum, own) => sum + own[axis]!, 0) : length));
  const known = like(inputs, shape);
  return [shape.length === 1 ? withNumbers(known, inputs, (parts) => parts.flat()) : known];
};

export const split: Rule = (node, inputs, outputs) => {
  const shape = shapeOf(inputs[0]);
  const axis = axisOf(node.int('axis', 0), shape.length);
  const each = Math.ceil(shape[axis]! / outputs);
  const sizes = node.ints('split') ?? inputs[1]?.numbers ?? Array.from({ length: outputs }, () => each);
  return sizes.map((size) =>
    like(
      inputs,
      shape.map((length, i) => (i === axis ? size : length)),
    ),
  );
};

export const slice: Rule = (node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const starts = node.ints('starts') ?? numbersOf(inputs[1]);
  const ends = node.ints('ends') ?? numbersOf(inputs[2]);
  const axes = node.ints('axes') ?? inputs[3]?.numbers ?? starts.map((_, i) => i);
  const steps = inputs[4]?.numbers ?? starts.map(() => 1);
  const picked = shape.map((length) => ({ start: 0, step: 1, count: length }));
  axes.forEach((named, i) => {
    const axis = axisOf(named, shape.length);
    const length = shape[axis]!;
    const step = steps[i]!;
    const clamp = (x: number, least: number, most: number) => Math.min(most, Math.max(least, x < 0 ? x + length : x));
    const start = step > 0 ? clamp(starts[i]!, 0, length) : clamp(starts[i]!, 0, length - 1);
    const end = step > 0 ? clamp(ends[i]!, 0, length) : clamp(ends[i]!, -1, length - 1);
    picked[axis] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
  const known = like(
    inputs,
    picked.map(({ count }) => count),
  );
  if (shape.length !== 1) return [known];
  const [{ start, step, count }] = picked as [(typeof picked)[number]];
  return [
    withNumbers(known, inputs.slice(0, 1), ([xs]) => Array.from({ length: count }, (_, i) => xs![start + i * step]!)),
  ];
};

export const gather: Rule = (node, inputs) => {
  const [shape, indices] = [shapeOf(inputs[0]), shapeOf(inputs[1])];
  const axis = axisOf(node.int('axis', 0), shape.length);
  const known = like(inputs, [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)]);
  if (shape.length !== 1) return [known];
  return [withNumbers(known, inputs, ([xs, at]) => at!.map((i) => xs![axisOf(i, xs!.length)] ?? 0))];
};

export const gatherNd: Rule = (node, inputs) => {
  const [shape, indices] = [shapeOf(inputs[0]), shapeOf(inputs[1])];
  const batch = node.int('batch_dims', 0);
  return [like(inputs, [...indices.slice(0, -1), ...shape.slice(batch + indices.at(-1)!)])];
};

export const likeInput =
  (index: number): Rule =>
  (_, inputs) => [like(inputs, shapeOf(inputs[index]))];

/** The same numbers in another shape. */
const reshaped =
  (shapeAfter: (node: Attributes, inputs: Inputs) => Shape): Rule =>
  (node, inputs) => [withNumbers(like(inputs, shapeAfter(node, inputs)), inputs.slice(0, 1), ([xs]) => xs!)];

export const reshape = reshaped((node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const wanted = node.ints('shape') ?? numbersOf(inputs[1]);
  const sizes = wanted.map((size, i) => (size === 0 && !node.int('allowzero', 0) ? (shape[i] ?? 1) : size));
  const rest = sizes.reduce((product, size) => (size > 0 ? product * size : product), 1);
  return sizes.map((size) => (size < 0 ? sizeOf(shape) / rest : size));
});

export const flatten = reshaped((node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const axis = axisOf(node.int('axis', 1), shape.length);
  return [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
});

export const squeeze = reshaped((node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const named = node.ints('axes') ?? (inputs[1] ? numbersOf(inputs[1]) : null);
  const axes = named?.map((axis) => axisOf(axis, shape.length));
  return shape.filter((length, axis) => (axes ? !axes.includes(axis) : length !== 1));
});

export const unsqueeze = reshaped((node, inputs) => {
  const shape = [...shapeOf(inputs[0])];
  const named = node.ints('axes') ?? numbersOf(inputs[1]);
  const rank = shape.length + named.length;
  const axes = named.map((axis) => axisOf(axis, rank)).sort((a, b) => a - b);
  for (const axis of axes) shape.splice(axis, 0, 1);
  return shape;
});

export const transpose: Rule = (node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const order = node.ints('perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  return [
    like(
      inputs,
      order.map((axis) => shape[axis]!),
    ),
  ];
};

export const expand: Rule = (_, inputs) => {
  const shape = broadcast([shapeOf(inputs[0]), numbersOf(inputs[1])]);
  const known = like(inputs, shape);
  const single = sizeOf(shapeOf(inputs[0])) === 1;
  return [single ? withNumbers(known, inputs.slice(0, 1), ([xs]) => new Array(sizeOf(shape)).fill(xs![0])) : known];
};

export const tile: Rule = (_, inputs) => {
  const repeats = numbersOf(inputs[1]);
  return [
    like(
      inputs,
      shapeOf(inputs[0]).map((length, axis) => length * (repeats[axis] ?? 1)),
    ),
  ];
};

export const pad: Rule = (node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const pads = node.ints('pads') ?? numbersOf(inputs[1]);
  const axes = (inputs[3]?.numbers ?? shape.map((_, axis) => axis)).map((axis) => axisOf(axis, shape.length));
  const padded = [...shape];
  axes.forEach((axis, i) => {
    padded[axis]! += pads[i]! + pads[i + axes.length]!;
  });
  return [like(inputs, padded)];
};

export const resize: Rule = (node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const scaling = inputs.length <= 2 ? inputs[1] : inputs[2];
  const axes = node.ints('axes') ?? shape.map((_, axis) => axis);
  const sizes = inputs[3]?.numbers;
  const scales = sizes ? null : numbersOf(scaling);
  const resized = [...shape];
  axes.forEach((named, i) => {
    const axis = axisOf(named, shape.length);
    resized[axis] = sizes ? sizes[i]! : Math.floor(shape[axis]! * scales![i]!);
  });
  return [like(inputs, resized)];
};

export const shapeRule: Rule = (node, inputs) => {
  const shape = shapeOf(inputs[0]);
  return [integers(shape.slice(node.int('start', 0), node.int('end', shape.length)))];
};

export const constant: Rule = (node) => {
  const tensor = node.tensor('value');
  if (tensor) return [knownTensor(tensor)];
  const list = node.ints('value_ints');
  return [list ? integers(list) : integers([node.int('value_int', 0)], [])];
};

export const constantOfShape: Rule = (node, inputs) => {
  const shape = [...numbersOf(inputs[0])];
  const tensor = node.tensor('value');
  const filled: Known = { shape, itemBytes: tensor ? elementBytes(tensor.type) : 4 };
  const [value = 0] = tensor ? (knownTensor(tensor).numbers ?? []) : [0];
  return [sizeOf(shape) > mostNumbers ? filled : { ...filled, numbers: new Array(sizeOf(shape)).fill(value) }];
};

export const range: Rule = (_, inputs) => {
  const [start, end, step] = inputs.slice(0, 3).map((input) => numbersOf(input)[0]!) as [number, number, number];
  const length = Math.max(0, Math.ceil((end - start) / step));
  const known = like(inputs, [length]);
  if (length > mostNumbers) return [known];
  return [{ ...known, numbers: Array.from({ length }, (_, i) => start + i * step) }];
};

export const oneHot: Rule = (node, inputs) => {
  const shape = [...shapeOf(inputs[0])];
  shape.splice(axisOf(node.int('axis', -1), shape.length + 1), 0, numbersOf(inputs[1])[0]!);
  return [{ shape, itemBytes: inputs[2]?.itemBytes ?? 4 }];
};

export const topK: Rule = (node, inputs) => {
  const shape = shapeOf(inputs[0]);
  const axis = axisOf(node.int('axis', -1), shape.length);
  const count = inputs[1] ? numbersOf(inputs[1])[0]! : node.int('k', 1);
  const top = shape.map((length, i) => (i === axis ? count : length));
  return [like(inputs, top), { shape: top, itemBytes: 8 }];
};

export const blocks =
  (deeper: boolean): Rule =>
  (node, inputs) => {
    const [batch, channels, height, width] = shapeOf(inputs[0]) as [number, number, number, number];
    const size = node.int('blocksize', 1);
    return deeper
      ? [like(inputs, [batch, channels * size * size, height / size, width / size])]
      : [like(inputs, [batch, channels / (size * size), height * size, width * size])];
  };
