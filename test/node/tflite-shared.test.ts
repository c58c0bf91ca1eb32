/** Published TensorFlow Lite files against an independent interpreter's values, and adapters made for the same networks as ONNX running on the imported files. */
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import type { Package } from '../../sdk/compile/backbone.ts';
import { withLikeness } from '../../sdk/compile/likeness.ts';
import { tapBackbone } from '../../sdk/compile/tapped.ts';
import { openTflite } from '../../sdk/compile/tflite.ts';
import { checkFits } from '../../sdk/contract/fits.ts';
import type { AdapterManifest, BackboneManifest } from '../../sdk/contract/manifest.ts';
import type { AdapterOutputs, ModelPackage } from '../../sdk/contract/model.ts';
import { modalities, pairManifests, pairPath } from '../../sdk/contract/pair.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { createLogMel } from '../../sdk/front-end/log-mel.ts';
import { readSafetensors, type Safetensors, tensorOf, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { computedValues, cutNetwork } from '../../sdk/onnx/taps.ts';
import { byoPair, mobilenetFrontEnd, yamnetFrontEnd } from '../helpers/byo-cases.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

const nets = [
  ['yamnet', 'yamnet', 14],
  ['mobilenet_v2_1.0_224_quant', 'mobilenetv2', 17],
  ['deeplabv3_mnv2_pascal_quant', 'deeplabv3_mnv2', 17],
] as const;
const absent = sharedIsAbsent('backbones/tflite') || sharedIsAbsent('backbones/mobilenetv2');
const why = absent ? ' (skipped: ../shared/data/backbones is not there)' : '';

const open = (file: string) => openTflite(readShared(`backbones/tflite/${file}.tflite`), `${file}.tflite`);
const referenceOf = (folder: string): Safetensors =>
  readSafetensors(readShared(`backbones/${folder}/reference.safetensors`), folder);

/** What the network is fed, from the reference's own picture or log-mel. */
function feedOf(folder: string, reference: Safetensors): { data: Float32Array; dims: number[] } {
  if (folder === 'yamnet') return { data: toFloat32(tensorOf(reference, 'log_mel', [96, 64])), dims: [1, 96, 64] };
  const [height, width] = reference.tensors.get('pixels')!.shape as [number, number];
  const pixels = tensorOf(reference, 'pixels', [height, width, 3]).bytes;
  const size = height * width;
  const data = Float32Array.from({ length: 3 * size }, (_, i) => {
    return (pixels[3 * (i % size) + Math.floor(i / size)]! - 128) / 128;
  });
  return { data, dims: [1, 3, height, width] };
}

/** The largest difference as a share of the largest value expected. */
function shareOff(actual: Float32Array, expected: Float32Array): number {
  let [largest, worst] = [0, actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY];
  expected.forEach((x, i) => {
    largest = Math.max(largest, Math.abs(x));
    worst = Math.max(worst, Math.abs(x - actual[i]!));
  });
  return worst / largest;
}

async function run(onnx: Uint8Array, feed: ReturnType<typeof feedOf>, names: readonly string[]) {
  const session = await ort.InferenceSession.create(onnx, { logSeverityLevel: 4 });
  try {
    const results = await session.run(
      { [session.inputNames[0]!]: new ort.Tensor('float32', feed.data, feed.dims) },
      names,
    );
    return Object.fromEntries(names.map((name) => [name, results[name]!.data as Float32Array]));
  } finally {
    await session.release();
  }
}

test.skipIf(absent).each(nets)(
  `%s: every tap within 1e-3 of the reference's largest value${why}`,
  async (file, folder, count) => {
    const { network, taps, untranslated } = open(file);
    expect(untranslated).toEqual([]);
    expect(taps).toHaveLength(count);
    const reference = referenceOf(folder);
    const feed = feedOf(folder, reference);
    const actual = await run(network.bytes, feed, taps);
    // The reference of DeepLab holds no taps; its ONNX model was compared with the interpreter, to 7e-6.
    const held = reference.tensors.has('tap_00');
    const expected = held ? null : await run(readShared(`backbones/${folder}/model.onnx`), feed, taps);
    for (const name of taps) {
      const own = expected?.[name] ?? toFloat32(reference.tensors.get(name)!);
      expect(shareOff(actual[name]!, own), name).toBeLessThan(1e-3);
    }
  },
  300_000,
);

test.skipIf(absent)(
  `the scores of DeepLab, through its pooling, resizing and joining, are the reference's${why}`,
  async () => {
    const { network } = open('deeplabv3_mnv2_pascal_quant');
    const reference = referenceOf('deeplabv3_mnv2');
    const feed = feedOf('deeplabv3_mnv2', reference);
    const value = computedValues(network.model.graph).find((name) => /^logits.*biases1$/.test(name))!;
    const taps = [{ value, name: 'scores' }];
    const { graph, weights } = cutNetwork(network, { taps, inputShape: feed.dims, location: 'w' });
    const externalData = [{ path: 'w', data: weights }];
    const session = await ort.InferenceSession.create(graph, { externalData, logSeverityLevel: 4 });
    const { scores } = await session.run({ image: new ort.Tensor('float32', feed.data, feed.dims) });
    await session.release();
    const expected = toFloat32(tensorOf(reference, 'logits', [21, 33, 33]));
    expect(shareOff(scores!.data as Float32Array, expected)).toBeLessThan(1e-3);
  },
  300_000,
);

test.skipIf(absent)(`the front end in YAMNet's file is the published one, and ours gives its picture${why}`, () => {
  const { frontEnd, replaced } = open('yamnet');
  expect(replaced).toBe(true);
  expect(frontEnd).toEqual({ modality: 'audio', frontEnd: yamnetFrontEnd });
  const reference = referenceOf('yamnet');
  const second = new Float32Array(16_000);
  second.set(toFloat32(tensorOf(reference, 'waveform', [15_600])));
  const actual = createLogMel({ ...yamnetFrontEnd, input: 'log_mel' })(second);
  const expected = toFloat32(tensorOf(reference, 'log_mel', [96, 64]));
  // The file's own mel filters are rounded to 8 bits; the reference has measured up to 0.061 between them and the formula.
  const worst = Math.max(...Array.from(expected, (x, i) => Math.abs(x - actual[i]!)));
  expect(worst).toBeLessThan(0.07);
});

test.skipIf(absent)(`pictures of 8 bits are fed as the file says${why}`, () => {
  expect(open('mobilenet_v2_1.0_224_quant').frontEnd).toEqual({ modality: 'visual', frontEnd: mobilenetFrontEnd });
});

describe.skipIf(absent)(`adapters made for the ONNX pair${why}`, () => {
  let onnx: ModelPackage<BackboneManifest>;
  let adapters: Package<AdapterManifest>[];

  beforeAll(async () => {
    const made = await byoPair(
      readShared('backbones/mobilenetv2/model.onnx'),
      readShared('backbones/yamnet/model.onnx'),
      ort,
    );
    onnx = joined(made.pictures as Package<BackboneManifest>, made.sounds as Package<BackboneManifest>);
    adapters = [];
    for (const adapter of made.adapters as Package<AdapterManifest>[])
      adapters.push(await withLikeness(adapter, onnx, ort));
  }, 300_000);

  test('run on the imported pair with the same answers', async () => {
    const lite = await imported((x) => x);
    for (const { manifest } of adapters) expect(await checkFits(manifest, lite.manifest)).toBe('alike');
    const [expected, actual] = [await answers(onnx, adapters), await answers(lite, adapters)];
    expect(expected.warnings).toEqual(['untrained', 'untrained']);
    expect(actual.warnings).toEqual(['untrained', 'untrained']);
    for (const [id, outputs] of Object.entries(expected.outputs)) {
      for (const [name, { data }] of Object.entries(outputs)) {
        const largest = Math.max(...data.map(Math.abs));
        const other = actual.outputs[id]![name]!.data;
        const worst = data.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i]!)), 0);
        expect(worst / largest, `${id} ${name}`).toBeLessThan(1e-3);
      }
    }
  }, 300_000);

  test('run on weights that differ a little, with a warning', async () => {
    const lite = await imported((x) => x * 1.0005);
    const { warnings } = await answers(lite, adapters);
    expect(warnings).toEqual(['untrained', 'untrained', 'other-weights', 'other-weights']);
  }, 300_000);

  test('are refused on other weights under the same name, and the error says which tap and how far', async () => {
    // A network of the same shapes whose filters are all turned about.
    const lite = await imported((x) => -x);
    await expect(answers(lite, adapters)).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringMatching(
        /^Adapter "events" was made for other weights of backbone "mobilenetv2\+yamnet": tap "visual\.tap_\d\d" differs by \d+ %, where 25 % are allowed\.$/,
      ),
    });
  }, 300_000);

  test('are refused without a word about likeness, or with other taps', async () => {
    const { manifest } = adapters[0]!;
    const lite = (await imported((x) => x)).manifest;
    const { likeness: _, ...base } = manifest.base;
    await expect(checkFits({ ...manifest, base }, lite)).rejects.toMatchObject({ code: 'incompatible' });
    const fewer = { ...lite, taps: { ...lite.taps, audio: lite.taps.audio.slice(1) } };
    await expect(checkFits(manifest, fewer)).rejects.toMatchObject({ code: 'incompatible' });
    const slower = { ...lite, inputs: { ...lite.inputs, audio: { ...lite.inputs.audio!, hop: 161 } } };
    await expect(checkFits(manifest, slower)).rejects.toMatchObject({ code: 'incompatible' });
  }, 300_000);
});

