/** Devices that compute wrongly are found out when models are loaded, and every exporter writes what is needed for it. */

import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { runtimes } from '#runtimes';
import { type AdapterSource, compileAdapter } from '../../sdk/compile/adapter.ts';
import { compileBackbone, type Package } from '../../sdk/compile/backbone.ts';
import { type FrontEndSource, tapBackbone } from '../../sdk/compile/tapped.ts';
import { exactForms, type Forms, largeForms, smallForms } from '../../sdk/compile/variants.ts';
import type { DeviceRequest } from '../../sdk/contract/device.ts';
import type { EngineInfo } from '../../sdk/contract/engine-info.ts';
import type { AdapterManifest, BackboneManifest } from '../../sdk/contract/manifest.ts';
import type { ModelPackage } from '../../sdk/contract/model.ts';
import { pairManifests } from '../../sdk/contract/pair.ts';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { type CanaryNumbers, canaryInput, readCanary, writeCanary } from '../../sdk/engine/canary.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { defaultAdapter } from '../../sdk/models/adapter.ts';
import { openNetwork } from '../../sdk/onnx/taps.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { Graph, mul, reshape, transpose } from '../../sdk/ops/index.ts';
import { expectReferenceNumbers } from '../helpers/engine-cases.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { referenceCanaries, tinyModels } from '../helpers/tiny-models.ts';

const file = 'canary.safetensors';
type Models = ReturnType<typeof tinyModels>;

/** The tiny models, whose canaries were computed in plain TypeScript. Adapter `sound` has none. */
function withCanaries(numbers = referenceCanaries(), models = tinyModels()): Models {
  const add = <M extends AdapterManifest | BackboneManifest>(
    { manifest, files }: ModelPackage<M>,
    own: CanaryNumbers,
  ): ModelPackage<M> => ({
    manifest: { ...manifest, canary: { file, rtol: 1e-4 } },
    files: { ...files, [file]: writeCanary(own) },
  });
  const [mix, sound] = models.adapters;
  return {
    backbone: add(models.backbone, numbers.backbone),
    adapters: [add(mix!, numbers.mix), sound!],
  };
}

async function load(models: Models, device: DeviceRequest, loadRuntime = runtimes.loadRuntime): Promise<EngineInfo> {
  const engine = new LocalEngine({ ...runtimes, loadRuntime });
  try {
    return await engine.load({ ...models, device });
  } finally {
    await engine.dispose();
  }
}

/** The CPU under the name of a GPU, on which the outputs of this name are a little too large. */
function crookedGpu(crooked: string): typeof runtimes.loadRuntime {
  return async (_request, exclude = []) => {
    const cpu = await runtimes.loadRuntime({ device: 'cpu' });
    if (exclude.includes('webgpu')) return cpu;
    const create = async (...args: Parameters<typeof cpu.ort.InferenceSession.create>) => {
      const session = await cpu.ort.InferenceSession.create(args[0], { externalData: args[1]?.externalData });
      const run = async (feeds: never, fetches: never) => {
        const results = await session.run(feeds, fetches);
        const data = results[crooked]?.data as Float32Array | undefined;
        if (data) data[0]! += 0.01;
        return results;
      };
      const { inputNames, outputNames } = session;
      return { inputNames, outputNames, run, release: () => session.release() };
    };
    const gpu = { ...cpu, ort: { ...cpu.ort, InferenceSession: { create } }, device: 'webgpu', why: ['A test GPU.'] };
    return gpu as unknown as Runtime;
  };
}

