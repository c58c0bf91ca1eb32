/**
 * Finds in an adapter's segment graph where its meta-tokens attend, by the graph's form alone: a token output is a sum with one summand for each layer that is read, and
 * what a softmax beneath it weighs are that layer's tokens. So every package has it, however long ago it was compiled, and the graph that answers stays as it is.
 */
import type { OnnxGraph, OnnxNode } from './reader.ts';
import { fedInputs, type Network, withOutputs } from './taps.ts';

/** How meta-tokens read one layer. Names are those of values in the graph. */
export type AttentionLayer = {
  /** The input that holds the layer's tokens. */
  tap: string;
  /** Attention of the path that keeps tokens as they are, [..., tokens], each row a softmax. */
  preservation: string | null;
  /** As `preservation`, of the path that adapts them; it reads the tokens normed. */
  task: string | null;
  /** What the layer adds to the meta-tokens, [1, K, c]; a factor that all layers have in common may be missing. */
  part: string;
};

/** The layers that `output` is made of, in the order in which they are added; none where it is made in another way than meta-tokens are. */
export function attentionLayers(graph: OnnxGraph, output: string): AttentionLayer[] {
  const trace = new Trace(graph);
  const layers = summands(trace, output).map((part) => layerOf(trace, part));
  return layers.every((layer) => layer !== null) ? layers : [];
}

/** The network with more outputs: of each value its float32 form, named `prefix` and its own name. */
export function withFloats(network: Network, prefix: string, values: readonly string[]): Uint8Array<ArrayBuffer> {
  return withOutputs(
    network,
    values.map((value) => ({ value, name: prefix + value, widen: true })),
  );
}

/** A graph read backwards. */
class Trace {
  readonly #producers: Map<string, OnnxNode>;
  readonly #fed: ReadonlySet<string>;

  constructor(graph: OnnxGraph) {
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
    this.#fed = new Set(fedInputs(graph).map(({ name }) => name));
  }

  producer(value: string): OnnxNode | undefined {
    return this.#producers.get(value);
  }

  /** All nodes that a value depends on, and the graph's inputs among them. */
  behind(value: string): { nodes: Set<OnnxNode>; inputs: Set<string> } {
    const nodes = new Set<OnnxNode>();
    const inputs = new Set<string>();
    const open = [value];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (this.#fed.has(name)) inputs.add(name);
      const node = this.#producers.get(name);
      if (!node || nodes.has(node)) continue;
      nodes.add(node);
      open.push(...node.inputs);
    }
    return { nodes, inputs };
  }

  /** Of a node's inputs those that depend on what the graph is fed. */
  computed(node: OnnxNode): string[] {
    return node.inputs.filter((name) => this.behind(name).inputs.size > 0);
  }
}

/** How many terms a node has that is a sum, or hands one on. */
const termsOf: Record<string, number> = { Add: 2, Identity: 1, Cast: 1 };

/** The values that `output` is the sum of, but for a factor: it alone where it is no sum. */
function summands(trace: Trace, output: string): string[] {
  const found: string[] = [];
  const open = [withoutFactor(trace, output)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = trace.producer(name);
    const terms = node ? termsOf[node.opType] : undefined;
    const operands = node && terms ? trace.computed(node) : [];
    if (terms && operands.length === terms) open.push(...operands.reverse());
    else found.push(name);
  }
  return found;
}

/** What is multiplied by a constant, or only copied or cast, to give `output`. */
function withoutFactor(trace: Trace, output: string): string {
  let name = output;
  for (;;) {
    const node = trace.producer(name);
    if (!node || !['Mul', 'Identity', 'Cast'].includes(node.opType)) return name;
    const operands = trace.computed(node);
    if (operands.length !== 1) return name;
    name = operands[0]!;
  }
}

function layerOf(trace: Trace, part: string): AttentionLayer | null {
  const { nodes, inputs } = trace.behind(part);
  const attentions = [...nodes].filter(({ opType }) => opType === 'Softmax').map(({ outputs }) => outputs[0]!);
  const readsNormed = (value: string): boolean =>
    [...trace.behind(value).nodes].some(({ opType }) => opType === 'LayerNormalization');
  const [task, second] = attentions.filter(readsNormed);
  const [preservation, third] = attentions.filter((value) => !readsNormed(value));
  if (inputs.size !== 1 || attentions.length === 0 || second || third) return null;
  const [tap] = inputs;
  return { tap: tap!, preservation: preservation ?? null, task: task ?? null, part };
}
