/**
 * What is known of the values of a graph before it runs, for `shape-rules.ts` and `shape-layouts.ts`: shapes, and the numbers of small values, since other shapes
 * follow from them.
 */
import type { OnnxAttribute, OnnxTensor, OnnxType } from './reader.ts';

/** A value: its shape where that is known, and its numbers where it is small and they are. */
export type Known = { shape: number[] | null; itemBytes: number; numbers?: number[] };

export type Shape = number[];
export type Inputs = readonly (Known | null)[];
/** What the outputs of a node are, in order; null where nothing is known. Throws {@link Unknown} where an input is not. */
export type Rule = (node: Attributes, inputs: Inputs, outputs: number) => (Known | null)[];

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

const bits: Partial<Record<OnnxType, number>> = { bool: 8, float16: 16, bfloat16: 16, uint16: 16, int16: 16 };
export const elementBytes = (type: OnnxType): number => {
  const size = bits[type] ?? Number(/(\d+)/.exec(type)?.[1] ?? 64);
  return type.startsWith('complex') || type.startsWith('float8') || type.startsWith('float4') ? 8 : size / 8;
};

/** Values with more numbers than this are no shapes. */
export const mostNumbers = 4096;

export function knownTensor({ dims, type, bytes }: OnnxTensor): Known {
  const itemBytes = elementBytes(type);
  const known: Known = { shape: dims, itemBytes };
  if (!bytes || sizeOf(dims) > mostNumbers) return known;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: Partial<Record<OnnxType, (at: number) => number>> = {
    int64: (at) => Number(view.getBigInt64(at, true)),
    int32: (at) => view.getInt32(at, true),
    float32: (at) => view.getFloat32(at, true),
    bool: (at) => view.getUint8(at),
  };
  const number = read[type];
  return number ? { ...known, numbers: Array.from({ length: sizeOf(dims) }, (_, i) => number(i * itemBytes)) } : known;
}

/** What a shape follows from is not known. */
export class Unknown extends Error {}

export class Attributes {
  readonly #values: ReadonlyMap<string, OnnxAttribute>;

  constructor(values: ReadonlyMap<string, OnnxAttribute>) {
    this.#values = values;
  }

  int(name: string, fallback: number): number {
    const found = this.#values.get(name);
    return found?.type === 'int' ? Number(found.value) : fallback;
  }

  ints(name: string): number[] | null {
    const found = this.#values.get(name);
    return found?.type === 'ints' ? found.value.map(Number) : null;
  }

  text(name: string): string {
    const found = this.#values.get(name);
    return found?.type === 'string' ? found.value : '';
  }

  tensor(name: string): OnnxTensor | null {
    const found = this.#values.get(name);
    return found?.type === 'tensor' ? found.value : null;
  }
}

export function shapeOf(input: Known | null | undefined): Shape {
  if (!input?.shape) throw new Unknown();
  return input.shape;
}

export function numbersOf(input: Known | null | undefined): number[] {
  if (!input?.numbers) throw new Unknown();
  return input.numbers;
}

export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
export const itemBytesOf = (inputs: Inputs): number => inputs.find((input) => input !== null)?.itemBytes ?? 4;
export const like = (inputs: Inputs, shape: Shape): Known => ({ shape, itemBytes: itemBytesOf(inputs) });
export const integers = (numbers: number[], shape: Shape = [numbers.length]): Known => ({
  shape,
  itemBytes: 8,
  numbers,
});

/** The shape in which arrays meet; lengths count from the right. */
export function broadcast(shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return lengths.includes(0) ? 0 : Math.max(...lengths);
  });
}

/** Result of a rule without numbers, with those that `compute` gives where all inputs have some. */
export function withNumbers(known: Known, inputs: Inputs, compute: (inputs: number[][]) => number[]): Known {
  const given = inputs.map((input) => input?.numbers);
  if (given.some((numbers) => !numbers) || !known.shape || sizeOf(known.shape) > mostNumbers) return known;
  return { ...known, numbers: compute(given as number[][]) };
}
