/** Runs graphs of `sdk/ops` in Node. */
import * as ort from 'onnxruntime-node';
import { evaluate as evaluateWith, type Feeds } from '../../sdk/compile/evaluate.ts';
import type { Value } from '../../sdk/ops/index.ts';

/** The named outputs of a graph for these inputs, on the CPU. */
export const evaluate = (outputs: Record<string, Value>, feeds: Feeds = {}): Promise<Record<string, Float32Array>> =>
  evaluateWith(ort, outputs, feeds);
