/**
 * The ONNX graph that a TensorFlow Lite model becomes, as it grows: values by the index of their tensor, each in one of two orders of axes, with transposes only
 * where an operator needs the other one. Maps [batch, rows, columns, channels] are computed channels first as soon as a convolution has made them so.
 */
import { MettleError } from '../errors.ts';
import { OnnxWriter, type ValueInfo } from '../onnx/writer.ts';
import type { AttributeValue } from '../ops/onnx-nodes.ts';
import { Constants, rangeOf } from './numbers.ts';
import { sizeOf, type TfliteModel, type TfliteOperator, type TfliteTensor } from './reader.ts';

/** A value of the graph. `shape` is that of the file, channels last, whichever order the value itself is in. */
export type Live = { name: string; shape: readonly number[]; first: boolean };

/** An operator, or a form of one, that has no translation. */
export class Untranslated extends Error {}

/** A value that depends on what has no translation. */
export class Unavailable extends Error {}

/** From channels last to channels first, and back. */
const toFirst = [0, 3, 1, 2];
const toLast = [0, 2, 3, 1];

/** Where an axis of the file's order lies when channels come first. */
export const axisFirst = (axis: number): number => toFirst.indexOf(axis);

export class TfliteNetwork {
  readonly tensors: readonly TfliteTensor[];
  readonly inputs: ValueInfo[] = [];
  readonly onnx = new OnnxWriter();
  readonly #names: readonly string[];
  readonly #constants: Constants;
  readonly #live = new Map<number, Live>();
  readonly #folded = new Map<number, Float32Array<ArrayBuffer>>();
  readonly #steps = new Map<string, number>();
  /** False once an operator has written the batch of one into the graph. */
  #anyBatch = true;

  /** `names` are those of the values, by index of their tensor. */
  constructor({ tensors, file }: TfliteModel, names: readonly string[]) {
    this.tensors = tensors;
    this.#names = names;
    this.#constants = new Constants(file);
  }

  /** Makes a tensor an input of the graph: one that is fed. A map is fed channels first. */
  feed(index: number, name: string): void {
    const { shape } = this.tensors[index]!;
    const first = shape.length === 4;
    this.#live.set(index, { name, shape, first });
    this.inputs.push({ name, dtype: 'float32', shape: first ? toFirst.map((axis) => shape[axis]!) : shape });
  }

  /** The same for a picture of sound [rows, columns] that stands for a tensor of as many numbers. */
  feedPlain(index: number, name: string, [rows, columns]: readonly [number, number]): void {
    this.inputs.push({ name, dtype: 'float32', shape: [1, rows, columns] });
    this.define(index, this.reshaped({ name, shape: [1, rows, columns], first: false }, this.tensors[index]!.shape));
  }

  /** The value of a tensor that is computed, fed or constant. */
  live(index: number | undefined): Live {
    const tensor = index === undefined ? undefined : this.tensors[index];
    if (!tensor) throw new Untranslated('without one of its inputs');
    const known = this.#live.get(index!);
    if (known) return known;
    if (!this.isConstant(index)) throw new Unavailable(tensor.name);
    const name = `${this.#names[index!]}/constant`;
    this.onnx.initializer(name, tensor.shape, this.floats(index));
    const live = { name, shape: tensor.shape, first: false };
    this.#live.set(index!, live);
    return live;
  }

