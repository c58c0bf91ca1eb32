/** Runs a finished adapter on features that are kept: its graphs as they ship, without a backbone pass, and with the meta-tokens that the engine keeps to itself. */
import { heldVariant } from '../../contract/held-variant.ts';
import type { AdapterManifest, BackboneManifest, GraphFiles, Sense } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { tapShape } from '../../contract/taps.ts';
import { tokensOf } from '../../contract/tokens.ts';
import { meanToken } from '../../engine/familiarity.ts';
import { RuntimeQueue } from '../../engine/queue.ts';
import { GraphSession, type Tensors } from '../../engine/session.ts';
import { variantOf } from '../../engine/variant.ts';
import { decodeHalf } from '../../onnx/float16.ts';
import { sizeOf } from '../../ops/index.ts';
import type { KeptTaps } from '../features/tap-cache.ts';

/** What an adapter says about a piece of a clip, one row per second, and the mean meta-token [c] of each second. */
export type Said = {
  seconds: number;
  outputs: Record<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>;
  tokens: Record<Sense, Float64Array[]>;
};

/** Owns sessions; dispose of it. */
export class PackageRunner {
  readonly #runtime: Runtime;
  readonly #manifest: AdapterManifest;
  readonly #shapes: ReadonlyMap<string, number[]>;
  readonly #segment: GraphSession;
  readonly #clip: GraphSession | null;
  readonly #queue = new RuntimeQueue();

  private constructor(
    runtime: Runtime,
    manifest: AdapterManifest,
    shapes: ReadonlyMap<string, number[]>,
    sessions: { segment: GraphSession; clip: GraphSession | null },
  ) {
    this.#runtime = runtime;
    this.#manifest = manifest;
    this.#shapes = shapes;
    this.#segment = sessions.segment;
    this.#clip = sessions.clip;
  }

  /** Throws what {@link GraphSession.open} throws. */
  static async open(
    runtime: Runtime,
    { manifest, files }: ModelPackage<AdapterManifest>,
    base: BackboneManifest,
  ): Promise<PackageRunner> {
    const graphs = heldVariant(manifest.variants, variantOf(runtime.device));
    const { segment, clip } = manifest;
    const session = (what: string, { graph, weights }: GraphFiles, inputs: string[], outputs: { name: string }[]) =>
      GraphSession.open(
        runtime,
        { label: `The ${what} graph`, graph: files[graph]!, weights: { path: weights, data: files[weights]! } },
        { inputs, outputs: outputs.map(({ name }) => name) },
      );
    const kept = segment.outputs.filter(({ deliver }) => deliver === 'clip').map(({ name }) => name);
    const taps = [...base.taps.visual, ...base.taps.audio].map((tap) => [tap.name, tapShape(tap)] as const);
    return new PackageRunner(runtime, manifest, new Map(taps), {
      segment: await session('segment', graphs.segment, segment.reads, segment.outputs),
      clip: clip && graphs.clip ? await session('clip', graphs.clip, [...kept, 'mask'], clip.outputs) : null,
    });
  }

  /** At most as many seconds as the clip graph sees at once. */
  async run(kept: KeptTaps, most: number): Promise<Said> {
    const { segment, clip } = this.#manifest;
    const seconds = Math.min(kept.seconds, most, clip?.segments ?? most);
    const taps = segment.reads.map((name) => [name, floats(kept.taps[name]!)] as const);
    const rows = new Map(segment.outputs.map(({ name }) => [name, [] as Float32Array[]]));
    for (let second = 0; second < seconds; second++) {
      const feeds = taps.map(([name, data]) => {
        const shape = this.#shapes.get(name)!;
        const size = sizeOf(shape);
        return [name, this.#tensor(data.slice(second * size, (second + 1) * size), shape)] as const;
      });
      const results = await this.#run(this.#segment, Object.fromEntries(feeds), [...rows.keys()]);
      for (const [name, row] of rows) row.push(results[name]!.data as Float32Array);
    }
    const tokens = (sense: Sense): Float64Array[] => {
      const width = segment.outputs.find(({ name }) => name === tokensOf[sense])?.shape.at(-1);
      return width === undefined ? [] : rows.get(tokensOf[sense])!.map((row) => meanToken(row, width));
    };
    return {
      seconds,
      outputs: await this.#answers(rows, seconds),
      tokens: { audio: tokens('audio'), visual: tokens('visual') },
    };
  }

  /** What the caller gets: of the clip graph, or of the segment graph where there is none. */
  async #answers(rows: ReadonlyMap<string, Float32Array[]>, seconds: number): Promise<Said['outputs']> {
    const { segment, clip } = this.#manifest;
    if (!clip) {
      const own = segment.outputs.filter(({ deliver }) => deliver === 'segment');
      return Object.fromEntries(
        own.map(({ name, shape }) => [
          name,
          { shape: [seconds, ...shape.slice(1)], data: stack(rows.get(name)!, seconds, sizeOf(shape)) },
        ]),
      );
    }
    const feeds: Tensors = {
      mask: this.#tensor(new Float32Array(clip.segments).fill(1, 0, seconds), [clip.segments]),
    };
    for (const { name, shape, deliver } of segment.outputs) {
      if (deliver !== 'clip') continue;
      const data = stack(rows.get(name)!, clip.segments, sizeOf(shape));
      feeds[name] = this.#tensor(data, [clip.segments, ...shape.slice(1)]);
    }
    const results = await this.#run(
      this.#clip!,
      feeds,
      clip.outputs.map(({ name }) => name),
    );
    return Object.fromEntries(
      clip.outputs.map(({ name, shape }) => {
        const size = (seconds * sizeOf(shape)) / clip.segments;
        const data = (results[name]!.data as Float32Array<ArrayBuffer>).slice(0, size);
        return [name, { shape: [seconds, ...shape.slice(1)], data }];
      }),
    );
  }

  async dispose(): Promise<void> {
    await this.#queue.dispose(async () => {
      await this.#segment.release();
      await this.#clip?.release();
    });
  }

  #run(session: GraphSession, feeds: Tensors, fetches: string[]): Promise<Tensors> {
    return this.#queue.run(() => session.run(feeds, fetches));
  }

  #tensor(data: Float32Array, shape: readonly number[]) {
    return new this.#runtime.ort.Tensor('float32', data, [...shape]);
  }
}

const floats = (data: Float32Array | Uint16Array): Float32Array =>
  data instanceof Uint16Array ? decodeHalf(data) : data;

/** Rows one after another, zeros up to `count` of them. */
function stack(rows: readonly Float32Array[], count: number, size: number): Float32Array<ArrayBuffer> {
  const all = new Float32Array(count * size);
  rows.forEach((row, i) => void all.set(row, i * size));
  return all;
}
