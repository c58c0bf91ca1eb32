/**
 * The golden weights (../shared/data/golden, reference implementations with random weights) as checkpoints of every key style, imported, and the taps of the
 * package against the outputs of the reference. Tolerances are those of models-golden.test.ts.
 */
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type ImportSource, importBackbone, type WriteFile } from '../../sdk/compile/import.ts';
import type { BackboneManifest } from '../../sdk/contract/manifest.ts';
import { accountFor } from '../../sdk/models/checkpoints/account.ts';
import type { AudioPreset, BackbonePreset, VisualPreset } from '../../sdk/models/presets.ts';
import { presets } from '../../sdk/models/presets.ts';
import { memorySource } from '../../sdk/onnx/checkpoint/byte-source.ts';
import { openCheckpoint } from '../../sdk/onnx/checkpoint/checkpoint.ts';
import { elementsOf, readSafetensors, toFloat32, writeSafetensors } from '../../sdk/onnx/safetensors.ts';
import { type Tensors, torchFileOf } from '../helpers/checkpoint-files.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { asClap, asHuggingFaceSwin, asMicrosoft, asTimm, prefixed } from '../helpers/key-styles.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

type Golden = {
  weights: Record<string, Tensors[string]>;
  tensor(name: string): Float32Array;
  shape(name: string): number[];
};

function golden(file: string): Golden {
  const { tensors } = readSafetensors(readShared(`golden/${file}.safetensors`));
  const weights: Golden['weights'] = {};
  for (const [name, tensor] of tensors) {
    if (!name.startsWith('w.')) continue;
    const data = tensor.dtype === 'I64' ? elementsOf(tensor, 'I64') : toFloat32(tensor);
    weights[name.slice(2)] = { shape: tensor.shape, data };
  }
  return {
    weights,
    tensor: (name) => toFloat32(tensors.get(name)!),
    shape: (name) => tensors.get(name)!.shape,
  };
}

const safetensorsOf = (weights: Golden['weights']): Uint8Array =>
  writeSafetensors(
    Object.fromEntries(
      Object.entries(weights).map(([name, { shape, data }]) => [
        name,
        { dtype: data instanceof Float32Array ? ('F32' as const) : ('I64' as const), shape, data },
      ]),
    ),
  );

type Imported = {
  manifest: BackboneManifest;
  style: string;
  ignored: string[];
  run(input: Float32Array, shape: number[]): Promise<Record<string, Float32Array>>;
};

async function imported(file: Uint8Array, preset: BackbonePreset): Promise<Imported> {
  const where = 'golden';
  const checkpoint = await openCheckpoint(memorySource(file), where);
  const accounting = await accountFor(checkpoint, preset, where);
  const files = new Map<string, Uint8Array>();
  const write: WriteFile = async (path, chunks) => {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk.slice());
    const bytes = new Uint8Array(Buffer.concat(parts));
    files.set(path, bytes);
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('base64');
    return { path, bytes: bytes.length, integrity: `sha256-${digest}` };
  };
  const source: ImportSource = {
    ...{ id: 'golden', version: '1.0.0', license: 'MIT' },
    parts: [{ preset, presetName: 'golden', where, checkpoint, accounting }],
  };
  const manifest = await importBackbone(source, evaluate, write);
  const { graph, weights } = manifest.variants.wasm[preset.modality]!;
  const { input } = preset.frontEnd;
  return {
    manifest,
    style: accounting.style.id,
    ignored: accounting.ignored.flatMap(({ names }) => names),
    async run(data, shape) {
      const session = await ort.InferenceSession.create(files.get(graph)!, {
        externalData: [{ path: weights, data: files.get(weights)! }],
      });
      const results = await session.run({ [input]: new ort.Tensor('float32', data, shape) });
      await session.release();
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
    },
  };
}

/** Largest absolute difference over the largest absolute value of the reference. */
function worstError(got: Float32Array, want: Float32Array): number {
  expect(got.length).toBe(want.length);
  let [largest, worst] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    largest = Math.max(largest, Math.abs(want[i]!));
    worst = Math.max(worst, Math.abs(want[i]! - got[i]!));
  }
  return worst / largest;
}

type SwinCase = {
  file: string;
  tolerance: number;
  side: number;
  windows: number[];
  network: Partial<VisualPreset['network']>;
};
const swinCases: SwinCase[] = [
  {
    file: 'swinv2_a',
    tolerance: 1e-4,
    side: 64,
    windows: [4, 4],
    network: { depths: [2, 2], heads: [2, 4], window: 4 },
  },
  {
    file: 'swinv2_b_window_larger_than_map',
    tolerance: 2.5e-4,
    side: 48,
    windows: [6, 6, 3],
    network: { depths: [2, 2, 2], heads: [2, 4, 8], window: 6, pretrainedWindows: [4, 4, 4] },
  },
];

