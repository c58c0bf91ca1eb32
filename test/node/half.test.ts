/**
 * Half precision against float32 of the same weights, on the CPU, which brings each operation's numbers to half precision and computes it in float32. A GPU that
 * adds up in half precision too was measured at up to six times these errors.
 */
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { type BackboneSource, compileBackbone, type Package } from '../../sdk/compile/backbone.ts';
import { planGraphs, weightsChunks } from '../../sdk/compile/graph-files.ts';
import type { Forms } from '../../sdk/compile/variants.ts';
import { reportForms } from '../../sdk/compile/variants-report.ts';
import type { BackboneManifest } from '../../sdk/contract/manifest.ts';
import { canaryError, canaryInput } from '../../sdk/engine/canary.ts';
import { defaultAdapter } from '../../sdk/models/adapter.ts';
import { decodeHalf } from '../../sdk/onnx/float16.ts';
import { halveGraph } from '../../sdk/onnx/half.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import * as ops from '../../sdk/ops/index.ts';
import { Graph, type Value } from '../../sdk/ops/index.ts';
import { evaluate } from '../helpers/evaluate.ts';

const forms: Forms = { webgpu: 'float32', wasm: 'float32', 'webgpu-f16': 'float16' };
const common = { version: '0.1.0', license: 'MIT', weights: { seed: 1 } };
const nano: BackboneSource = { id: 'nano', ...common, presets: ['swin-v2-nano', 'hts-at-nano'], forms };

/** Outputs of one graph of a package for the inputs of canaries. */
async function outputsOf({ files, manifest }: Package<BackboneManifest>, part: 'visual' | 'audio', half: boolean) {
  const { graph, weights } = manifest.variants[half ? 'webgpu-f16' : 'webgpu']![part]!;
  const session = await ort.InferenceSession.create(files[graph]!, {
    externalData: [{ path: weights, data: files[weights]! }],
    logSeverityLevel: 3,
  });
  const [input] = session.inputMetadata;
  const shape = (input as unknown as { shape: number[] }).shape.map(Number);
  const results = await session.run({ [input!.name]: new ort.Tensor(canaryInput(input!.name, shape), shape) });
  await session.release();
  return results as Record<string, { type: string; data: Float32Array }>;
}

/** The runtime's answer of `outputs` made half for float32 inputs. */
async function halved(outputs: Record<string, Value>, feeds: Record<string, [number[], number[]]>) {
  const session = await ort.InferenceSession.create(writeOnnx(halveGraph(outputs)), { logSeverityLevel: 3 });
  const tensors = Object.entries(feeds).map(([name, [shape, data]]) => [
    name,
    new ort.Tensor(Float32Array.from(data), shape),
  ]);
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return results;
}

async function chunksOf(plan: Parameters<typeof weightsChunks>[0]): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of weightsChunks(plan)) chunks.push(chunk);
  return chunks;
}

describe('a backbone and its adapters', () => {
  let whole: Package<BackboneManifest>;
  beforeAll(async () => {
    whole = await compileBackbone(nano, evaluate);
  });

  test('every tap is within 1e-2 of the largest value, and float32 outside', async () => {
    for (const part of ['visual', 'audio'] as const) {
      const exact = await outputsOf(whole, part, false);
      for (const [name, { type, data }] of Object.entries(await outputsOf(whole, part, true))) {
        expect(type).toBe('float32');
        const error = canaryError(data, exact[name]!.data);
        expect(error, name).toBeLessThan(1e-2);
        expect(error, name).toBeGreaterThan(1e-5);
      }
    }
  });

  test('every tap of noise points where that of float32 does: cosine above 0.9999', async () => {
    const report = await reportForms(ort, whole, whole);
    for (const part of ['visual', 'audio'] as const) {
      const { precision, outputs } = report[part]![`${part}.float16.onnx`]!;
      expect(precision).toBe('float16');
      expect(Object.keys(outputs)).toHaveLength(whole.manifest.taps[part].length);
      for (const { cosine } of Object.values(outputs)) expect(cosine).toBeGreaterThan(0.9999);
    }
  });

  test('weights take half the bytes, and the canary allows what GPUs may be off', () => {
    const bytes = (variant: 'webgpu' | 'webgpu-f16', part: 'visual' | 'audio'): number =>
      whole.files[whole.manifest.variants[variant]![part]!.weights]!.byteLength;
    for (const part of ['visual', 'audio'] as const) {
      expect(bytes('webgpu-f16', part) / bytes('webgpu', part)).toBeGreaterThan(0.49);
      expect(bytes('webgpu-f16', part) / bytes('webgpu', part)).toBeLessThan(0.52);
    }
    expect(whole.manifest.canary!.rtol).toBeGreaterThanOrEqual(0.02);
    expect(whole.manifest.canary!.rtol).toBeLessThanOrEqual(0.1);
  });

  test.each(['localize', 'parse', 'segment'] as const)('an adapter for %s within 2e-2', async (task) => {
    const config = { ...defaultAdapter, task, classes: task === 'segment' ? [] : ['a', 'b', 'c'] };
    const made = await compileAdapter({ id: 'a', ...common, config, forms }, whole.manifest, evaluate);
    const report = await reportForms(ort, made, made);
    for (const [part, graphs] of Object.entries(report)) {
      for (const [name, { relativeError }] of Object.entries(graphs[`${part}.float16.onnx`]!.outputs)) {
        expect(relativeError, `${part} ${name}`).toBeLessThan(2e-2);
      }
    }
  });
});

