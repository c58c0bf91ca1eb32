/** Any ONNX network as a backbone package: the network is cut at the taps, run once to learn their shapes and the canary's numbers, and described by a manifest. */

import { limits } from '../contract/limits.ts';
import type { BackboneManifest, Integrity, LogMelFrontEnd, PictureFrontEnd, Tap } from '../contract/manifest.ts';
import type { Ort } from '../contract/runtime.ts';
import { pictureShape, soundShape } from '../contract/taps.ts';
import { canaryInput } from '../engine/canary.ts';
import { MettleError } from '../errors.ts';
import { checkNetwork } from '../onnx/network-check.ts';
import { isTapShape, type TapCandidate, tapCandidates } from '../onnx/tap-candidates.ts';
import {
  computedValues,
  cutNetwork,
  fedInputs,
  type Network,
  type ReadExternal,
  type TapRequest,
} from '../onnx/taps.ts';
import { type Package, withManifest } from './backbone.ts';
import { exactTolerance, packCanary } from './canary.ts';
import { NetworkDigest } from './network-digest.ts';
import { backboneDraft, finishManifest } from './package.ts';

/** How a second is brought to the network; the network itself says what its input is called. */
export type FrontEndSource =
  | { modality: 'visual'; frontEnd: Omit<PictureFrontEnd, 'input'> }
  | { modality: 'audio'; frontEnd: Omit<LogMelFrontEnd, 'input'> };

export type TappedSource = FrontEndSource & {
  id: string;
  version: string;
  license: string;
  /** Names of values in the network, in the order in which adapters shall read them. */
  taps: readonly string[];
};

/** The network, the bytes of files beside it, and the runtime that runs it once. */
export type Surgery = { network: Network; readExternal?: ReadExternal; ort: Ort };

const graphFile = 'model.onnx';
const weightsFile = 'model.safetensors';

/** How far a network may be off that rounds to few levels inside: a value near a border falls to another side of it on another device. */
const roundedTolerance = 0.1;

/**
 * The package. A tap is called by its value's name with `visual.` or `audio.` before it, so that two networks in a pair have no name in common.
 * Throws `not-found` for a value that is not there, `incompatible` where the network does not take what the front end gives or a tap is no float32 array
 * [1, tokens, width], [1, width, rows, columns] or [1, width], which becomes one token, `invalid-argument` without taps, and `invalid-file` for a front end that cannot be.
 */
export async function tapBackbone(source: TappedSource, surgery: Surgery): Promise<Package<BackboneManifest>> {
  const { modality, frontEnd } = source;
  if (source.taps.length === 0) {
    throw new MettleError('invalid-argument', 'No tap was named; a backbone has at least one.', {
      hint: 'See what the network offers: mettle backbone tap MODEL.onnx --list.',
    });
  }
  const inputShape = shapeFed(surgery.network, source);
  const prefix = `${modality}.`;
  const named = [...new Set(source.taps)].map((value) => ({
    value,
    name: value.startsWith(prefix) ? value : prefix + value,
  }));
  const results = await runOnce(surgery, named, inputShape);
  const taps = named.map(({ value, name }) => tapOf(name, value, results.get(name)!, surgery.network.where));
  const requests = named.map((tap, i) => {
    const { dims } = results.get(tap.name)!;
    return dims.length === 2 ? { ...tap, shape: [1, 1, taps[i]!.width], reshape: true } : { ...tap, shape: dims };
  });
  const { graph, weights, input } = cut(surgery, requests, inputShape);
  const last = taps.at(-1)!.name;
  const rounds = surgery.network.model.graph.nodes.some(({ opType }) => /^(Dynamic)?QuantizeLinear$/.test(opType));
  const { canary, files: canaryFiles } = packCanary(
    { [modality]: { [last]: results.get(last)!.data as Float32Array } },
    rounds ? roundedTolerance : exactTolerance,
  );
  const files = { [graphFile]: graph, [weightsFile]: weights, ...canaryFiles };
  const graphs = { visual: null, audio: null, [modality]: { graph: graphFile, weights: weightsFile } };
  const manifest = await finishManifest(
    backboneDraft(source, {
      canary,
      inputs: { visual: null, audio: null, [modality]: { ...frontEnd, input } },
      networks: { visual: null, audio: null, [modality]: await digestOf(graph, weights) },
      taps: { visual: [], audio: [], [modality]: taps },
      variants: { webgpu: graphs, wasm: graphs },
    }),
    files,
  );
  return { manifest, files: withManifest(files, manifest) };
}

async function digestOf(graph: Uint8Array, weights: Uint8Array): Promise<Integrity> {
  const digest = new NetworkDigest();
  await digest.add(graphFile, graph);
  await digest.add(weightsFile, weights);
  return await digest.finish();
}