describe('a canary', () => {
  it.each(['cpu', 'wasm'] as const)('that is right lets its models be loaded on %s', async (device) => {
    const engine = new LocalEngine(runtimes);
    const steps: string[] = [];
    const info = await engine.load({ ...withCanaries(), device }, ({ phase, done }) => steps.push(`${phase} ${done}`));
    expect(info.device).toBe(device);
    expect(steps.filter((step) => step.startsWith('warmup'))).toEqual([0, 1, 2, 3, 4, 5].map((n) => `warmup ${n}`));
    await expectReferenceNumbers(engine);
    await engine.dispose();
  });

  it.each([
    ['backbone', 'visual', 'v1', 'Backbone "tiny"'],
    ['backbone', 'audio', 'a0', 'Backbone "tiny"'],
    ['mix', 'segment', 'tokens', 'Adapter "mix"'],
    ['mix', 'clip', 'scores', 'Adapter "mix"'],
  ] as const)('of %s that is wrong about %s %s stops the load', async (model, graph, output, name) => {
    const numbers = referenceCanaries();
    numbers[model][graph]![output]![1]! += 0.05;
    const error = await load(withCanaries(numbers), 'cpu').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'device', hint: expect.stringContaining('Export the model again') });
    expect((error as Error).message).toContain(`${name} gives wrong numbers on cpu: output "${output}" differs by `);
  });

  it.each(['v1', 'a0', 'tokens', 'attention', 'scores'])(
    'finds out a GPU on which %s is wrong: auto goes to the CPU and says so, webgpu is refused',
    async (output) => {
      const info = await load(withCanaries(), 'auto', crookedGpu(output));
      expect(info.device).toBe('cpu');
      expect(info.warnings[0]).toMatchObject({ code: 'device-fallback' });
      expect(info.warnings[0]!.message).toContain(`wrong numbers on webgpu: output "${output}" differs by`);
      expect(info.why).toContain(info.warnings[0]!.message);
      await expect(load(withCanaries(), 'webgpu', crookedGpu(output))).rejects.toMatchObject({
        code: 'device',
        hint: expect.stringContaining('"wasm"'),
      });
    },
  );

  it('asks for the other variant where a wrong GPU was given its own alone', async () => {
    const gpuOnly = withCanaries(referenceCanaries(), tinyModels(['webgpu']));
    await expect(load(gpuOnly, 'auto', crookedGpu('a0'))).rejects.toMatchObject({
      code: 'device',
      message: expect.stringContaining('wrong numbers on webgpu'),
      hint: expect.stringContaining('wasm variant'),
    });
  });

  it('is not needed: a package without one is loaded as it is', async () => {
    expect((await load(tinyModels(), 'auto', crookedGpu('a0'))).device).toBe('webgpu');
  });

  it('must be among the files, and about the outputs of its model', async () => {
    const absent = withCanaries();
    delete absent.backbone.files[file];
    await expect(load(absent, 'cpu')).rejects.toThrow(`"tiny" was given without "${file}"`);
    const exchanged = withCanaries();
    exchanged.backbone.files[file] = exchanged.adapters[0]!.files[file]!;
    await expect(load(exchanged, 'cpu')).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining(`${file} of backbone "tiny": lacks the tensor "out/visual/v1"`),
    });
  });
});