test('only one variant may be in half precision', async () => {
  for (const variant of ['webgpu', 'wasm']) {
    await expect(
      compileBackbone({ ...nano, forms: { ...forms, [variant]: 'float16' } }, evaluate),
    ).rejects.toMatchObject({
      code: 'invalid-argument',
      message: `Form float16 cannot be that of ${variant}.`,
    });
  }
});

describe('what would leave the range of half precision', () => {
  test('a vector of 1e-6 still gets unit length', async () => {
    const graph = new Graph();
    const y = ops.l2Normalize(graph.input('x', [1, 2]));
    const { y: result } = await halved(
      { y },
      {
        x: [
          [1, 2],
          [3e-6, 4e-6],
        ],
      },
    );
    // Half precision has steps of 6e-8 there.
    expect((result!.data as Float32Array)[0]).toBeCloseTo(0.6, 1);
    expect((result!.data as Float32Array)[1]).toBeCloseTo(0.8, 1);
  });

  test('a vector of thousands too, and a zero stays zero', async () => {
    const graph = new Graph();
    const y = ops.l2Normalize(graph.input('x', [2, 2]));
    const { y: result } = await halved(
      { y },
      {
        x: [
          [2, 2],
          [3000, 4000, 0, 0],
        ],
      },
    );
    const expected = [0.6, 0.8, 0, 0];
    (result!.data as Float32Array).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 3));
  });

  test('sums beyond 65504 and means of many do not overflow', async () => {
    const graph = new Graph();
    const x = graph.input('x', [1, 4]);
    const outputs = { sum: ops.sum(x, [1]), mean: ops.mean(x, [1]), softplus: ops.softplus(x) };
    const results = await halved(outputs, {
      x: [
        [1, 4],
        [60000, 50000, 40000, 30000],
      ],
    });
    expect((results.sum!.data as Float32Array)[0]).toBe(180000);
    expect((results.mean!.data as Float32Array)[0]).toBe(45000);
    expect([...(results.softplus!.data as Float32Array)]).toEqual([60000, 50000, 40000, 30000]);
  });

  test('a weight that does not fit is named, in memory or fetched', async () => {
    const weight = Float32Array.of(1, 1e5);
    const problem = { code: 'incompatible', message: 'Weight "w" holds 100000, which half precision cannot hold.' };
    const times = (w: (graph: Graph) => Value): Record<string, Value> => {
      const graph = new Graph();
      return { y: ops.matmul(graph.input('x', [1, 2]), w(graph)) };
    };
    expect(() => halveGraph(times((graph) => graph.constant(weight, [2, 1], 'w')))).toThrow(
      expect.objectContaining(problem),
    );
    const later = halveGraph(times((graph) => graph.deferred(async () => weight, [2, 1], 'w')));
    const plan = await planGraphs({ g: later }, 'w.safetensors', evaluate);
    await expect(chunksOf(plan)).rejects.toMatchObject(problem);
  });
});

describe('the graph', () => {
  const typesOf = (outputs: Record<string, Value>): string[] =>
    readOnnx(writeOnnx(halveGraph(outputs))).graph.nodes.map(({ opType }) => opType);

  test('has one cast per input and output, and LayerNormalization is one node', () => {
    const graph = new Graph();
    const x = graph.input('x', [4, 8]);
    const normed = ops.layerNorm(ops.relu(x));
    expect(typesOf({ y: ops.add(normed, x) })).toEqual(['Cast', 'Relu', 'LayerNormalization', 'Add', 'Cast']);
  });

  test('what depends on constants alone is left to the runtime in float32', () => {
    const graph = new Graph();
    const spread = ops.sigmoid(ops.expand(graph.constant(Float32Array.of(1, 2), [1, 2], 'c'), [64, 2]));
    const types = typesOf({ y: ops.relu(ops.add(graph.input('x', [64, 2]), spread)) });
    expect(types).toEqual(['Expand', 'Sigmoid', 'Cast', 'Cast', 'Add', 'Relu', 'Cast']);
  });

  test('weights that are fetched are written as those in memory', async () => {
    const data = Float32Array.from({ length: 256 }, (_, i) => Math.sin(i));
    const bytesOf = async (weight: (graph: Graph) => Value): Promise<Buffer> => {
      const graph = new Graph();
      const y = ops.matmul(graph.input('x', [1, 16]), weight(graph));
      const plan = await planGraphs({ g: halveGraph({ y }) }, 'w.safetensors', evaluate);
      return Buffer.concat([plan.files['g.onnx']!, ...(await chunksOf(plan))]);
    };
    const ready = await bytesOf((graph) => graph.constant(data, [16, 16], 'w'));
    const fetched = await bytesOf((graph) => graph.deferred(async () => data, [16, 16], 'w'));
    expect(fetched.equals(ready)).toBe(true);
    const last = new Uint16Array(Uint8Array.from(ready.subarray(-512)).buffer);
    expect(decodeHalf(last)[255]).toBeCloseTo(Math.sin(255), 3);
  });
});
