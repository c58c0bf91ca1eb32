/**
 * Attention as the engine tells it, against the method's formulas in float64 plain loops: shares within 1e-5 of their sum of 1, of half precision within 2e-3. And where a
 * published HTS-AT, which folds time, has a moment and a band: against what changes in its first block where these change.
 */
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import type { Package } from '../../sdk/compile/backbone.ts';
import type { Forms } from '../../sdk/compile/variants.ts';
import { attentionOutput } from '../../sdk/contract/attention.ts';
import type { RgbImage } from '../../sdk/contract/clip.ts';
import type { AdapterManifest, BackboneManifest, LogMelFrontEnd, Tap } from '../../sdk/contract/manifest.ts';
import type { AdapterOutputs, ModelPackage } from '../../sdk/contract/model.ts';
import { type Modality, modalities, type WholeBackbone, wholeBackbone } from '../../sdk/contract/pair.ts';
import { pictureShape, soundShape, tapShape } from '../../sdk/contract/taps.ts';
import { planAttention } from '../../sdk/engine/attention.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { soundGrid } from '../../sdk/engine/grid.ts';
import type { EngineSegment } from '../../sdk/engine/types.ts';
import { createLogMel } from '../../sdk/front-end/log-mel.ts';
import { pictureToTensor } from '../../sdk/front-end/picture.ts';
import { loadModel } from '../../sdk/hub/hub.ts';
import { type AdapterConfig, clipPart, defaultAdapter, segmentPart, tapsToDistill } from '../../sdk/models/adapter.ts';
import { htsAt } from '../../sdk/models/hts-at.ts';
import { bottleneck, type DistillConfig } from '../../sdk/models/lcd.ts';
import { Params } from '../../sdk/models/params.ts';
import { Graph, sizeOf, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { type LayerReading, readLayer } from '../helpers/lcd-reference.ts';

let base: ModelPackage<BackboneManifest>;
let nano: WholeBackbone;
beforeAll(async () => {
  base = await loadModel('nano', 'backbone', 'wasm');
  nano = wholeBackbone(base.manifest);
});

const configOf = (distill: Partial<DistillConfig>, change: Partial<AdapterConfig> = {}): AdapterConfig => ({
  ...defaultAdapter,
  ...{ task: 'localize', classes: ['a', 'b'], taps: 'stage-ends', segments: 2 },
  ...change,
  distill: { ...defaultAdapter.distill, width: 32, ...distill },
});

/** Noise for every parameter, gates and shares of layers included. */
function noiseFor(config: AdapterConfig): Map<string, Float32Array> {
  const graph = new Graph();
  const params = Params.inputs(graph);
  const taps = new Map([...nano.taps.visual, ...nano.taps.audio].map((tap) => [tap.name, tap]));
  const read = (name: string): Value => graph.remember(name, () => graph.input(name, tapShape(taps.get(name)!)));
  segmentPart(params, nano.taps, read, config, { tokens: true });
  const { segments, distill } = config;
  const tokens = (name: string): Value => graph.input(name, [1, segments, distill.tokens, distill.width]);
  clipPart(params, { audio: tokens('a'), visual: tokens('v'), mask: graph.input('m', [1, segments]) }, config);
  return new Map([...params.specs.values()].map(({ name, shape }) => [name, noise(name, sizeOf(shape))]));
}

function noise(name: string, count: number): Float32Array {
  const random = seededRandom(name);
  return Float32Array.from({ length: count }, () => 0.4 * gaussian(random));
}

const compile = (config: AdapterConfig, forms?: Forms): Promise<Package<AdapterManifest>> =>
  compileAdapter(
    { id: 'read', version: '1.0.0', license: 'MIT', config, weights: noiseFor(config), forms },
    nano,
    evaluate,
  );

/** A picture of colours that run into each other, and a tone that rises. */
function second(): { frame: RgbImage; pcm: Float32Array<ArrayBuffer> } {
  const { width, height } = nano.inputs.visual;
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => 127 + 120 * Math.sin(i / 97 + (i % 3)));
  const pcm = Float32Array.from({ length: 32_000 }, (_, i) => 0.4 * Math.sin(i * (0.05 + i / 400_000)));
  return { frame: { width, height, data }, pcm };
}

/** All taps of the second, by a session of the test's own. */
async function tapsOf({ frame, pcm }: ReturnType<typeof second>): Promise<Map<string, Float32Array>> {
  const { visual, audio } = nano.inputs;
  const taps = new Map<string, Float32Array>();
  const feeds = {
    visual: [pictureToTensor(frame, visual), pictureShape(visual)],
    audio: [createLogMel(audio)(pcm), soundShape(audio)],
  } as const;
  for (const sense of modalities) {
    const { graph, weights } = base.manifest.variants.wasm[sense]!;
    const session = await ort.InferenceSession.create(base.files[graph]!, {
      externalData: [{ path: weights, data: base.files[weights]! }],
    });
    const [data, shape] = feeds[sense];
    const results = await session.run({ [nano.inputs[sense].input]: new ort.Tensor(data, shape) });
    for (const [name, { data }] of Object.entries(results)) taps.set(name, data as Float32Array);
    await session.release();
  }
  return taps;
}