describe('compiled packages', () => {
  const common = { version: '1.0.0', license: 'MIT', weights: { seed: 3 } };
  const onCpu: typeof evaluate = (values) => evaluate(values);
  const backboneOf = (
    id: string,
    presets: Parameters<typeof compileBackbone>[0]['presets'],
    forms: Forms = exactForms,
  ) => compileBackbone({ id, ...common, presets, forms }, onCpu);
  const both = ['swin-v2-nano', 'hts-at-nano'] as const;
  const config = { ...defaultAdapter, classes: ['a', 'b'], task: 'parse' as const };
  const sources: AdapterSource[] = [
    { id: 'parse', ...common, config },
    { id: 'masks', ...common, config: { ...config, task: 'segment', classes: [] } },
  ];
  const adaptersFor = (base: BackboneManifest, forms: Forms = exactForms) =>
    Promise.all(sources.map((source) => compileAdapter({ ...source, forms }, base, onCpu)));
  let exact: Package<BackboneManifest>;

  beforeAll(async () => {
    exact = await backboneOf('whole', both);
  });

  it('carry small canaries that hold on another runtime than the one that made them', async () => {
    const adapters = await adaptersFor(exact.manifest);
    for (const { manifest, files } of [exact, ...adapters]) {
      expect(manifest.canary).toEqual({ file, rtol: 0.02 });
      expect(files[file]!.byteLength).toBeLessThan(20_000);
    }
    await load({ backbone: exact, adapters }, 'wasm');
    // Far below what is allowed: the same numbers to the last digits but two.
    const strict = { ...exact, manifest: { ...exact.manifest, canary: { file, rtol: 1e-4 } } };
    await load({ backbone: strict, adapters }, 'wasm');
  });

  it('do not load with other weights', async () => {
    const other = await compileBackbone({ id: 'whole', ...common, presets: both, weights: { seed: 4 } }, onCpu);
    const files = { ...other.files, [file]: exact.files[file]! };
    await expect(
      load({ backbone: { ...other, files }, adapters: await adaptersFor(exact.manifest) }, 'cpu'),
    ).rejects.toThrow('Backbone "whole" gives wrong numbers on cpu: output "visual.s3"');
  });

  it.each([
    ['small', smallForms],
    ['large', largeForms],
  ])('in %s forms allow what these forms are off, and load', async (_name, forms) => {
    const backbone = await backboneOf('whole', both, forms);
    const adapters = await adaptersFor(backbone.manifest, forms);
    for (const { manifest } of [backbone, ...adapters]) {
      expect(manifest.canary!.rtol).toBeGreaterThanOrEqual(0.02);
      expect(manifest.canary!.rtol).toBeLessThanOrEqual(0.5);
    }
    // The reference is that of float32, whatever the form.
    expect(backbone.files[file]).toEqual(exact.files[file]);
    for (const device of ['cpu', 'wasm'] as const) await load({ backbone, adapters }, device);
  });

  it('in a pair keep a canary each', async () => {
    const [pictures, sounds] = [await backboneOf('eyes', both.slice(0, 1)), await backboneOf('ears', both.slice(1))];
    const manifest = pairManifests(sounds.manifest, pictures.manifest);
    const files = Object.fromEntries([
      ...Object.entries(pictures.files).map(([path, bytes]) => [`visual:${path}`, bytes] as const),
      ...Object.entries(sounds.files).map(([path, bytes]) => [`audio:${path}`, bytes] as const),
    ]);
    const adapters = await adaptersFor(manifest);
    await load({ backbone: { manifest, files }, adapters }, 'cpu');
    const last = manifest.taps.audio.at(-1)!;
    const outputs = { audio: { [last.name]: last.tokens * last.width } };
    const numbers = readCanary(files[`audio:${file}`]!, outputs, 'here');
    numbers.audio![last.name]!.reverse();
    const crooked = { ...files, [`audio:${file}`]: writeCanary({ audio: numbers.audio! }) };
    await expect(load({ backbone: { manifest, files: crooked }, adapters }, 'cpu')).rejects.toThrow(
      `Backbone "eyes+ears" gives wrong numbers on cpu: output "${last.name}"`,
    );
  });
});

describe('a network of any maker', () => {
  it('gets the numbers of its last tap', async () => {
    const graph = new Graph();
    const picture = graph.input('picture', [1, 3, 4, 4]);
    const tokens = transpose(reshape(picture, [1, 3, 16]), [0, 2, 1]);
    const network = writeOnnx({ first: mul(tokens, 3), last: mul(tokens, 2) });
    const frontEnd = { width: 4, height: 4, mean: [0, 0, 0], std: [1, 1, 1] } satisfies FrontEndSource['frontEnd'];
    const { manifest, files } = await tapBackbone(
      { id: 'any', version: '1.0.0', license: 'MIT', modality: 'visual', frontEnd, taps: ['first', 'last'] },
      { network: openNetwork(network, 'any.onnx'), ort },
    );
    expect(manifest.canary).toEqual({ file, rtol: 0.02 });
    const read = readCanary(files[file]!, { visual: { 'visual.last': 48 } }, 'here');
    const input = canaryInput('picture', [1, 3, 4, 4]);
    expect([...read.visual!['visual.last']!]).toEqual(
      Array.from({ length: 48 }, (_, i) => 2 * input[(i % 3) * 16 + Math.floor(i / 3)]!),
    );
  });
});
