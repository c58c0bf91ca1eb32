/** Where onnxruntime put the nodes of a graph, read from what it says while it creates a session with verbose logging. */

export type Placement = {
  /** Nodes by execution provider, e.g. `WebGpuExecutionProvider`. */
  nodes: Record<string, number>;
  /** True if copies between devices were put into the graph. */
  copies: boolean;
};

/** Throws if the log says nothing of placements: the session was then created without verbose logging, or failed. */
export function readPlacement(log: string): Placement {
  const nodes: Record<string, number> = {};
  for (const [, provider, count] of log.matchAll(/placed on \[(\w+)\]\. Number of nodes: (\d+)/g)) {
    nodes[provider!] = (nodes[provider!] ?? 0) + Number(count);
  }
  if (Object.keys(nodes).length === 0) throw new Error('The log does not say where nodes were placed.');
  return { nodes, copies: /MemcpyTransformer modified: 1/.test(log) };
}
