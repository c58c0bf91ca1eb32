/**
 * Calibration of finished adapters on made-up features. Adapters have seeded weights; what is true is what they say, but for one second in five.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { evaluate } from '../../sdk/compile/evaluate.ts';
import { finishManifest } from '../../sdk/compile/package.ts';
import type { AdapterManifest, BackboneManifest } from '../../sdk/contract/manifest.ts';
import type { ModelPackage } from '../../sdk/contract/model.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { tapShape } from '../../sdk/contract/taps.ts';
import { distanceTo, readMeasure, shareBeyond } from '../../sdk/engine/familiarity.ts';
import { type AdapterConfig, defaultAdapter, segmentPart } from '../../sdk/models/adapter.ts';
import { Params } from '../../sdk/models/params.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { foldConstants, Graph, sizeOf } from '../../sdk/ops/index.ts';
import { seededRandom } from '../../sdk/random.ts';
import type { Piece } from '../../sdk/train/features/pieces.ts';
import type { TapCache } from '../../sdk/train/features/tap-cache.ts';
import { calibrateAdapter } from '../../sdk/train/silence/calibrate.ts';
import { PackageRunner } from '../../sdk/train/silence/package-runner.ts';

const nano = new URL('../../adapters/backbones/nano/manifest.json', import.meta.url);
const base = parseManifest(JSON.parse(readFileSync(nano, 'utf8')), 'nano') as BackboneManifest;
const seconds = 4;
const config: AdapterConfig = {
  ...defaultAdapter,
  distill: { ...defaultAdapter.distill, width: 16 },
  ...{ task: 'localize', classes: ['a', 'b'], taps: 'last', segments: seconds, layers: 1, channels: 8 },
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 1 });
});
afterAll(() => runtime.dispose());

const compile = (task: AdapterConfig['task'], source = {}) =>
  compileAdapter(
    { id: task, version: '1.0.0', license: 'MIT', config: { ...config, task }, weights: { seed: 1 }, ...source },
    base,
    (values) => evaluate(runtime.ort, values),
  );

/** Noise. */
function tapsOf(reads: readonly string[], name: string): Record<string, Float32Array> {
  const random = seededRandom(name);
  const all = [...base.taps.visual, ...base.taps.audio].filter((tap) => reads.includes(tap.name));
  return Object.fromEntries(
    all.map((tap) => {
      // A tone of its own for each second, so that answers differ.
      const length = sizeOf(tapShape(tap));
      const tones = Array.from({ length: seconds }, () => 2 * random() - 1);
      const data = Float32Array.from(
        { length: seconds * length },
        (_, i) => random() - 0.5 + tones[Math.floor(i / length)]! * Math.sin(i % length),
      );
      return [tap.name, data];
    }),
  );
}

const split = (index: number): Piece['split'] => (index < 60 ? 'train' : index < 90 ? 'val' : 'test');

/** Pieces whose labels are what the adapter says, one second in five apart, and their features. */
async function material(adapter: ModelPackage<AdapterManifest>) {
  const { reads } = adapter.manifest.segment;
  const kept = Array.from({ length: 120 }, (_, i) => ({ seconds, taps: tapsOf(reads, `clip ${i}`) }));
  const runner = await PackageRunner.open(runtime, adapter, base);
  const pieces: Piece[] = [];
  for (const [index, taps] of kept.entries()) {
    const { outputs } = await runner.run(taps, seconds);
    const rows = outputs.logits!.data;
    const labels = Int32Array.from({ length: seconds }, (_, second) => {
      const row = rows.subarray(second * 3, second * 3 + 3);
      const said = row.indexOf(Math.max(...row));
      return (index * seconds + second) % 5 === 0 ? (said + 1) % 3 : said;
    });
    const source = { kind: 'video' as const, path: `${index}` };
    pieces.push({
      ...{ id: `${index}`, split: split(index), seconds, start: 0, source },
      labels: { task: 'localize', seconds: labels },
    });
  }
  await runner.dispose();
  const taps = { read: async (index: number) => kept[index]! } as unknown as TapCache;
  const readMask = async () => Promise.reject(new Error('there are none'));
  return { pieces, failed: new Map<string, string>(), taps, indexOf: (piece: Piece) => Number(piece.id), readMask };
}