/** The imported pair, with the weights of the picture network changed. */
async function imported(change: (weight: number) => number): Promise<ModelPackage<BackboneManifest>> {
  const packages: Package<BackboneManifest>[] = [];
  for (const [file, id] of nets.slice(0, 2)) {
    const { network, frontEnd, taps } = open(file);
    if (id === 'mobilenetv2') {
      for (const { type, bytes, dims } of network.model.graph.initializers) {
        if (type !== 'float32' || !bytes || dims.length < 2) continue;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let at = 0; at < bytes.byteLength; at += 4) view.setFloat32(at, change(view.getFloat32(at, true)), true);
      }
    }
    packages.push(
      await tapBackbone({ ...frontEnd!, id, version: '1.0.0', license: 'Apache-2.0', taps }, { network, ort }),
    );
  }
  return joined(packages[1]!, packages[0]!);
}

function joined(
  pictures: Package<BackboneManifest>,
  sounds: Package<BackboneManifest>,
): ModelPackage<BackboneManifest> {
  const parts = { visual: pictures, audio: sounds };
  const files = modalities.flatMap((modality) =>
    Object.entries(parts[modality].files).map(([path, bytes]) => [pairPath(modality, path), bytes] as const),
  );
  return { manifest: pairManifests(pictures.manifest, sounds.manifest), files: Object.fromEntries(files) };
}

/** Outputs for one second of the references' picture and sound. */
async function answers(
  backbone: ModelPackage<BackboneManifest>,
  adapters: readonly Package<AdapterManifest>[],
): Promise<{ warnings: string[]; outputs: Record<string, AdapterOutputs> }> {
  const engine = new LocalEngine(runtimes);
  try {
    const { warnings } = await engine.load({ backbone, adapters: [...adapters], device: 'cpu' });
    const run = await engine.begin(adapters.map(({ manifest }) => manifest.id));
    const pcm = new Float32Array(16_000);
    pcm.set(toFloat32(tensorOf(referenceOf('yamnet'), 'waveform', [15_600])));
    const data = tensorOf(referenceOf('mobilenetv2'), 'pixels', [224, 224, 3]).bytes.slice();
    await engine.push(run, { frame: { width: 224, height: 224, data }, pcm });
    return { warnings: warnings.map(({ code }) => code), outputs: await engine.finish(run) };
  } finally {
    await engine.dispose();
  }
}