  isConstant(index: number | undefined): boolean {
    return index !== undefined && (this.#folded.has(index) || Boolean(this.tensors[index]?.bytes));
  }

  /** Numbers of a constant, in the order of the file; not to be changed. */
  floats(index: number | undefined): Float32Array<ArrayBuffer> {
    if (!this.isConstant(index)) throw this.#missing(index, 'numbers that are computed');
    const known = this.#folded.get(index!) ?? this.#constants.floats(this.tensors[index!]!);
    this.#folded.set(index!, known);
    return known;
  }

  /** A constant list of sizes, axes or places. */
  integers(index: number | undefined): number[] {
    const tensor = index === undefined ? undefined : this.tensors[index];
    if (tensor && sizeOf(tensor.shape) === 0) return [];
    if (!tensor?.bytes) throw this.#missing(index, 'sizes that are computed');
    return this.#constants.integers(tensor);
  }

  /** Says that a tensor has the numbers of a constant. */
  fold(index: number, floats: Float32Array<ArrayBuffer>): void {
    this.#folded.set(index, floats);
  }

  /** Says that a tensor has the value of another. */
  define(index: number, live: Live): void {
    this.#live.set(index, live);
  }

  /** Name of a map's value with channels first. */
  first(live: Live): string {
    return live.first ? live.name : this.#turned(live, toFirst, `${live.name}/first`);
  }

  /** Name of a value in the order of the file. */
  last(live: Live): string {
    return live.first ? this.#turned(live, toLast, `${live.name}/last`) : live.name;
  }

  /** A node whose output has no name of its own. */
  step(type: string, inputs: readonly string[], attributes?: Record<string, AttributeValue>): string {
    const at = this.#steps.get(type) ?? 0;
    this.#steps.set(type, at + 1);
    const output = `${type}.${at}`;
    this.onnx.node(type, inputs, [output], attributes);
    return output;
  }

  /**
   * The output of an operator, as `write` makes it under a name, kept between what its fused activation and the range of its integers allow. Channels come first
   * where `first` is true.
   */
  give(
    operator: TfliteOperator,
    first: boolean,
    write: (output: string) => void,
    { activation = 0, at = 0, limited = true }: { activation?: number; at?: number; limited?: boolean } = {},
  ): void {
    const index = operator.outputs[at];
    const tensor = index === undefined ? undefined : this.tensors[index];
    if (!tensor) throw new Untranslated('without an output');
    const { shape } = tensor;
    if (first && shape.length !== 4) throw new Untranslated(`from a map to [${shape}]`);
    // The plain name is that of a map with channels first, which is how adapters read it.
    const name = this.#names[index!]! + (!first && shape.length === 4 ? '/last' : '');
    const bounds = limited ? boundsOf(activation, tensor) : null;
    const tanh = activation === activations.tanh;
    const inner = `${name}/exact`;
    write(bounds || tanh ? inner : name);
    if (tanh) this.onnx.node('Tanh', [inner], [name]);
    else if (bounds) this.clip(inner, bounds, name);
    this.define(index!, { name, shape, first });
  }

  clip(input: string, [least, most]: readonly [number, number], output: string): void {
    if (least === 0 && most === Infinity) this.onnx.node('Relu', [input], [output]);
    else this.onnx.node('Clip', [input, this.scalar(least), this.scalar(most)], [output]);
  }

  scalar(x: number): string {
    return this.onnx.once(`scalar/${x}`, (name) => this.onnx.initializer(name, [], Float32Array.of(x)));
  }

  /** A constant of the graph that is made for one operator, out of one of the file with its axes in another order. */
  constant(
    operator: TfliteOperator,
    role: string,
    index: number | undefined,
    perm: readonly number[],
    whole: readonly number[] = this.tensors[index ?? -1]?.shape ?? [],
  ): string {
    const numbers = this.floats(index);
    this.#constants.take(numbers.length);
    const data = transposed(numbers, whole, perm);
    const shape = perm.map((axis) => whole[axis]!);
    const name = `${this.#names[operator.outputs[0]!]}/${role}`;
    this.onnx.initializer(name, shape, data);
    return name;
  }

  /** The value with other axes. Where rows and columns, or channels, are one, both orders of axes are the same numbers, and no transpose is needed. */
  reshaped(live: Live, shape: readonly number[]): Live {
    if (sizeOf(shape) !== sizeOf(live.shape)) {
      throw new Untranslated(`that makes [${live.shape}] to [${shape}], another number of elements`);
    }
    const from = live.first && isFlat(live.shape) ? live.name : this.last(live);
    const first = shape.length === 4 && isFlat(shape);
    const sizes = first ? toFirst.map((axis) => shape[axis]!) : [...shape];
    const keepsBatch = sizes.length > 1 && live.shape[0] === shape[0];
    if (!keepsBatch) this.fixBatch();
    const target = this.onnx.integers(keepsBatch ? [0, ...sizes.slice(1)] : sizes);
    return { name: this.step('Reshape', [from, target]), shape, first };
  }

  /** Says that the graph holds for a batch of one alone. */
  fixBatch(): void {
    this.#anyBatch = false;
  }

  /** The value of a tensor, if it was translated. */
  found(index: number): Live | undefined {
    return this.#live.get(index);
  }

  /** The model, with these tensors as outputs. */
  finish(outputs: readonly number[]): Uint8Array<ArrayBuffer> {
    const batched = (shape: readonly (number | string)[]): (number | string)[] =>
      this.#anyBatch && shape.length > 1 && shape[0] === 1 ? ['N', ...shape.slice(1)] : [...shape];
    const named = new Set<string>();
    const infos = outputs.flatMap((index): ValueInfo[] => {
      const live = this.#live.get(index);
      if (!live || named.has(live.name) || this.inputs.some(({ name }) => name === live.name)) return [];
      named.add(live.name);
      const shape = live.first ? toFirst.map((axis) => live.shape[axis]!) : live.shape;
      return [{ name: live.name, dtype: 'float32', shape: batched(shape) }];
    });
    const inputs = this.inputs.map((info) => ({ ...info, shape: batched(info.shape) }));
    return this.onnx.finish('tflite', inputs, infos);
  }

  #turned({ name, shape }: Live, perm: readonly number[], output: string): string {
    if (shape.length !== 4) throw new Untranslated(`on [${shape}], where a map is expected`);
    return this.onnx.once(output, () => this.onnx.node('Transpose', [name], [output], { perm }));
  }