function swinPreset({ side, network }: SwinCase): VisualPreset {
  const { frontEnd, network: nano } = presets['swin-v2-nano'] as VisualPreset;
  return {
    modality: 'visual',
    frontEnd: { ...frontEnd, width: side, height: side },
    network: { ...nano, image: [side, side], width: 24, ...network },
  };
}

describe.skipIf(sharedIsAbsent('golden'))(
  'imported golden weights (skipped where ../shared/data/golden is absent)',
  () => {
    describe.each(swinCases)('$file', (of) => {
      const preset = swinPreset(of);
      const styles: [string, (weights: Golden['weights']) => Uint8Array][] = [
        [
          'swin-v2-microsoft',
          (w) =>
            torchFileOf(asMicrosoft(w, of.windows, of.network.pretrainedWindows ?? of.windows), { nested: 'model' }),
        ],
        ['swin-v2-timm-0', (w) => torchFileOf(w)],
        ['swin-v2-timm-1', (w) => safetensorsOf(asTimm(w))],
        ['swin-v2-hugging-face', (w) => safetensorsOf(asHuggingFaceSwin(w, 'swinv2.'))],
        ['swin-v2-hugging-face', (w) => torchFileOf(asHuggingFaceSwin(w, ''), { wide: true })],
      ];
      test.each(styles)('%s: taps equal the reference', async (style, write) => {
        const reference = golden(of.file);
        const backbone = await imported(write(reference.weights), preset);
        expect(backbone.style).toBe(style);
        const whole = reference.tensor('in');
        const [batch, ...one] = reference.shape('in') as [number, ...number[]];
        for (let b = 0; b < batch; b++) {
          const half = <T extends Float32Array>(x: T): Float32Array =>
            x.slice((b * x.length) / batch, ((b + 1) * x.length) / batch);
          const got = await backbone.run(half(whole), [1, ...one]);
          preset.network.depths.forEach((depth, s) => {
            for (let i = 0; i < depth; i++) {
              const want = half(reference.tensor(`out.layer${s}.block${i}`));
              expect(worstError(got[`visual.s${s}.b${i}`]!, want), `block ${s}.${i}`).toBeLessThan(of.tolerance);
            }
          });
        }
      });
    });

    describe('htsat_small', () => {
      const { frontEnd } = presets['hts-at'] as AudioPreset;
      const preset: AudioPreset = {
        modality: 'audio',
        frontEnd: { ...frontEnd, repeat: 1, frames: 101 },
        network: {
          ...(presets['hts-at'] as AudioPreset).network,
          ...{ width: 16, depths: [2, 2, 2, 2], heads: [2, 2, 4, 4] },
        },
      };
      const styles: [string, number, (weights: Golden['weights']) => Uint8Array][] = [
        ['hts-at', 32000, (w) => torchFileOf(prefixed(w, 'sed_model.'), { nested: 'state_dict' })],
        ['hts-at', 32000, (w) => safetensorsOf(w)],
        ['clap-hugging-face', 48000, (w) => torchFileOf(asClap(w))],
      ];
      test.each(styles)('%s at %d Hz: the last block equals the reference', async (style, sampleRate, write) => {
        const reference = golden('htsat_small');
        const backbone = await imported(write(reference.weights), preset);
        expect(backbone.style).toBe(style);
        expect(backbone.manifest.inputs.audio).toMatchObject({ sampleRate, hop: sampleRate / 100, frames: 101 });
        expect(backbone.manifest.inputs.visual).toBeNull();
        const got = await backbone.run(reference.tensor('out.logmel'), [1, 1, 101, 64]);
        expect(worstError(got['audio.s3.b1']!, reference.tensor('out.layer3'))).toBeLessThan(1e-4);
      });

      test('mel filters of another sampling rate are refused', async () => {
        const { weights } = golden('htsat_small');
        const slower: AudioPreset = { ...preset, frontEnd: { ...preset.frontEnd, sampleRate: 48000, hop: 480 } };
        await expect(imported(torchFileOf(weights), slower)).rejects.toMatchObject({
          code: 'incompatible',
          message: expect.stringMatching(
            /other mel filters \(logmel_extractor\.melW\) than preset "golden" has: 64 at 48000 Hz/,
          ),
        });
      });

      test('everything else in the file is left out by name', async () => {
        const { weights } = golden('htsat_small');
        const { ignored } = await imported(torchFileOf(prefixed(weights, 'sed_model.')), preset);
        const rest = ['logmel_extractor.melW', 'bn0.num_batches_tracked', 'tscam_conv.weight', 'head.bias'];
        expect(ignored).toEqual(expect.arrayContaining(rest.map((name) => `sed_model.${name}`)));
      });
    });
  },
);
