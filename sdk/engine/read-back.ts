/**
 * Tensors from wherever they lie to the CPU, by a graph that hands its inputs on. A tensor on the GPU is never asked for its data itself: in onnxruntime-node that
 * ends the process.
 */

import type { Runtime } from '../contract/runtime.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { Graph, type Shape } from '../ops/index.ts';
import { GraphSession, type Tensors } from './session.ts';

/** Arrays of their own, by name, of tensors of these shapes. Throws `device` if the GPU was lost. */
export async function readBack(
  runtime: Runtime,
  shapes: Readonly<Record<string, Shape>>,
  tensors: Tensors,
): Promise<Record<string, Float32Array<ArrayBuffer>>> {
  const reader = await ReadBack.open(runtime, shapes);
  try {
    return await reader.read(tensors);
  } finally {
    await reader.release();
  }
}

const copyOf = (name: string): string => `copy/${name}`;

/** Owns a session; release it. Only jobs of the {@link RuntimeQueue} call it. */
export class ReadBack {
  readonly #session: GraphSession;
  readonly #names: readonly string[];

  private constructor(session: GraphSession, names: readonly string[]) {
    this.#session = session;
    this.#names = names;
  }

  /** For float32 tensors of these names and shapes. Throws as `GraphSession.open` does. */
  static async open(runtime: Runtime, shapes: Readonly<Record<string, Shape>>): Promise<ReadBack> {
    const graph = new Graph();
    const names = Object.keys(shapes);
    const outputs = names.map((name) => [copyOf(name), graph.input(name, shapes[name]!)] as const);
    const source = { label: 'The copy to the CPU', graph: writeOnnx(Object.fromEntries(outputs), { name: 'copy' }) };
    const session = await GraphSession.open(runtime, source, { inputs: names, outputs: names.map(copyOf) });
    return new ReadBack(session, names);
  }

  /** Arrays of their own, by name. Throws `device` if the GPU was lost. */
  async read(tensors: Tensors): Promise<Record<string, Float32Array<ArrayBuffer>>> {
    const copies = await this.#session.run(tensors, this.#names.map(copyOf));
    const arrays = this.#names.map((name) => [name, Float32Array.from(copies[copyOf(name)]!.data as Float32Array)]);
    return Object.fromEntries(arrays);
  }

  /** Never throws. */
  release(): Promise<void> {
    return this.#session.release();
  }
}
