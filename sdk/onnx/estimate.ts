/**
 * How much memory a graph takes when it runs: its constants, and the values that are alive at once in the order of its nodes. An estimate: the runtime plans
 * better, and copies; what a node gives follows from `shape-rules.ts`, and where nothing is known of it, it counts as nothing.
 */
import type { OnnxGraph, OnnxTensor } from './reader.ts';
import { outputsOf } from './shape-rules.ts';
import { elementBytes, type Known, knownTensor, sizeOf } from './shapes.ts';

export type Estimate = {
  bytes: number;
  /** The largest value that a node computes. */
  largest: { name: string; opType: string; bytes: number } | null;
  /** Of every value, null where it cannot be told. */
  shapes: ReadonlyMap<string, readonly number[] | null>;
};

export function estimateMemory(graph: OnnxGraph): Estimate {
  const known = new Map<string, Known>();
  for (const { name, shape, type } of graph.inputs) {
    const sizes = shape?.every((size) => typeof size === 'number') ? (shape as number[]) : null;
    known.set(name, { shape: sizes, itemBytes: type ? elementBytes(type) : 4 });
  }
  for (const tensor of graph.initializers) known.set(tensor.name, knownTensor(tensor));
  const constants = graph.initializers.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);

  const lastUse = new Map<string, number>();
  graph.nodes.forEach(({ inputs }, index) => {
    for (const name of inputs) lastUse.set(name, index);
  });
  for (const { name } of graph.outputs) lastUse.set(name, graph.nodes.length);

  let largest: Estimate['largest'] = null;
  let [alive, peak] = [0, 0];
  const held = new Map<string, number>();
  for (const [index, node] of graph.nodes.entries()) {
    const outputs = outputsOf(
      node,
      node.inputs.map((name) => (name === '' ? null : (known.get(name) ?? { shape: null, itemBytes: 4 }))),
    );
    node.outputs.forEach((name, at) => {
      const output = outputs[at] ?? { shape: null, itemBytes: 4 };
      known.set(name, output);
      const bytes = output.shape ? sizeOf(output.shape) * output.itemBytes : 0;
      if (bytes > (largest?.bytes ?? 0)) largest = { name, opType: node.opType, bytes };
      held.set(name, bytes);
      alive += bytes;
    });
    peak = Math.max(peak, alive);
    for (const name of new Set([...node.inputs, ...node.outputs])) {
      if ((lastUse.get(name) ?? -1) > index) continue;
      alive -= held.get(name) ?? 0;
      held.delete(name);
    }
  }
  const shapes = new Map([...known].map(([name, { shape }]) => [name, shape]));
  return { bytes: constants + peak, largest, shapes };
}

const tensorBytes = ({ type, dims }: OnnxTensor): number => sizeOf(dims) * elementBytes(type);
