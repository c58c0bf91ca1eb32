/**
 * Any ONNX network as a backbone, on two real ones (../shared/data/backbones; skipped where absent). References are values of an independent interpreter
 * of the published TFLite graphs; taps must lie within 1e-4 of the largest value of each.
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import type { BackboneManifest, Tap } from '../../sdk/contract/manifest.ts';
import { tapShape } from '../../sdk/contract/taps.ts';
import { createLogMel, createSpectrogram } from '../../sdk/front-end/log-mel.ts';
import { melFilters } from '../../sdk/front-end/mel.ts';
import { pictureToTensor } from '../../sdk/front-end/picture.ts';
import { loadModel } from '../../sdk/hub/hub.ts';
import { createMettle } from '../../sdk/index.ts';
import { savePackage } from '../../sdk/node/files/save-package.ts';
import { readSafetensors, type Safetensors, tensorOf, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import {
  type ByoPair,
  byoClip,
  byoEvents,
  byoPair,
  byoProbabilities,
  mobilenetFrontEnd,
  mobilenetTaps,
  yamnetFrontEnd,
  yamnetTaps,
} from '../helpers/byo-cases.ts';
import { readShared, sharedIsAbsent, sharedPath } from '../helpers/shared.ts';

const file = (network: string, name: string): string => `backbones/${network}/${name}`;
const reference = (network: string): Safetensors => readSafetensors(readShared(file(network, 'reference.safetensors')));
const floats = (from: Safetensors, name: string): Float32Array => toFloat32(tensorOf(from, name));

function largestError(got: ArrayLike<number>, want: Float32Array): number {
  expect(got.length).toBe(want.length);
  return want.reduce((worst, value, i) => Math.max(worst, Math.abs(value - got[i]!)), 0);
}
const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Runs `mettle` and returns what it printed. */
async function mettle(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const code = await main(argv, {
    stdout: { write: (part) => (text.out += part) },
    stderr: { write: (part) => (text.err += part) },
  });
  return { code, ...text };
}