/** Values that look like the ends of blocks, with their shapes for an input of `inputShape`. Throws as `tapBackbone`. */
export async function listTaps(surgery: Surgery, inputShape: readonly number[]): Promise<TapCandidate[]> {
  const { graph } = surgery.network.model;
  checkInput(surgery.network, inputShape);
  const live = computedValues(graph);
  const requests = live.map((value) => ({ value, name: value }));
  // All values of the network at once, where a session of the package keeps those of a moment.
  const results = await runOnce(surgery, requests, inputShape, 4 * limits.sessionBytes);
  const floats = [...results].filter(([, { type }]) => type === 'float32');
  return tapCandidates(graph, new Map(floats.map(([name, { dims }]) => [name, dims])));
}

/** What a front end feeds, checked against what the network says of its input. */
export function shapeFed(network: Network, source: FrontEndSource): number[] {
  const shape = shapeOf(source);
  checkInput(network, shape);
  return shape;
}

const shapeOf = (source: FrontEndSource): number[] =>
  source.modality === 'visual' ? pictureShape(source.frontEnd) : soundShape(source.frontEnd);

function checkInput({ model, where }: Network, shape: readonly number[]): void {
  const inputs = fedInputs(model.graph);
  const fits = inputs.filter(
    ({ type, shape: own }) =>
      type === 'float32' &&
      (own === null ||
        (own.length === shape.length && own.every((length, i) => typeof length !== 'number' || length === shape[i]))),
  );
  if (fits.length > 0) return;
  const found = inputs.map(({ name, type, shape: own }) => {
    return `${name}: ${type ?? 'no tensor'} [${own?.map((length) => length ?? '?') ?? 'of any shape'}]`;
  });
  const isChannelsLast = inputs.some(({ shape: own }) => own?.length === 4 && own[3] === 3 && shape[1] === 3);
  throw new MettleError(
    'incompatible',
    `${where}: the network takes ${found.join('; ') || 'nothing'}, but is to be fed float32 [${shape.join(', ')}].`,
    {
      hint: isChannelsLast
        ? 'Export the network with channels first, [1, 3, height, width].'
        : 'Give the size and layout that it was made for, with --size or --front-end.',
    },
  );
}

function cut(surgery: Surgery, taps: readonly TapRequest[], inputShape: readonly number[]) {
  return cutNetwork(surgery.network, { taps, inputShape, location: weightsFile }, surgery.readExternal);
}

type Result = { type: string; dims: readonly number[]; data: unknown };

/** Element type, shape and numbers of each value for the canary's input. */
async function runOnce(
  surgery: Surgery,
  taps: readonly TapRequest[],
  inputShape: readonly number[],
  mostBytes?: number,
): Promise<Map<string, Result>> {
  const { ort, network } = surgery;
  const { graph, weights, input } = cut(surgery, taps, inputShape);
  checkNetwork({ label: network.where, graph, weights: { path: weightsFile, data: weights } }, mostBytes);
  try {
    const session = await ort.InferenceSession.create(graph, {
      externalData: [{ path: weightsFile, data: weights }],
      graphOptimizationLevel: 'disabled',
      // A failure is told in the error; the runtime need not print it as well.
      logSeverityLevel: 4,
    });
    try {
      const feed = new ort.Tensor('float32', canaryInput(input, inputShape), [...inputShape]);
      const results = await session.run({ [input]: feed }, { logSeverityLevel: 4 });
      return new Map(Object.entries(results));
    } finally {
      await session.release();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MettleError(
      'incompatible',
      `${network.where}: the network does not run on an input of [${inputShape.join(', ')}]: ${reason}`,
      { hint: 'Give the size that it was made for, with --size or --front-end.', cause: error },
    );
  }
}

function tapOf(name: string, value: string, { type, dims }: Result, where: string): Tap {
  if (type !== 'float32' || !isTapShape(dims)) {
    throw new MettleError(
      'incompatible',
      `${where}: "${value}" is ${type} [${dims.join(', ')}]; a tap must be float32 [1, tokens, width], [1, width, rows, columns] or [1, width].`,
      { hint: 'Choose a value near it that is: mettle backbone tap MODEL.onnx --list.' },
    );
  }
  if (dims.length === 2) return { name, layout: 'tokens', tokens: 1, width: dims[1]!, grid: [1, 1] };
  if (dims.length === 3) return { name, layout: 'tokens', tokens: dims[1]!, width: dims[2]!, grid: [dims[1]!, 1] };
  const [, width, rows, columns] = dims as [number, number, number, number];
  return { name, layout: 'map', tokens: rows * columns, width, grid: [rows, columns] };
}
