/** Checkpoints and networks that are not what they should be: refused in their own words, with a hint that helps and harms nobody. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backboneTaps } from '../../sdk/models/backbone.ts';
import { initialize, Params } from '../../sdk/models/params.ts';
import { type PresetName, presets } from '../../sdk/models/presets.ts';
import { writeSafetensors } from '../../sdk/onnx/safetensors.ts';
import { presets as exported, importBackbone } from '../../sdk/train/index.ts';
import { asTimm } from '../helpers/key-styles.ts';
import { mettle } from '../helpers/mettle-command.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

type Weights = Record<string, { shape: readonly number[]; data: Float32Array }>;

function noise(preset: PresetName): Weights {
  let params: Params | undefined;
  backboneTaps(presets[preset], (graph) => {
    params = Params.inputs(graph);
    return params;
  });
  return Object.fromEntries(
    [...params!.specs.values()].map((spec) => [spec.name, { shape: spec.shape, data: initialize(spec, 3) }]),
  );
}

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-trust-'));
});
afterAll(() => rm(root, { recursive: true }));

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(root, name);
  await writeFile(path, content);
  return path;
}

const checkpoint = (name: string, weights: Weights): Promise<string> =>
  file(
    name,
    writeSafetensors(
      Object.fromEntries(
        Object.entries(weights).map(([key, { shape, data }]) => [
          key,
          { dtype: 'F32' as const, shape: [...shape], data },
        ]),
      ),
    ),
  );

const importing = (path: string, preset: PresetName, ...more: string[]) =>
  mettle(['backbone', 'import', path, '--preset', preset, '--out', join(root, 'out'), '--quiet', ...more]);

test('the importer and its presets are in mettle-edge/train', () => {
  expect(importBackbone).toBeTypeOf('function');
  expect(Object.keys(exported)).toEqual(
    expect.arrayContaining(['swin-v2-tiny-256-w8to16', 'swin-v2-small-256-w8to16', 'swin-v2-base-256-w8to16']),
  );
});

describe('weights', () => {
  test('with a negative variance are refused', async () => {
    const weights = noise('hts-at-nano');
    weights['bn0.running_var']!.data[3] = -0.5;
    const { code, err } = await importing(await checkpoint('variance.safetensors', weights), 'hts-at-nano');
    expect({ code, err }).toEqual({
      code: 2,
      err: 'mettle: variance.safetensors: tensor "bn0.running_var" holds -0.5 as a variance, expected numbers from 0 on.\nhint: The weights are damaged: get the checkpoint again from its authors.\n',
    });
    expect((await readdir(root)).filter((name) => name.includes('out'))).toEqual([]);
  });

  test('that give no numbers make no package', async () => {
    const weights = noise('swin-v2-nano');
    // Finite, and their products are not.
    weights['layers.0.blocks.0.mlp.fc1.weight']!.data.fill(3e38);
    weights['layers.0.blocks.0.mlp.fc2.weight']!.data.fill(3e38);
    const { code, err } = await importing(await checkpoint('infinite.safetensors', weights), 'swin-v2-nano');
    expect(code).toBe(2);
    expect(err).toMatch(/^mettle: The model gives numbers that are not finite: output "visual\.s3"/);
    expect((await readdir(root)).filter((name) => name.includes('out'))).toEqual([]);
  });

  test('that lack a tensor are told its name as the file has it', async () => {
    const timm = asTimm(noise('swin-v2-nano')) as Weights;
    const names = ['layers.1.downsample.norm.weight', 'layers.2.blocks.1.attn.qkv.weight'];
    for (const name of names) {
      expect(Object.keys(timm)).toContain(name);
      delete timm[name];
    }
    const { code, err } = await importing(await checkpoint('missing.safetensors', timm), 'swin-v2-nano');
    expect(code).toBe(2);
    expect(err).toContain(`2 missing: ${names.join(', ')}`);
  });

  test('that end early are said to be cut short', async () => {
    const whole = await readFile(
      await checkpoint('whole.safetensors', { a: { shape: [8], data: new Float32Array(8) } }),
    );
    const { code, err } = await importing(await file('cut.safetensors', whole.subarray(0, -8)), 'swin-v2-nano');
    expect(code).toBe(2);
    expect(err).toMatch(/but the file has \d+\.\nhint: The file is cut short, .*get it again\.\n$/);
  });

  test('--pretrained-windows takes a number for each stage, for pictures alone', async () => {
    const path = await checkpoint('swin.safetensors', noise('swin-v2-nano'));
    expect((await importing(path, 'swin-v2-nano', '--dry-run', '--pretrained-windows', '6,6,6,4')).code).toBe(0);
    const wrong = await importing(path, 'swin-v2-nano', '--dry-run', '--pretrained-windows', '6,6');
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('expected 4 whole numbers') });
    const sound = await importing(path, 'hts-at-nano', '--dry-run', '--pretrained-windows', '6,6,6,4');
    expect(sound).toMatchObject({ code: 2, err: expect.stringContaining('is for Swin-V2') });
  });
});

describe('a file that is no ONNX network', () => {
  const zip = Uint8Array.of(0x50, 0x4b, 3, 4, ...new Array(40).fill(0));
  test.each<[string, Uint8Array | string, RegExp, RegExp]>([
    [
      'pointer.onnx',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n',
      /a pointer of Git LFS/,
      /git lfs pull/,
    ],
    ['page.onnx', '<!DOCTYPE html><title>Sign in</title>', /a web page/, /Download the file itself/],
    ['net.pth', zip, /a ZIP archive, as PyTorch writes/, /mettle backbone import.*torch\.onnx\.export/],
    ['old.pth', Uint8Array.of(0x80, 2, 0x8a, 10), /a pickle/, /Nothing in it is run/],
    [
      'weights.onnx',
      writeSafetensors({ a: { dtype: 'F32', shape: [1], data: Float32Array.of(1) } }),
      /a safetensors file/,
      /mettle backbone import/,
    ],
    ['empty.onnx', '', /empty, expected an ONNX model/, /Download/],
  ])('%s', async (name, content, problem, hint) => {
    const { code, err } = await mettle(['backbone', 'tap', await file(name, content), '--list']);
    expect(code).toBe(2);
    expect(err).toMatch(problem);
    expect(err).toMatch(hint);
    expect(err).not.toMatch(/torch\.load\((?!.*weights_only)/);
  });

  test.skipIf(sharedIsAbsent('backbones/tflite'))('a TensorFlow Lite model', async () => {
    const path = await file('yamnet.tflite', readShared('backbones/tflite/yamnet.tflite'));
    const { code, err } = await mettle(['backbone', 'tap', path, '--list']);
    expect(code).toBe(2);
    expect(err).toMatch(/a TensorFlow Lite model; expected an ONNX model\.\nhint: It is for "mettle backbone import"/);
  });
});
