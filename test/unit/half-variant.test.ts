/** Packages with a `webgpu-f16` variant: what a manifest may say of it, what is downloaded, and which device runs it. */
import { describe, expect, test } from 'vitest';
import { finishManifest, manifestText } from '../../sdk/compile/package.ts';
import type { EngineInfo } from '../../sdk/contract/engine-info.ts';
import type { AdapterManifest, BackboneManifest, GraphFiles } from '../../sdk/contract/manifest.ts';
import type { ModelPackage } from '../../sdk/contract/model.ts';
import { pairManifests } from '../../sdk/contract/pair.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import type { Runtime, Runtimes } from '../../sdk/contract/runtime.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { chooseVariant, graphsOf, missingFiles } from '../../sdk/engine/variant.ts';
import { MettleError } from '../../sdk/errors.ts';
import { type OpenedModel, openModel } from '../../sdk/hub/hub.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { add, Graph } from '../../sdk/ops/index.ts';
import {
  adapterManifest,
  backboneDraft,
  backboneFiles,
  backboneManifest,
  bytesOf,
  changed,
  memoryPlatform,
} from './hub-fixtures.ts';

const weights = 'model.float16.safetensors';
const graph = (sense: string): GraphFiles => ({ graph: `${sense}.float16.onnx`, weights, precision: 'float16' });
const halfFiles: Record<string, Uint8Array<ArrayBuffer>> = {
  ...backboneFiles,
  'visual.float16.onnx': bytesOf('visual graph in half precision'),
  'audio.float16.onnx': bytesOf('audio graph in half precision'),
  [weights]: bytesOf('half the weights'),
};
const halfDraft: Omit<BackboneManifest, 'files'> = {
  ...backboneDraft,
  variants: { ...backboneDraft.variants, 'webgpu-f16': { visual: graph('visual'), audio: graph('audio') } },
};
/** A network that does nothing, called as `text` says: the engine looks into it before it makes a session. */
function named(text: Uint8Array): Uint8Array<ArrayBuffer> {
  const graph = new Graph();
  return writeOnnx({ y: add(graph.input('x', [1]), 1) }, { name: new TextDecoder().decode(text) });
}
const halfManifest = () => finishManifest(halfDraft, halfFiles);

async function openHalf(): Promise<OpenedModel<BackboneManifest>> {
  const platform = await memoryPlatform();
  platform.put('memory://host/half/', { ...halfFiles, 'manifest.json': bytesOf(manifestText(await halfManifest())) });
  return await openModel('memory://host/half/', 'backbone', { platform });
}

describe('a manifest', () => {
  test('may have the third variant or not', async () => {
    expect((await halfManifest()).variants['webgpu-f16']!.audio).toEqual(graph('audio'));
    expect(Object.keys((await backboneManifest()).variants)).toEqual(['webgpu', 'wasm']);
  });

  test.each([
    ['variants.webgpu-f16.audio', null, 'variants.webgpu-f16.audio: expected an object, got null'],
    ['variants.webgpu-f16.audio.graph', 'none.onnx', 'variants.webgpu-f16.audio.graph: expected a file listed'],
    ['variants.webgpu-f16', null, 'variants.webgpu-f16: expected an object'],
    ['variants.webgpu-f16.audio.precision', 'half', 'variants.webgpu-f16.audio.precision: expected'],
    ['variants.webgl', { visual: null, audio: null }, 'webgl: unknown field'],
    ['variants.webgpu', undefined, 'variants.webgpu: missing'],
  ])('with %s as %j is refused', async (path, value, message) => {
    const manifest = changed(await halfManifest(), path, value);
    expect(() => parseManifest(manifest, 'here')).toThrow(message);
  });

  test('lists no file of the variant without it', async () => {
    const manifest = changed(await halfManifest(), 'variants.webgpu-f16', undefined);
    expect(() => parseManifest(manifest, 'here')).toThrow('is used by no variant');
  });
});

describe('a download', () => {
  test('brings the files of one variant alone', async () => {
    const model = await openHalf();
    const half = Object.keys((await model.download('webgpu-f16')).files).sort();
    expect(half).toEqual(['audio.float16.onnx', weights, 'visual.float16.onnx']);
    expect(model.bytes('webgpu-f16')).toBe(half.reduce((sum, path) => sum + halfFiles[path]!.byteLength, 0));
    const other = Object.keys((await model.download('webgpu')).files).sort();
    expect(other).toEqual(['audio.webgpu.onnx', 'model.safetensors', 'visual.webgpu.onnx']);
  });

  test('brings the webgpu variant of a model that has no other for GPUs', async () => {
    const model = await openModel('nano', 'backbone', { platform: await memoryPlatform() });
    const { files } = await model.download('webgpu-f16');
    expect(Object.keys(files).sort()).toEqual(['audio.webgpu.onnx', 'model.safetensors', 'visual.webgpu.onnx']);
  });
});

