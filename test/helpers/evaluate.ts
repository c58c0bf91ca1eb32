/** Runs graphs of `sdk/ops` in Node, for tests and build scripts alike. */
import * as ort from 'onnxruntime-node';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import type { Shape, Value } from '../../sdk/ops/index.ts';

export type Feeds = Record<string, { data: Float32Array | BigInt64Array; shape: Shape }>;

/** The named outputs of a graph for these inputs, on the CPU. */
export async function evaluate(
  outputs: Record<string, Value>,
  feeds: Feeds = {},
): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(writeOnnx(outputs), { logSeverityLevel: 3, intraOpNumThreads: 1 });
  try {
    const tensors = Object.entries(feeds).map(([name, { data, shape }]) => [name, new ort.Tensor(data, [...shape])]);
    const results = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
  } finally {
    await session.release();
  }
}
