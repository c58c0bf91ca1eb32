/**
 * One backbone and its adapters, loaded: bytes to sessions, a second of media to adapter outputs, kept tokens to clip outputs. Not a run: it keeps nothing
 * between seconds. Only jobs of the {@link RuntimeQueue} call it.
 */
import type { Tensor } from 'onnxruntime-common';
import { familiarityOutput } from '../contract/familiar.ts';
import { contractOf } from '../contract/fits.ts';
import { heldVariant } from '../contract/held-variant.ts';
import type { AdapterManifest, BackboneManifest, GraphFiles, Tap, TensorSpec } from '../contract/manifest.ts';
import type { AdapterOutputs, ModelPackage, NamedArray, VariantName } from '../contract/model.ts';
import { canariesOf, ownPath, type WholeBackbone, wholeBackbone } from '../contract/pair.ts';
import type { Runtime } from '../contract/runtime.ts';
import { pictureShape, soundShape, tapShape } from '../contract/taps.ts';
import { MettleError } from '../errors.ts';
import { createLogMel } from '../front-end/log-mel.ts';
import { pictureToTensor } from '../front-end/picture.ts';
import { checkNetwork } from '../onnx/network-check.ts';
import { checkShapes, runToArrays } from './arrays.ts';
import { brokenNumbers, firstBroken } from './blame.ts';
import { adapterOutputs, backboneOutputs, canaryInput, checkCanary, type OpenCanary, openCanary } from './canary.ts';
import { embedded, type Measure, measured, openMeasure } from './familiarity.ts';
import { checkLikeness, tapSizes } from './likeness.ts';
import { ReadBack } from './read-back.ts';
import { disposeTensors, type GraphContract, GraphSession, type Tensors } from './session.ts';
import type { EngineLoad, EngineSegment } from './types.ts';
import { type AnyManifest, graphsOf } from './variant.ts';

type Modality = 'visual' | 'audio';
type LoadedAdapter = {
  manifest: AdapterManifest;
  segment: GraphSession;
  clip: GraphSession | null;
  canary: OpenCanary | null;
  measure: Measure | null;
};

export class LoadedModels {
  readonly #runtime: Runtime;
  readonly #backbone: WholeBackbone;
  readonly #variant: VariantName;
  readonly #logMel: (pcm: Float32Array) => Float32Array;
  readonly #passes = new Map<Modality, GraphSession>();
  readonly #canaries = new Map<Modality, OpenCanary>();
  readonly #adapters = new Map<string, LoadedAdapter>();

  private constructor(runtime: Runtime, backbone: BackboneManifest, variant: VariantName) {
    this.#runtime = runtime;
    this.#variant = variant;
    this.#backbone = wholeBackbone(backbone);
    this.#logMel = createLogMel(this.#backbone.inputs.audio);
  }