test('a pair has the variant if one of the two has it', async () => {
  const part = (manifest: BackboneManifest, sense: 'visual' | 'audio'): BackboneManifest => {
    const other = sense === 'visual' ? 'audio' : 'visual';
    const copy = structuredClone({ ...manifest, id: sense });
    copy.inputs[other] = null;
    copy.taps[other] = [];
    for (const graphs of Object.values(copy.variants)) graphs[other] = null;
    return copy;
  };
  const [visual, audio] = [part(await halfManifest(), 'visual'), part(await backboneManifest(), 'audio')];
  const { variants } = pairManifests(visual, audio);
  expect(variants['webgpu-f16']!.visual.graph).toBe('visual:visual.float16.onnx');
  expect(variants['webgpu-f16']!.audio.graph).toBe('audio:audio.webgpu.onnx');
  expect(pairManifests(part(await backboneManifest(), 'visual'), audio).variants['webgpu-f16']).toBeUndefined();
});

describe('which variant a device runs', () => {
  test.each([
    ['webgpu', true, 'webgpu-f16', ['Half precision, because the GPU has shader-f16.']],
    ['webgpu', false, 'webgpu', ['No half precision, because the GPU lacks shader-f16.']],
    [
      'webgpu',
      undefined,
      'webgpu',
      ['No half precision, because it cannot be known here whether the GPU has shader-f16.'],
    ],
    ['cuda', undefined, 'webgpu', []],
    ['wasm', true, 'wasm', []],
  ] as const)('%s with half precision %s: %s', async (device, half, variant, why) => {
    const models = [await halfManifest(), await adapterManifest()];
    expect(chooseVariant({ device, half }, models)).toEqual({ variant, why });
  });

  test('models without the variant say nothing of it', async () => {
    const models = [await backboneManifest(), await adapterManifest()];
    expect(chooseVariant({ device: 'webgpu', half: true }, models)).toEqual({ variant: 'webgpu', why: [] });
  });

  test('models with and without it go together', async () => {
    const graphs = [await halfManifest(), await adapterManifest()].flatMap((model) => graphsOf(model, 'webgpu-f16'));
    expect(graphs.map((files) => files.graph)).toEqual([
      'visual.float16.onnx',
      'audio.float16.onnx',
      'graphs/adapter.webgpu.onnx',
      'graphs/clip.onnx',
    ]);
  });
});

describe('the engine', () => {
  /** A GPU on which sessions cannot be created, and the CPU after it, where they cannot either: both tell what they were given. */
  async function load(
    half: boolean | undefined,
    paths: readonly string[],
  ): Promise<{ error: unknown; asked: string[] }> {
    const asked: string[] = [];
    const create = async (bytes: Uint8Array): Promise<never> => {
      asked.push(/(visual|audio) graph [\w ]+/.exec(new TextDecoder('latin1').decode(bytes))![0]);
      throw new Error('no memory');
    };
    const loadRuntime = async (_: unknown, exclude: readonly string[] = []): Promise<Runtime> => {
      const device = exclude.includes('webgpu') ? 'wasm' : 'webgpu';
      const ort = { InferenceSession: { create } } as unknown as Runtime['ort'];
      const rest = { name: 'test', threads: 1, gpu: null, why: [], provider: device, lost: null, dispose() {} };
      return { ort, device, ...(half === undefined ? {} : { half }), ...rest };
    };
    const engine = new LocalEngine({ loadRuntime } as unknown as Runtimes);
    const given = Object.entries(halfFiles).filter(([path]) => paths.some((p) => path.includes(p)));
    const files = Object.fromEntries(given.map(([path, text]) => [path, path.endsWith('.onnx') ? named(text) : text]));
    const backbone: ModelPackage<BackboneManifest> = { manifest: await halfManifest(), files };
    const adapters: ModelPackage<AdapterManifest>[] = [];
    const error = await engine.load({ backbone, adapters, device: 'auto' }).then(
      (info: EngineInfo) => info,
      (reason: unknown) => reason,
    );
    await engine.dispose();
    return { error, asked };
  }

  test.each([
    [true, ['float16'], 'visual graph in half precision'],
    [true, ['webgpu', 'model.safetensors'], 'visual graph for webgpu'],
    [true, ['webgpu', 'model.safetensors', 'float16'], 'visual graph in half precision'],
    [false, ['webgpu', 'model.safetensors', 'float16'], 'visual graph for webgpu'],
    [undefined, ['webgpu', 'model.safetensors', 'float16'], 'visual graph for webgpu'],
  ])('with half precision %s and files of %j begins with the %s', async (half, paths, expected) => {
    expect((await load(half, paths)).asked[0]).toBe(expected);
  });

  test('falls back to WASM where half precision fails', async () => {
    const { asked, error } = await load(true, ['float16', 'wasm', 'model.safetensors']);
    expect(asked).toEqual(['visual graph in half precision', 'visual graph for wasm']);
    // Here WASM fails as well.
    expect(error).toMatchObject({ code: 'invalid-file' });
  });

  test('asks for the WASM files where they were not given', async () => {
    const { error } = await load(true, ['float16']);
    expect(error).toBeInstanceOf(MettleError);
    expect(error).toMatchObject({ code: 'device', message: expect.stringContaining('of its wasm form') });
  });

  test('knows which files of half precision are missing', async () => {
    const model = { manifest: await halfManifest(), files: {} };
    expect(missingFiles(model, 'webgpu-f16')).toEqual(['visual.float16.onnx', weights, 'audio.float16.onnx']);
  });
});
