/** Lets the runtime compute values of a graph once, while a model is compiled. */

import type { Ort } from '../contract/runtime.ts';
import { writeOnnx } from '../onnx/writer.ts';
import type { Shape, Value } from '../ops/index.ts';

export type Feeds = Record<string, { data: Float32Array | BigInt64Array; shape: Shape }>;

/** The named outputs of a graph for these inputs, on the CPU. */
export async function evaluate(
  ort: Ort,
  outputs: Record<string, Value>,
  feeds: Feeds = {},
): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(writeOnnx(outputs), { logSeverityLevel: 4 });
  try {
    const tensors = Object.entries(feeds).map(([name, { data, shape }]) => [name, new ort.Tensor(data, [...shape])]);
    const results = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
  } finally {
    await session.release();
  }
}
