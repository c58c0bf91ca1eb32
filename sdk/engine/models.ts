/**
 * One backbone and its adapters, loaded: bytes to sessions, a second of media to adapter outputs, kept tokens to clip outputs. Not a run: it keeps nothing
 * between seconds. Only jobs of the {@link RuntimeQueue} call it.
 */
import type { Tensor } from 'onnxruntime-common';
import { MettleError } from '../errors.ts';
import type { AdapterManifest, BackboneManifest, GraphFiles, TensorSpec } from '../hub/manifest.ts';
import { ownPath, type WholeBackbone, wholeBackbone } from '../hub/pair.ts';
import { createLogMel } from '../media/log-mel.ts';
import { pictureToTensor } from '../media/picture.ts';
import type { Runtime } from '../platform.ts';
import { disposeTensors, type GraphContract, GraphSession, type GraphSource, type Tensors } from './session.ts';
import type { AdapterOutputs, EngineLoad, EngineSegment, ModelPackage, NamedArray, VariantName } from './types.ts';
import { type AnyManifest, graphsOf } from './variant.ts';

type Modality = 'visual' | 'audio';
type LoadedAdapter = { manifest: AdapterManifest; segment: GraphSession; clip: GraphSession | null };

export class LoadedModels {
  readonly #runtime: Runtime;
  readonly #backbone: WholeBackbone;
  readonly #logMel: (pcm: Float32Array) => Float32Array;
  readonly #sessions: GraphSession[] = [];
  readonly #passes = new Map<Modality, GraphSession>();
  readonly #adapters = new Map<string, LoadedAdapter>();

  private constructor(runtime: Runtime, backbone: BackboneManifest) {
    this.#runtime = runtime;
    this.#backbone = wholeBackbone(backbone);
    this.#logMel = createLogMel(this.#backbone.inputs.audio);
  }

  /** How many sessions `open` creates, and how many graphs `warmUp` runs. */
  static graphCount(request: EngineLoad, variant: VariantName): number {
    return [request.backbone, ...request.adapters].flatMap((model) => graphsOf(model.manifest, variant)).length;
  }

  /** Creates all sessions, one after another; releases them again if one fails. `onStep` follows each. */
  static async open(
    runtime: Runtime,
    request: EngineLoad,
    variant: VariantName,
    onStep: () => void,
  ): Promise<LoadedModels> {
    const models = new LoadedModels(runtime, request.backbone.manifest);
    try {
      await models.#openBackbone(request.backbone, variant, onStep);
      for (const adapter of request.adapters) await models.#openAdapter(adapter, variant, onStep);
    } catch (error) {
      await models.release();
      throw error;
    }
    return models;
  }