/** Of every layer that the adapter reads, what the formulas give. */
function expected(
  config: AdapterConfig,
  sense: Modality,
  taps: ReadonlyMap<string, Float32Array>,
): (LayerReading & { tap: Tap })[] {
  const weights = noiseFor(config);
  const { tokens, heads, paths, width: common } = config.distill;
  return tapsToDistill(nano.taps[sense], config).map((tap) => {
    const { name, width } = tap;
    const of = (scope: string) => (parameter: string) => weights.get(`lcd.${sense}.${scope}.${parameter}`)!;
    const sizes = { tokens, heads, width, inner: bottleneck(width), common };
    const layer = of(name.slice(sense.length + 1));
    const reading = readLayer(taps.get(name)!, sizes, paths as 'both', layer, of(`stage${width}`));
    return { ...reading, tap };
  });
}

function meanOfPaths({ preservation, task }: LayerReading): Float64Array {
  const [one, other] = [preservation, task].filter((path) => path !== null);
  return other ? one!.map((share, n) => (share + other[n]!) / 2) : one!;
}

const lengthOf = (rows: readonly Float64Array[]): number =>
  Math.sqrt(rows.reduce((sum, row) => row.reduce((inner, v) => inner + v * v, sum), 0));

function sharesOfLayers(config: AdapterConfig, sense: Modality, readings: readonly LayerReading[]): number[] {
  const learned = noiseFor(config).get(`lcd.${sense}.layer_weights`);
  const factors = readings.map((_, i) => (config.distill.average === 'learned' ? Math.exp(learned![i]!) : 1));
  const lengths = readings.map(({ part }, i) => factors[i]! * lengthOf(part));
  const total = lengths.reduce((a, b) => a + b, 0);
  return lengths.map((length) => length / total);
}

const far = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length ? Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0) : Infinity;

/** What the engine tells of a second. */
async function explained(adapter: Package<AdapterManifest>, segment: EngineSegment): Promise<AdapterOutputs> {
  const engine = new LocalEngine(runtimes);
  try {
    await engine.load({ backbone: base, adapters: [adapter], device: 'cpu' });
    await engine.explain('read', adapter);
    const run = await engine.begin(['read'], true);
    return (await engine.push(run, segment)).read!;
  } finally {
    await engine.dispose();
  }
}

describe('maps and weights of layers equal the formulas', () => {
  test.each<[string, AdapterConfig]>([
    ['as adapters are by default', configOf({}, { taps: 'blocks' })],
    ['in the plain form', configOf({ form: 'plain' })],
    ['of the preservation path alone', configOf({ paths: 'preservation' })],
    ['of the task path alone, with learned shares of layers', configOf({ paths: 'task', average: 'learned' })],
    ['with learned shares of layers', configOf({ average: 'learned', tokens: 2, heads: 2 })],
    ['of one layer', configOf({}, { taps: 'last' })],
  ])('%s', async (_, config) => {
    const segment = second();
    const [outputs, taps] = [await explained(await compile(config), segment), await tapsOf(segment)];
    for (const sense of modalities) {
      const readings = expected(config, sense, taps);
      const weights = sharesOfLayers(config, sense, readings);
      const whole = new Float64Array(outputs[attentionOutput.whole(sense)]!.data.length);
      const [rows, columns] = readings[0]!.tap.grid;
      readings.forEach((reading, i) => {
        const { name, grid } = reading.tap;
        const map = outputs[attentionOutput.map(sense, name)]!;
        expect(map.shape).toEqual(grid);
        expect(far(map.data, meanOfPaths(reading)), name).toBeLessThan(1e-5);
        expect(outputs[attentionOutput.weight(sense, name)]!.data[0]).toBeCloseTo(weights[i]!, 5);
        // Stages halve the grid: a cell of a coarse one covers a square of the finest.
        const step = rows / grid[0];
        meanOfPaths(reading).forEach((share, n) => {
          const [top, left] = [Math.floor(n / grid[1]) * step, (n % grid[1]) * step];
          for (let y = top; y < top + step; y++) {
            for (let x = left; x < left + step; x++) whole[y * columns + x]! += (weights[i]! * share) / step ** 2;
          }
        });
      });
      expect(outputs[attentionOutput.whole(sense)]!.shape).toEqual([rows, columns]);
      expect(far(outputs[attentionOutput.whole(sense)]!.data, whole)).toBeLessThan(1e-5);
    }
  });

  test('in half precision', async () => {
    const config = configOf({});
    const adapter = await compile(config, { webgpu: 'float32', wasm: 'float32', 'webgpu-f16': 'float16' });
    const { graph, weights } = adapter.manifest.variants['webgpu-f16']!.segment;
    const plan = planAttention(adapter.manifest, adapter.files[graph]!);
    expect(plan.layers.visual.map(({ tap }) => tap)).toEqual(
      tapsToDistill(nano.taps.visual, config).map(({ name }) => name),
    );
    const session = await ort.InferenceSession.create(plan.graph, {
      externalData: [{ path: weights, data: adapter.files[weights]! }],
      logSeverityLevel: 3,
    });
    const taps = await tapsOf(second());
    const all = [...nano.taps.visual, ...nano.taps.audio].filter(({ name }) =>
      adapter.manifest.segment.reads.includes(name),
    );
    const feeds = all.map((tap) => [tap.name, new ort.Tensor(taps.get(tap.name)!, tapShape(tap))]);
    const results = await session.run(Object.fromEntries(feeds), plan.outputs);
    await session.release();
    for (const { tap, preservation } of expected(config, 'visual', taps)) {
      const layer = plan.layers.visual.find((layer) => layer.tap === tap.name)!;
      const output = results[plan.outputs.find((name) => name.endsWith(`/${layer.preservation}`))!]!;
      expect(output.type).toBe('float32');
      const rows = output.data as Float32Array;
      const mean = preservation!.map(
        (_, n) => (rows[n]! + rows[n + tap.tokens]! + rows[n + 2 * tap.tokens]! + rows[n + 3 * tap.tokens]!) / 4,
      );
      expect(far(mean, preservation!), tap.name).toBeLessThan(2e-3);
    }
  });
});