describe.skipIf(sharedIsAbsent('backbones'))('../shared/data/backbones (skipped where absent)', () => {
  let folder = '';
  let [pictures, sounds] = ['', ''];
  let adapters: string[] = [];
  let pair: ByoPair;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mettle-byo-'));
    await writeFile(join(folder, 'sound.json'), JSON.stringify(yamnetFrontEnd));
    await writeFile(join(folder, 'picture.json'), JSON.stringify(mobilenetFrontEnd));
    const models = ['mobilenetv2', 'yamnet'].map((id) => readShared(file(id, 'model.onnx'))) as [
      Uint8Array,
      Uint8Array,
    ];
    pair = await byoPair(...models, ort);
    [pictures, sounds] = [join(folder, 'pictures'), join(folder, 'sounds')];
    await savePackage(pictures, pair.pictures.files);
    await savePackage(sounds, pair.sounds.files);
    adapters = pair.adapters.map((_, i) => join(folder, `adapter${i}`));
    for (const [i, path] of adapters.entries()) await savePackage(path, pair.adapters[i]!.files);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('YAMNet: the mel table is the published formula within 1e-6, log-mel that of the table in its graph within 0.004', () => {
    const tables = readSafetensors(readShared(file('yamnet', 'frontend.safetensors')));
    const bins = 257;
    const dense = new Float32Array(64 * bins);
    const shape = { ...yamnetFrontEnd, input: 'in' };
    melFilters(shape).forEach(({ first, weights }, mel) => dense.set(weights, mel * bins + first));
    expect(largestError(dense, floats(tables, 'mel_weight'))).toBeLessThan(1e-6);

    const own = reference('yamnet');
    const pcm = new Float32Array(16_000);
    pcm.set(floats(own, 'waveform'));
    const power = createSpectrogram(shape)(pcm);
    const rounded = floats(tables, 'mel_weight_graph');
    const logMel = Float32Array.from({ length: 96 * 64 }, (_, i) => {
      const [frame, mel] = [Math.floor(i / 64), i % 64];
      let sum = 0;
      for (let k = 0; k < bins; k++) sum += rounded[mel * bins + k]! * Math.sqrt(power[frame * bins + k]!);
      return Math.log(sum + 0.001);
    });
    expect(largestError(logMel, floats(own, 'log_mel'))).toBeLessThan(0.004);

    // The published graph rounded its table to 8 bits; the formula, which the network was trained with, differs by that.
    const formula = createLogMel(shape)(pcm);
    expect(largestError(formula, floats(own, 'log_mel'))).toBeLessThan(0.07);
  });

  test('MobileNetV2: the picture is that of the reference within 1e-6', () => {
    const own = reference('mobilenetv2');
    const image = { width: 224, height: 224, data: tensorOf(own, 'pixels').bytes };
    const tensor = pictureToTensor(image, { ...mobilenetFrontEnd, input: 'in' });
    expect(largestError(tensor, floats(own, 'image'))).toBeLessThan(1e-6);
  });

  test.each([
    ['mobilenetv2', 'picture', mobilenetTaps, 'image', [1, 3, 224, 224]],
    ['yamnet', 'sound', yamnetTaps, 'log_mel', [1, 96, 64]],
  ] as const)(
    '%s: the command makes a package whose taps are those of the reference',
    async (id, modality, taps, input, shape) => {
      const out = join(folder, id);
      const { code, err } = await mettle(
        ...['backbone', 'tap', sharedPath(file(id, 'model.onnx')), '--modality', modality, '--out', out],
        ...['--front-end', join(folder, `${modality}.json`), '--license', 'Apache-2.0'],
        ...taps.flatMap((name) => ['--tap', name]),
      );
      expect(err).toBe('');
      expect(code).toBe(0);
      const own = reference(id);
      const model = await loadModel(out, 'backbone', 'wasm');
      const { sense, graph, tapsOf } = partsOf(model.manifest);
      expect(tapsOf.map(({ name }) => name)).toEqual(taps.map((name) => `${sense}.${name}`));
      const session = await ort.InferenceSession.create(model.files[graph.graph]!, {
        externalData: [{ path: graph.weights, data: model.files[graph.weights]! }],
      });
      expect([...session.outputNames]).toEqual(tapsOf.map(({ name }) => name));
      const results = await session.run({ [input]: new ort.Tensor('float32', floats(own, input), [...shape]) });
      for (const tap of tapsOf) {
        const want = floats(own, tap.name.slice(sense.length + 1));
        const got = results[tap.name]!;
        expect([...got.dims]).toEqual(tapShape(tap));
        expect(largestError(got.data as Float32Array, want), tap.name).toBeLessThan(1e-4 * largest(want));
      }
      await session.release();
    },
  );

  test('a pair of both gives events and masks, in either order', async () => {
    const all = [...mobilenetTaps.map((name) => `visual.${name}`), ...yamnetTaps.map((name) => `audio.${name}`)];
    const events = pair.adapters[0]!.manifest;
    expect(events.kind === 'adapter' && events.segment.reads).toEqual(all);

    const clip = byoClip(reference('mobilenetv2'), reference('yamnet'));
    const answers = [];
    for (const backbone of [[pictures, sounds] as const, [sounds, pictures] as const]) {
      await using session = await createMettle({ backbone, adapters });
      expect(session.info().backbone.id).toBe('mobilenetv2+yamnet');
      const localized = await session.localize(clip);
      expect(localized.events.map(({ label, start, end }) => [label, start, end])).toEqual(byoEvents);
      const { probabilities } = localized.seconds[1]!;
      expect(largestError(probabilities, Float32Array.from(byoProbabilities))).toBeLessThan(1e-3);
      const { masks } = await session.segment(clip);
      // Maps of 56, 28, 14 and 7: four times the finest.
      expect([masks[0]!.width, masks[0]!.height]).toEqual([224, 224]);
      answers.push(localized);
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test('adapters alone: their backbone is asked for, and two of different ones are refused', async () => {
    await expect(createMettle({ adapters: [adapters[0]!] })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('was made for backbone "mobilenetv2+yamnet", which does not ship'),
      hint: expect.stringContaining('Name where it lies as backbone'),
    });
    await expect(createMettle({ adapters: ['toybox-ave', adapters[0]!] })).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('was made for backbone "nano"'),
      hint: expect.stringContaining('make two'),
    });
  });

  test('one sense alone, or one sense twice, is told what to name', async () => {
    await expect(createMettle({ backbone: pictures })).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('"mobilenetv2" is for pictures alone'),
      hint: expect.stringContaining('a second one for sounds: backbone: ["mobilenetv2"'),
    });
    await expect(createMettle({ backbone: [sounds, sounds] })).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('make no pair'),
    });
    await expect(createMettle({ backbone: ['nano', sounds] })).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('"nano" (pictures and sounds)'),
    });
    await expect(createMettle({ backbone: [pictures, sounds, sounds] as never })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('a tap that is not there is named with those like it, and no folder is left', async () => {
    const out = join(folder, 'never');
    const model = sharedPath(file('yamnet', 'model.onnx'));
    const input = ['--modality', 'sound', '--front-end', join(folder, 'sound.json')];
    const { code, err } = await mettle('backbone', 'tap', model, ...input, '--tap', 'tap_9', '--out', out);
    expect(code).toBe(2);
    expect(err).toMatch(/model\.onnx: no node computes a value named "tap_9"\.\nhint: Names like it: tap_09, /);
    await expect(stat(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('the list has every block of MobileNetV2, at the size given', async () => {
    const model = sharedPath(file('mobilenetv2', 'model.onnx'));
    const { code, out } = await mettle('backbone', 'tap', model, '--list', '--size', '96x64');
    expect(code).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('tap_') && line.endsWith('output'))).toHaveLength(17);
    expect(lines.find((line) => line.startsWith('tap_16'))).toContain('[1, 320, 2, 3]');
    expect((await mettle('backbone', 'tap', model, '--list')).err).toContain('say which with --size WxH');
  });
});

type Parts = { sense: 'visual' | 'audio'; graph: { graph: string; weights: string }; tapsOf: Tap[] };
function partsOf({ inputs, taps, variants }: BackboneManifest): Parts {
  const sense = inputs.visual ? 'visual' : 'audio';
  return { sense, graph: variants.wasm[sense]!, tapsOf: taps[sense] };
}
