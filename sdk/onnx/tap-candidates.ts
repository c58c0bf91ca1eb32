/** Which values of an ONNX network look like the end of a block, from the graph and the shapes that a run gave. A proposal: any other value can be a tap too. */

import type { OnnxGraph, OnnxNode } from './reader.ts';
import { computedValues } from './taps.ts';

/** Why a value is proposed: it is an output of the network, the sum that ends a residual block, or the last value before the map changes its size. */
export type CandidateReason = 'output' | 'residual sum' | 'before a change of size';
export type TapCandidate = { value: string; shape: number[]; op: string; reason: CandidateReason };

/** In the order in which the network computes them. `shapes` are those of one second, by value; values without one are passed over. */
export function tapCandidates(graph: OnnxGraph, shapes: ReadonlyMap<string, readonly number[]>): TapCandidate[] {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const readers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const live = liveValues(graph);
  const reasonFor = (value: string, shape: readonly number[], node: OnnxNode): CandidateReason | null => {
    if (outputs.has(value)) return 'output';
    const addends = node.inputs.filter((name) => live.has(name) && String(shapes.get(name)) === String(shape));
    if (node.opType === 'Add' && addends.length === 2) return 'residual sum';
    const next = (readers.get(value) ?? []).flatMap((reader) => reader.outputs.map((name) => shapes.get(name)));
    if (layoutOps.has(node.opType)) return null;
    const isLast = next.length > 0 && next.every((after) => after && String(extent(after)) !== String(extent(shape)));
    return isLast ? 'before a change of size' : null;
  };
  return computedValues(graph).flatMap((value): TapCandidate[] => {
    const shape = shapes.get(value);
    const node = producers.get(value)!;
    if (!shape || !isTapShape(shape)) return [];
    const reason = reasonFor(value, shape, node);
    return reason ? [{ value, shape: [...shape], op: node.opType, reason }] : [];
  });
}

/** Operators that move values about and compute none. */
const layoutOps = new Set(['Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Cast', 'Pad', 'Slice', 'Split']);

/** [1, tokens, width], [1, width, rows, columns], or one token for the whole second, [1, width]. */
export const isTapShape = (shape: readonly number[]): boolean =>
  shape.length >= 2 && shape.length <= 4 && shape[0] === 1 && shape.slice(1).every((length) => length > 0);

/** How many places there are, whatever the width at each. */
const extent = (shape: readonly number[]): readonly number[] =>
  shape.length === 4 ? shape.slice(2) : shape.slice(1, 2);

/** Values that depend on what is fed. */
function liveValues({ inputs, initializers, nodes }: OnnxGraph): Set<string> {
  const live = new Set(inputs.map(({ name }) => name));
  for (const { name } of initializers) live.delete(name);
  for (const node of nodes)
    if (node.inputs.some((name) => live.has(name))) for (const out of node.outputs) live.add(out);
  return live;
}