  #missing(index: number | undefined, what: string): Error {
    if (index !== undefined && index >= 0 && !this.#live.has(index)) return new Unavailable(String(index));
    return new Untranslated(`with ${what}`);
  }
}

/** What the file calls activations that are part of another operator. */
export const activations = { none: 0, relu: 1, reluN1To1: 2, relu6: 3, tanh: 4 } as const;

const activationBounds: Record<number, readonly [number, number]> = {
  [activations.relu]: [0, Infinity],
  [activations.reluN1To1]: [-1, 1],
  [activations.relu6]: [0, 6],
};

function boundsOf(activation: number, tensor: TfliteTensor): readonly [number, number] | null {
  const known = activation === activations.none || activation === activations.tanh || activation in activationBounds;
  if (!known) throw new Untranslated(`with activation ${activation}`);
  const [bounds, range] = [activationBounds[activation], rangeOf(tensor)];
  if (!bounds || !range) return bounds ?? range;
  return [Math.max(bounds[0], range[0]), Math.min(bounds[1], range[1])];
}

/** Whether a map's numbers lie the same with channels first and last. */
const isFlat = (shape: readonly number[]): boolean => shape[1]! * shape[2]! === 1 || shape[3] === 1;

/** `data` of this shape with its axes in another order. */
function transposed(data: Float32Array, shape: readonly number[], perm: readonly number[]): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const [sizes, steps] = [perm.map((axis) => shape[axis]!), perm.map((axis) => strides[axis]!)];
  const out = new Float32Array(data.length);
  const at = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from]!;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++at[axis]! < sizes[axis]!) break;
      from -= steps[axis]! * sizes[axis]!;
      at[axis] = 0;
    }
  }
  return out;
}

/** Throws `incompatible` that names all operators without a translation, each with how often it occurs. */
export function untranslatedError(where: string, what: readonly string[], problem: string): MettleError {
  const counts = new Map<string, number>();
  for (const name of what) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].map(([name, count]) => (count > 1 ? `${name} (${count} times)` : name));
  const shown = names.slice(0, 30).join(', ') + (names.length > 30 ? ` and ${names.length - 30} more` : '');
  return new MettleError('incompatible', `${where}: ${problem} operators that are not translated: ${shown}.`, {
    hint: 'Take taps that do not depend on them, or convert the model to ONNX with another program, and use "mettle backbone tap".',
  });
}