  /**
   * Compares the backbone with what adapters bring along that were made for another one. Returns the ids of these adapters, each with the largest distance of a tap.
   * Throws `incompatible` where it is too large.
   */
  async checkLikeness(adapters: readonly ModelPackage<AdapterManifest>[]): Promise<Map<string, number>> {
    const contract = await contractOf(this.#backbone);
    const errors = new Map<string, number>();
    for (const adapter of adapters.filter(({ manifest: { base } }) => base.likeness && base.contract !== contract)) {
      const error = await checkLikeness(adapter, this.#backbone.id, async (modality, feed, taps) => {
        const { input } = this.#backbone.inputs[modality];
        const shape = this.#inputShape(modality);
        const feeds = { [input]: this.#tensor(feed(input, shape), shape) };
        return await this.#readTaps(modality, feeds, taps);
      });
      errors.set(adapter.manifest.id, error);
    }
    return errors;
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
    const models = new LoadedModels(runtime, request.backbone.manifest, variant);
    try {
      await models.#openBackbone(request.backbone, variant, onStep);
      for (const adapter of request.adapters) await models.#openAdapter(adapter.manifest.id, adapter, onStep);
    } catch (error) {
      await models.release();
      throw error;
    }
    return models;
  }

  get keys(): string[] {
    return [...this.#adapters.keys()];
  }

  manifestOf(key: string): AdapterManifest {
    return this.#adapter(key).manifest;
  }

  /** One more adapter, warm; after a failure nothing of it is left. `onStep` gets the phase of each graph that is done. Returns as `checkLikeness`. */
  async add(
    key: string,
    adapter: ModelPackage<AdapterManifest>,
    onStep: (phase: 'load' | 'warmup') => void,
  ): Promise<Map<string, number>> {
    if (this.#adapters.has(key)) {
      throw new MettleError('invalid-argument', `There is an adapter "${key}" already.`, { hint: 'Remove it first.' });
    }
    try {
      await this.#openAdapter(key, adapter, () => onStep('load'));
      await this.warmUp(() => onStep('warmup'), [key]);
      return await this.checkLikeness([adapter]);
    } catch (error) {
      await this.remove(key);
      throw error;
    }
  }

  /** Never throws. */
  async remove(key: string): Promise<void> {
    const adapter = this.#adapters.get(key);
    this.#adapters.delete(key);
    await adapter?.segment.release();
    await adapter?.clip?.release();
  }

  /**
   * Runs graphs once on the inputs of canaries, those of the backbone that these adapters read and their own, so that shaders and plans are ready, and checks all shapes
   * against the manifests and all numbers that the packages' canaries have. Throws `device` where the numbers are wrong, `incompatible` where the shapes are.
   */
  async warmUp(onStep: () => void, keys: readonly string[] = this.keys): Promise<void> {
    const wanted = this.#tapsOf(keys);
    for (const modality of ['visual', 'audio'] as const) {
      await this.#warmUpPass(modality, wanted);
      onStep();
    }
    const { visual, audio } = this.#backbone.taps;
    const read = [...visual, ...audio].filter(({ name }) => wanted.has(name));
    const taps = Object.fromEntries(read.map((tap) => [tap.name, this.#made(tap.name, tapShape(tap))]));
    for (const key of keys) {
      const { manifest, segment, clip } = this.#adapter(key);
      const { id } = manifest;
      const { outputs } = manifest.segment;
      this.#checkAdapter(key, 'segment', outputs, await runToArrays(segment, taps, outputs, id));
      onStep();
      if (!manifest.clip || !clip) continue;
      const window = manifest.clip.segments;
      const kept = outputs
        .filter(({ deliver }) => deliver === 'clip')
        .map(({ name, shape }) => [name, this.#made(name, [window, ...shape.slice(1)])] as const);
      const feeds = { ...Object.fromEntries(kept), mask: this.#made('mask', [window]) };
      this.#checkAdapter(key, 'clip', manifest.clip.outputs, await runToArrays(clip, feeds, manifest.clip.outputs, id));
      onStep();
    }
  }

  /**
   * One backbone pass, then the segment graph of every adapter named. A null frame is fed as the mean colour (zeros after normalisation), null PCM as
   * digital silence. Returns all outputs of the segment graphs by key, on the CPU, and of adapters that measure it how familiar the second is.
   * `onStep` follows each graph.
   */
  async segment(
    segment: EngineSegment,
    keys: readonly string[],
    onStep: () => void = () => {},
  ): Promise<Record<string, AdapterOutputs>> {
    const wanted = this.#tapsOf(keys);
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
      for (const key of keys) {
        const { manifest, segment: session, measure } = this.#adapter(key);
        const outputs = await runToArrays(session, taps, manifest.segment.outputs, manifest.id);
        const broken = firstBroken(outputs);
        if (broken !== null) throw await this.#blame(manifest, broken, taps);
        const present = { audio: segment.pcm !== null, visual: segment.frame !== null };
        results[key] = measure ? { ...outputs, [familiarityOutput]: measured(measure, outputs, present) } : outputs;
        onStep();
      }
      return results;
    } finally {
      disposeTensors(taps);
    }
  }

  /** Where a second lies by what an adapter made of it: its outputs of {@link segment} of that second. */
  embedding(key: string, outputs: AdapterOutputs, { frame, pcm }: EngineSegment): AdapterOutputs {
    return embedded(this.#adapter(key).measure, outputs, { audio: pcm !== null, visual: frame !== null });
  }

  /** Runs an adapter's clip graph on one window: kept outputs stacked to [segments, ...], and `mask`. */
  async clip(key: string, inputs: Record<string, NamedArray>): Promise<AdapterOutputs> {
    const { manifest, clip } = this.#adapter(key);
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => [name, this.#tensor(data, shape)]),
    );
    const outputs = await runToArrays(clip!, feeds, manifest.clip!.outputs, manifest.id);
    const broken = firstBroken(outputs);
    if (broken !== null) throw brokenNumbers(`Adapter "${manifest.id}"`, broken, this.#variant);
    return outputs;
  }

  /** What the adapter read decides whose fault its broken output is. */
  async #blame({ id, segment }: AdapterManifest, output: string, taps: Tensors): Promise<MettleError> {
    const read = segment.reads.map((name) => [name, [...taps[name]!.dims]]);
    const reader = await ReadBack.open(this.#runtime, Object.fromEntries(read));
    try {
      const tap = firstBroken(await reader.read(taps));
      return tap === null
        ? brokenNumbers(`Adapter "${id}"`, output, this.#variant)
        : brokenNumbers(`Backbone "${this.#backbone.id}"`, tap, this.#variant);
    } finally {
      await reader.release();
    }
  }

  /** Never throws. */
  async release(): Promise<void> {
    for (const pass of this.#passes.values()) await pass.release();
    this.#passes.clear();
    for (const key of this.keys) await this.remove(key);
  }

  async #openBackbone(model: ModelPackage<BackboneManifest>, variant: VariantName, onStep: () => void): Promise<void> {
    const manifest = this.#backbone;
    for (const { canary, senses } of canariesOf(manifest)) {
      const outputs = Object.entries(backboneOutputs(manifest)).filter(([sense]) => senses.includes(sense as Modality));
      const opened = openCanary(model, canary, Object.fromEntries(outputs));
      for (const sense of senses) this.#canaries.set(sense, opened);
    }
    for (const modality of ['visual', 'audio'] as const) {
      const contract = {
        inputs: [manifest.inputs[modality].input],
        outputs: manifest.taps[modality].map((tap) => tap.name),
        onGpu: true,
      };
      const files = heldVariant(manifest.variants, variant)[modality]!;
      this.#passes.set(modality, await this.#openGraph(model, `${modality} graph`, files, contract));
      onStep();
    }
  }

  async #openAdapter(key: string, model: ModelPackage<AdapterManifest>, onStep: () => void): Promise<void> {
    const { manifest } = model;
    const canary = manifest.canary && openCanary(model, manifest.canary, adapterOutputs(manifest));
    const files = heldVariant(manifest.variants, this.#variant);
    const segment = await this.#openGraph(model, 'segment graph', files.segment, {
      inputs: manifest.segment.reads,
      outputs: manifest.segment.outputs.map((output) => output.name),
    });
    const measure = manifest.familiarity && openMeasure(model, manifest.familiarity);
    const adapter: LoadedAdapter = { manifest, segment, clip: null, canary, measure };
    this.#adapters.set(key, adapter);
    onStep();
    if (!manifest.clip || !files.clip) return;
    const kept = manifest.segment.outputs.filter((output) => output.deliver === 'clip').map((output) => output.name);
    adapter.clip = await this.#openGraph(model, 'clip graph', files.clip, {
      inputs: [...kept, 'mask'],
      outputs: manifest.clip.outputs.map((output) => output.name),
    });
    onStep();
  }

  async #openGraph(
    model: ModelPackage<AnyManifest>,
    what: string,
    files: GraphFiles,
    contract: GraphContract,
  ): Promise<GraphSession> {
    const source = {
      label: `The ${what} of ${model.manifest.kind} "${model.manifest.id}"`,
      graph: model.files[files.graph]!,
      weights: { path: ownPath(files.weights), data: model.files[files.weights]! },
    };
    checkNetwork(source);
    return await GraphSession.open(this.#runtime, source, contract);
  }

  async #warmUpPass(modality: Modality, wanted: ReadonlySet<string>): Promise<void> {
    const taps = this.#backbone.taps[modality];
    const canary = this.#canaries.get(modality);
    const expected = canary?.numbers[modality] ?? {};
    if (!taps.some(({ name }) => wanted.has(name))) return;
    const fetched = taps.filter(({ name }) => wanted.has(name) || Object.hasOwn(expected, name));
    const { input } = this.#backbone.inputs[modality];
    const pass = this.#passes.get(modality)!;
    const feed = { [input]: this.#made(input, this.#inputShape(modality)) };
    const outputs = await pass.run(
      feed,
      fetched.map(({ name }) => name),
    );
    try {
      const specs = fetched.map((tap) => ({ name: tap.name, shape: tapShape(tap) }));
      checkShapes(this.#backbone, specs, (name) => outputs[name]!.dims);
      if (!canary) return;
      const checked = specs.filter(({ name }) => Object.hasOwn(expected, name)).map(({ name, shape }) => [name, shape]);
      const reader = await ReadBack.open(this.#runtime, Object.fromEntries(checked) as Record<string, number[]>);
      try {
        this.#checkNumbers(this.#backbone, canary, modality, await reader.read(outputs));
      } finally {
        await reader.release();
      }
    } finally {
      disposeTensors(outputs);
    }
  }

  /** One pass of one sense, its taps on the CPU. */
  async #readTaps(modality: Modality, feeds: Tensors, taps: readonly Tap[]): Promise<Record<string, Float32Array>> {
    const outputs = await this.#passes.get(modality)!.run(
      feeds,
      taps.map(({ name }) => name),
    );
    try {
      const reader = await ReadBack.open(this.#runtime, tapSizes(taps));
      try {
        return await reader.read(outputs);
      } finally {
        await reader.release();
      }
    } finally {
      disposeTensors(outputs);
    }
  }

  #checkAdapter(key: string, graph: 'segment' | 'clip', specs: readonly TensorSpec[], outputs: AdapterOutputs): void {
    const { manifest, canary } = this.#adapter(key);
    checkShapes(manifest, specs, (name) => outputs[name]!.shape);
    if (!canary) return;
    const numbers = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
    this.#checkNumbers(manifest, canary, graph, numbers);
  }

  #checkNumbers(manifest: AnyManifest, canary: OpenCanary, graph: string, outputs: Record<string, Float32Array>): void {
    const model = `${manifest.kind === 'backbone' ? 'Backbone' : 'Adapter'} "${manifest.id}"`;
    checkCanary(outputs, canary.numbers[graph]!, { model, rtol: canary.rtol, device: this.#runtime.device });
  }

  /** Names of the taps that any of these adapters reads. */
  #tapsOf(keys: readonly string[]): Set<string> {
    return new Set(keys.flatMap((key) => this.manifestOf(key).segment.reads));
  }

  #inputShape(modality: Modality): number[] {
    const { visual, audio } = this.#backbone.inputs;
    return modality === 'visual' ? pictureShape(visual) : soundShape(audio);
  }

  #picture({ frame }: EngineSegment): Tensors {
    const frontEnd = this.#backbone.inputs.visual;
    const data = frame ? pictureToTensor(frame, frontEnd) : new Float32Array(3 * frontEnd.width * frontEnd.height);
    return { [frontEnd.input]: this.#tensor(data, this.#inputShape('visual')) };
  }

  #sound({ pcm }: EngineSegment): Tensors {
    const frontEnd = this.#backbone.inputs.audio;
    const data = this.#logMel(pcm ?? new Float32Array(frontEnd.sampleRate));
    return { [frontEnd.input]: this.#tensor(data, this.#inputShape('audio')) };
  }

  #adapter(key: string): LoadedAdapter {
    const adapter = this.#adapters.get(key);
    if (adapter) return adapter;
    throw new MettleError('not-found', `Adapter "${key}" is not loaded.`, {
      hint: `Loaded are: ${this.keys.join(', ') || 'none'}.`,
    });
  }

  /** The canary's input of this name. */
  #made(name: string, shape: number[]): Tensor {
    return this.#tensor(canaryInput(name, shape), shape);
  }

  #tensor(data: Float32Array, shape: number[]): Tensor {
    return new this.#runtime.ort.Tensor('float32', data, shape);
  }
}
