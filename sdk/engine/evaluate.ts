/** Runs a graph that needs nothing: what its constants come to. */
import type { AdapterOutputs } from '../contract/model.ts';
import type { Ort } from '../contract/runtime.ts';

/** On the CPU. The graph is the SDK's own: it is not checked as a stranger's. */
export async function evaluateGraph(ort: Ort, graph: Uint8Array): Promise<AdapterOutputs> {
  const session = await ort.InferenceSession.create(graph, { logSeverityLevel: 4 });
  try {
    const results = await session.run({});
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [
        name,
        { shape: [...dims], data: Float32Array.from(data as Float32Array) },
      ]),
    );
  } finally {
    await session.release();
  }
}
