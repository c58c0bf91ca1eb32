/** How an operation says which ONNX nodes it is made of. `onnx/writer` takes them; an operation needs to know no more of it than this. */
import type { Data, DType, Shape } from './graph.ts';

/** A number that ONNX must store as a float, even when it is whole. */
export class FloatAttribute {
  constructor(readonly value: number) {}
}
export type AttributeValue = number | string | readonly number[] | FloatAttribute;

/** Receives the nodes that an operation is made of. */
export interface OnnxNodes {
  node(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: Record<string, AttributeValue>,
    domain?: string,
  ): void;
  /** Lets `make` write what computes `name` the first time it is asked for. */
  once(name: string, make: (name: string) => void): string;
  /** Name of a 1-D int64 initializer. */
  integers(xs: readonly number[]): string;
  /** Name of a 1-D float initializer. */
  floats(xs: readonly number[]): string;
  float(value: number): AttributeValue;
  /** ONNX's number of a type. */
  dtypeCode(dtype: DType): number;
  initializer(name: string, shape: Shape, data: Data | DType): void;
}