describe('a finished adapter', () => {
  test('learns when to keep silent and how sure to sound', async () => {
    const adapter = await compile('localize');
    const scope = { senses: ['audio' as const, 'visual' as const], world: 'Noise.', unknown: 'All else.' };
    const features = await material(adapter);
    const calibrated = await calibrateAdapter({ adapter, base, runtime, features, scope });
    const { manifest, files } = calibrated.package;
    expect(manifest.scope).toEqual(scope);
    // Graphs and weights are those of before.
    for (const { path, integrity } of adapter.manifest.files) {
      expect(manifest.files.find((file) => file.path === path)?.integrity).toBe(integrity);
    }
    const { val, test: tested } = calibrated.figures;
    expect([val!.clips, tested!.clips]).toEqual([30, 30]);
    expect(val!.rightLost).toBeLessThanOrEqual(0.03);
    expect(tested!.rightLost).toBeLessThan(0.15);
    // One second in five is wrong: confidence then should be 0.8, of all that is said.
    expect(val!.calibrationError.after!).toBeLessThan(val!.calibrationError.before!);

    const measure = readMeasure(files['familiarity.safetensors']!, manifest, 'measure');
    for (const own of [measure.audio!, measure.visual!]) {
      expect(shareBeyond(own.levels, distanceTo(own, own.mean))).toBe(1);
      const far = own.mean.map((x) => x + 10);
      expect(shareBeyond(own.levels, distanceTo(own, far))).toBe(0);
    }
  });

  test('too few training seconds are refused', async () => {
    const adapter = await compile('localize');
    const all = await material(adapter);
    const features = { ...all, pieces: all.pieces.slice(55) };
    await expect(calibrateAdapter({ adapter, base, runtime, features })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('from 20 training seconds; expected at least 50'),
    });
  });
});

test('an older package of masks, whose graph keeps its meta-tokens to itself, gives them afterwards', async () => {
  const { withTokenOutputs } = await import('../../sdk/compile/token-outputs.ts');
  const now = await compile('segment');
  const graph = new Graph();
  const all = new Map([...base.taps.visual, ...base.taps.audio].map((tap) => [tap.name, tap]));
  const read = (name: string) => graph.remember(`tap ${name}`, () => graph.input(name, tapShape(all.get(name)!)));
  const masks = segmentPart(Params.constants(graph, { seed: 1 }), base.taps, read, { ...config, task: 'segment' });
  const folded = await foldConstants(masks, (values) => evaluate(runtime.ort, values));
  const path = now.manifest.variants.wasm.segment.graph;
  const { files: _, ...draft } = now.manifest;
  const older = { ...now.files, [path]: writeOnnx(folded) };
  delete older['manifest.json'];
  const canary = draft.canary!.file;
  delete older[canary];
  const outputs = draft.segment.outputs.filter(({ name }) => name === 'mask');
  const manifest = await finishManifest({ ...draft, canary: null, segment: { ...draft.segment, outputs } }, older);
  const changed = await withTokenOutputs({ manifest, files: older }, runtime.ort);
  expect(changed.manifest.segment.outputs).toEqual(now.manifest.segment.outputs);
  const taps = { seconds: 1, taps: tapsOf(manifest.segment.reads, 'masks') };
  const tokens = await Promise.all(
    [now, changed].map(async (adapter) => {
      const runner = await PackageRunner.open(runtime, adapter, base);
      const said = await runner.run(taps, 1);
      await runner.dispose();
      return said.tokens;
    }),
  );
  tokens[0]!.audio[0]!.forEach((x, i) => void expect(tokens[1]!.audio[0]![i]).toBeCloseTo(x, 5));
  tokens[0]!.visual[0]!.forEach((x, i) => void expect(tokens[1]!.visual[0]![i]).toBeCloseTo(x, 5));
});