test('a mean of tokens, and a probe, have no attention, and say so', async () => {
  for (const config of [
    configOf({ paths: 'none' }),
    configOf({}, { task: 'segment', classes: [], decoder: 'linear', taps: 'stage-ends' }),
  ]) {
    const adapter = await compileAdapter(
      { id: 'read', version: '1.0.0', license: 'MIT', config, weights: { seed: 1 } },
      nano,
      evaluate,
    );
    const { graph } = adapter.manifest.variants.wasm.segment;
    expect(() => planAttention(adapter.manifest, adapter.files[graph]!)).toThrow(
      expect.objectContaining({ code: 'incompatible', message: expect.stringContaining('no meta-tokens that attend') }),
    );
  }
});

test('a moment and a band of a folded and repeated second are where the network has them', async () => {
  const frontEnd = { sampleRate: 32_000, hop: 320, frames: 1001, mels: 64, repeat: 10 } as LogMelFrontEnd;
  const graph = new Graph();
  const { blocks, grids } = htsAt(Params.constants(graph, { seed: 4 }), graph.input('logMel', [1, 1, 1001, 64]), {
    ...{ mels: 64, layout: { kind: 'fold', side: 256 }, patch: 4, window: 8, mlpRatio: 1 },
    ...{ width: 8, depths: [1], heads: [1] },
  });
  const tokens = async (loud: (frame: number, band: number) => boolean): Promise<Float32Array> => {
    const data = Float32Array.from({ length: 1001 * 64 }, (_, i) => (loud(Math.floor(i / 64), i % 64) ? 1 : 0));
    return (await evaluate({ y: blocks[0]![0]! }, { logMel: { data, shape: [1, 1, 1001, 64] } })).y!;
  };
  const silent = await tokens(() => false);
  const tap: Tap = { name: 'audio.x', layout: 'tokens', tokens: 4096, width: 8, grid: [...grids[0]!] };
  for (const [time, band] of [
    [0.34, 5],
    [0.82, 12],
  ] as const) {
    const inside = (frame: number, row: number): boolean =>
      frame % 100 >= 100 * time - 3 && frame % 100 < 100 * time + 3 && Math.floor(row / 4) === band;
    const loud = await tokens(inside);
    const shares = Float32Array.from({ length: 4096 }, (_, n) =>
      far(loud.subarray(8 * n, 8 * n + 8), silent.subarray(8 * n, 8 * n + 8)),
    );
    const grid = soundGrid(tap, shares, frontEnd)!;
    expect([grid.rows, grid.columns]).toEqual([26, 16]);
    const most = grid.data.indexOf(Math.max(...grid.data));
    // Within a step of 38 ms.
    expect(Math.abs(Math.floor(most / 16) + 0.5 - 26 * time)).toBeLessThan(1);
    expect(most % 16).toBe(band);
  }
});