  get adapterIds(): string[] {
    return [...this.#adapters.keys()];
  }

  manifestOf(adapterId: string): AdapterManifest {
    return this.#adapter(adapterId).manifest;
  }

  /** Runs every graph once on a black and silent second, so that shaders and plans are ready, and checks all shapes against the manifests. */
  async warmUp(onStep: () => void): Promise<void> {
    const outputs = await this.segment({ frame: null, pcm: null }, this.adapterIds, onStep);
    for (const [id, { manifest, clip }] of this.#adapters) {
      const kept = outputs[id]!;
      checkShapes(manifest, manifest.segment.outputs, kept);
      if (!manifest.clip || !clip) continue;
      const window = manifest.clip.segments;
      const zeros = manifest.segment.outputs
        .filter((output) => output.deliver === 'clip')
        .map(({ name, shape }) => [name, stacked(window, shape, new Float32Array(window * sizeOf(shape)))] as const);
      const mask = { shape: [window], data: new Float32Array(window).fill(1) };
      checkShapes(manifest, manifest.clip.outputs, await this.clip(id, { ...Object.fromEntries(zeros), mask }));
      onStep();
    }
  }

  /**
   * One backbone pass, then the segment graph of every adapter named. A null frame is fed as the mean colour (zeros after normalisation), null PCM as
   * digital silence. Returns all outputs of the segment graphs by adapter id, on the CPU. `onStep` follows each graph.
   */
  async segment(
    segment: EngineSegment,
    adapterIds: readonly string[],
    onStep: () => void = () => {},
  ): Promise<Record<string, AdapterOutputs>> {
    const wanted = new Set(adapterIds.flatMap((id) => this.manifestOf(id).segment.reads));
    const taps: Tensors = {};
    try {
      for (const modality of ['visual', 'audio'] as const) {
        const fetches = this.#backbone.taps[modality].map((tap) => tap.name).filter((name) => wanted.has(name));
        if (fetches.length > 0) {
          const feeds = modality === 'visual' ? this.#picture(segment) : this.#sound(segment);
          Object.assign(taps, await this.#passes.get(modality)!.run(feeds, fetches));
        }
        onStep();
      }
      const results: Record<string, AdapterOutputs> = {};
      for (const id of adapterIds) {
        const { manifest, segment: session } = this.#adapter(id);
        results[id] = await runToArrays(session, taps, manifest.segment.outputs, manifest.id);
        onStep();
      }
      return results;
    } finally {
      disposeTensors(taps);
    }
  }

  /** Runs an adapter's clip graph on one window: kept outputs stacked to [segments, ...], and `mask`. */
  async clip(adapterId: string, inputs: Record<string, NamedArray>): Promise<AdapterOutputs> {
    const { manifest, clip } = this.#adapter(adapterId);
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => [name, this.#tensor(data, shape)]),
    );
    return await runToArrays(clip!, feeds, manifest.clip!.outputs, manifest.id);
  }

  /** Never throws. */
  async release(): Promise<void> {
    for (const session of this.#sessions.splice(0)) await session.release();
    this.#passes.clear();
    this.#adapters.clear();
  }

  async #openBackbone(model: ModelPackage<BackboneManifest>, variant: VariantName, onStep: () => void): Promise<void> {
    const manifest = this.#backbone;
    for (const modality of ['visual', 'audio'] as const) {
      const contract = {
        inputs: [manifest.inputs[modality].input],
        outputs: manifest.taps[modality].map((tap) => tap.name),
        onGpu: true,
      };
      const files = manifest.variants[variant][modality];
      this.#passes.set(modality, await this.#openGraph(model, `${modality} graph`, files, contract));
      onStep();
    }
  }

  async #openAdapter(model: ModelPackage<AdapterManifest>, variant: VariantName, onStep: () => void): Promise<void> {
    const { manifest } = model;
    const files = manifest.variants[variant];
    const segment = await this.#openGraph(model, 'segment graph', files.segment, {
      inputs: manifest.segment.reads,
      outputs: manifest.segment.outputs.map((output) => output.name),
    });
    onStep();
    let clip: GraphSession | null = null;
    if (manifest.clip && files.clip) {
      const kept = manifest.segment.outputs.filter((output) => output.deliver === 'clip').map((output) => output.name);
      clip = await this.#openGraph(model, 'clip graph', files.clip, {
        inputs: [...kept, 'mask'],
        outputs: manifest.clip.outputs.map((output) => output.name),
      });
      onStep();
    }
    this.#adapters.set(manifest.id, { manifest, segment, clip });
  }

  async #openGraph(
    model: ModelPackage<AnyManifest>,
    what: string,
    files: GraphFiles,
    contract: GraphContract,
  ): Promise<GraphSession> {
    const source: GraphSource = {
      label: `The ${what} of ${model.manifest.kind} "${model.manifest.id}"`,
      graph: model.files[files.graph]!,
      weights: { path: ownPath(files.weights), data: model.files[files.weights]! },
    };
    const session = await GraphSession.open(this.#runtime, source, contract);
    this.#sessions.push(session);
    return session;
  }

  #picture({ frame }: EngineSegment): Tensors {
    const frontEnd = this.#backbone.inputs.visual;
    const data = frame ? pictureToTensor(frame, frontEnd) : new Float32Array(3 * frontEnd.width * frontEnd.height);
    return { [frontEnd.input]: this.#tensor(data, [1, 3, frontEnd.height, frontEnd.width]) };
  }

  #sound({ pcm }: EngineSegment): Tensors {
    const frontEnd = this.#backbone.inputs.audio;
    const data = this.#logMel(pcm ?? new Float32Array(frontEnd.sampleRate));
    const picture = [frontEnd.frames, frontEnd.mels];
    const shape = frontEnd.layout === 'plain' ? [1, ...picture] : [1, 1, ...picture];
    return { [frontEnd.input]: this.#tensor(data, shape) };
  }

  #adapter(id: string): LoadedAdapter {
    const adapter = this.#adapters.get(id);
    if (adapter) return adapter;
    throw new MettleError('not-found', `Adapter "${id}" is not loaded.`, {
      hint: `Loaded are: ${this.adapterIds.join(', ') || 'none'}.`,
    });
  }

  #tensor(data: Float32Array, shape: number[]): Tensor {
    return new this.#runtime.ort.Tensor('float32', data, shape);
  }
}

/** An output of one second, [1, ...], as `segments` of them, [segments, ...]. */
export function stacked(segments: number, shape: readonly number[], data: Float32Array<ArrayBuffer>): NamedArray {
  return { shape: [segments, ...shape.slice(1)], data };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

async function runToArrays(
  session: GraphSession,
  feeds: Tensors,
  outputs: readonly TensorSpec[],
  model: string,
): Promise<AdapterOutputs> {
  const names = outputs.map((output) => output.name);
  const tensors = await session.run(feeds, names);
  return Object.fromEntries(names.map((name) => [name, toArray(tensors[name]!, name, model)]));
}

function toArray(tensor: Tensor, name: string, model: string): NamedArray {
  if (tensor.type !== 'float32') {
    throw new MettleError('incompatible', `Output "${name}" of "${model}" is ${tensor.type}, but must be float32.`);
  }
  return { shape: [...tensor.dims], data: tensor.data as Float32Array<ArrayBuffer> };
}

function checkShapes(manifest: AdapterManifest, specs: readonly TensorSpec[], outputs: AdapterOutputs): void {
  for (const { name, shape } of specs) {
    const actual = outputs[name]!.shape;
    if (String(actual) === String(shape)) continue;
    throw new MettleError(
      'incompatible',
      `Output "${name}" of adapter "${manifest.id}" is [${actual}], but its manifest says [${shape}].`,
      { hint: 'Export the adapter again, so that graphs and manifest come from one run.' },
    );
  }
}
