/**
 * Whether a network from a stranger may become a session of the runtime: which operators it is made of, whether all its data lies in its own package, and how much
 * memory it is estimated to take. Reads the graph's bytes; runs nothing.
 */
import { bytesText, limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';
import { isAllowed } from './allowed-ops.ts';
import { estimateMemory } from './estimate.ts';
import { type OnnxModel, type OnnxNode, readOnnx } from './reader.ts';

export type NetworkSource = {
  /** For messages: which graph of which model. */
  label: string;
  graph: Uint8Array;
  /** The one file that initializers may lie in, by the location that is written in the graph. */
  weights?: { path: string; data: Uint8Array };
};

/**
 * Throws `invalid-file` that begins with the label for an operator that is not allowed, for data outside the package, or for an estimate above `mostBytes`; and
 * where the bytes are no ONNX model.
 */
export function checkNetwork({ label, graph, weights }: NetworkSource, mostBytes: number = limits.sessionBytes): void {
  const model = readOnnx(graph, label);
  checkOps(model, label);
  checkData(model, label, weights);
  const { bytes, largest } = estimateMemory(model.graph);
  if (bytes <= mostBytes) return;
  const value = largest ? `, of that ${bytesText(largest.bytes)} for ${quote(largest.name)} of ${largest.opType}` : '';
  throw new MettleError(
    'invalid-file',
    `${label}: a session is estimated to take ${bytesText(bytes)}${value}, expected at most ${bytesText(mostBytes)}.`,
    { hint: 'Export the network for a smaller input, or take a smaller one.' },
  );
}

function checkOps({ graph }: OnnxModel, label: string): void {
  const strange = new Set<string>();
  for (const { domain, opType, attributes } of graph.nodes) {
    const graphs = [...attributes.values()].some(({ type }) => type === 'graph' || type === 'graphs');
    if (graphs || !isAllowed(domain, opType)) strange.add(domain ? `${domain}.${opType}` : opType);
  }
  if (strange.size === 0) return;
  const names = [...strange].slice(0, 5).map((name) => quote(name));
  const more = strange.size > names.length ? ` and ${strange.size - names.length} more` : '';
  throw new MettleError(
    'invalid-file',
    `${label} is made of operators that are not run: ${names.join(', ')}${more}; expected ONNX's own, without graphs inside graphs.`,
    { hint: 'Export the network in plain operators, with loops unrolled and branches chosen.' },
  );
}

function checkData({ graph }: OnnxModel, label: string, weights: NetworkSource['weights']): void {
  const fail = (problem: string): never => {
    throw new MettleError('invalid-file', `${label}: ${problem}.`, {
      hint: 'Get the model again, or export it again.',
    });
  };
  for (const { name, external } of graph.initializers) {
    if (!external) continue;
    const { location, offset, length } = external;
    if (location !== weights?.path) {
      fail(
        `initializer ${quote(name)} lies in ${quote(location)}, expected ${weights ? quote(weights.path) : 'the graph'}`,
      );
    }
    const end = offset + length;
    const size = weights!.data.byteLength;
    if (end > size) fail(`initializer ${quote(name)} ends at byte ${end} of ${quote(location)}, which has ${size}`);
  }
  const outside = graph.nodes.find((node) => hasOutsideTensor(node));
  if (outside) fail(`node ${quote(outside.name || outside.opType)} keeps a constant in another file`);
}

const hasOutsideTensor = ({ attributes }: OnnxNode): boolean =>
  [...attributes.values()].some(
    ({ type, value }) =>
      (type === 'tensor' && value.external !== null) || (type === 'tensors' && value.some(({ external }) => external)),
  );

/** A name from a file, short enough for a message. */
const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
