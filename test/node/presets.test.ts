/**
 * Presets at their published sizes. Parameter counts are those of the published checkpoints (the large Swin-V2 without its head, HTS-AT without front end,
 * batch norm and head); multiply-adds are those of their authors' tables, within 1 %.
 */
import { describe, expect, test } from 'vitest';
import { compileBackbone } from '../../sdk/compile/backbone.ts';
import { backboneTaps } from '../../sdk/models/backbone.ts';
import { costOfPreset } from '../../sdk/models/count.ts';
import { Params } from '../../sdk/models/params.ts';
import { type BackbonePreset, type PresetName, presets } from '../../sdk/models/presets.ts';
import { evaluate } from '../helpers/evaluate.ts';

const isMelNorm = (name: string): boolean => name.startsWith('bn0.');

describe('counted from the graph', () => {
  test('Swin-V2-L at 192: 195,202,932 parameters, 26.10 G', () => {
    const { params, macs } = costOfPreset(presets['swin-v2-large-192']);
    expect(params).toBe(195_202_932);
    expect(Math.abs(macs / 26.1e9 - 1)).toBeLessThan(0.01);
  });

  test('HTS-AT: 27,534,360 parameters, 5.91 G', () => {
    const { params, macs } = costOfPreset(presets['hts-at'], isMelNorm);
    expect(params).toBe(27_534_360);
    // Our graph stretches time by a product as well, which the published number leaves out.
    const stretching = 1024 * 1001 * 64;
    expect(Math.abs((macs - stretching) / 5.91e9 - 1)).toBeLessThan(0.01);
  });

  // Totals of the published classifiers, less the 1000-class head (width x 1000 + 1000).
  test.each([
    ['swin-v2-tiny-256-w8', 28.35e6 - 769_000],
    ['swin-v2-tiny-256-w16', 28.35e6 - 769_000],
    ['swin-v2-small-256-w8', 49.73e6 - 769_000],
    ['swin-v2-small-256-w16', 49.73e6 - 769_000],
    ['swin-v2-base-256-w8', 87.92e6 - 1_025_000],
    ['swin-v2-base-256-w16', 87.92e6 - 1_025_000],
    ['swin-v2-tiny-256-w8to16', 28.35e6 - 769_000],
    ['swin-v2-small-256-w8to16', 49.73e6 - 769_000],
    ['swin-v2-base-256-w8to16', 87.92e6 - 1_025_000],
    ['swin-v2-base-256-w12to16', 87.92e6 - 1_025_000],
    ['swin-v2-base-384-w12to24', 87.92e6 - 1_025_000],
    ['swin-v2-large-256-w12to16', 196.74e6 - 1_537_000],
    ['swin-v2-large-384-w12to24', 196.74e6 - 1_537_000],
  ] as const)('%s: %d parameters within 10,000', (name, expected) => {
    expect(Math.abs(costOfPreset(presets[name]).params - expected)).toBeLessThan(10_000);
  });

  test('the shipped pair stays small', () => {
    expect(costOfPreset(presets['swin-v2-nano']).params).toBeLessThan(2.8e6);
    expect(costOfPreset(presets['hts-at-nano']).params).toBeLessThan(2.3e6);
    expect(costOfPreset(presets['swin-v2-nano']).macs).toBeLessThan(0.16e9);
    expect(costOfPreset(presets['hts-at-nano']).macs).toBeLessThan(0.1e9);
  });
});

describe.each(Object.entries(presets) as [PresetName, BackbonePreset][])('%s', (_name, preset) => {
  test('every block and stage end is a tap of the size that halving gives', () => {
    const taps = backboneTaps(preset, Params.inputs);
    const { depths, width, patch } = preset.network;
    expect(taps).toHaveLength(depths.reduce((sum, depth) => sum + depth + 1, 0));
    depths.forEach((depth, s) => {
      const stage = taps.filter((tap) => tap.name.startsWith(`${preset.modality}.s${s}`));
      expect(stage.map((tap) => tap.name.split('.')[2] ?? 'end')).toEqual([
        ...Array.from({ length: depth }, (_, b) => `b${b}`),
        'end',
      ]);
      for (const tap of stage) {
        expect(tap.width).toBe(width * 2 ** s);
        if (preset.modality === 'visual') expect(tap.grid[0] * patch * 2 ** s).toBe(preset.frontEnd.height);
        expect(tap.value.shape).toEqual([1, tap.grid[0] * tap.grid[1], tap.width]);
      }
    });
  });
});

const source = { id: 'one', version: '1.0.0', license: 'MIT', weights: { seed: 1 } };

test('a package of one sense has nothing of the other', async () => {
  const { manifest, files } = await compileBackbone({ ...source, presets: ['hts-at-nano'] }, (v) => evaluate(v));
  expect(manifest.inputs.visual).toBeNull();
  expect(manifest.taps.visual).toEqual([]);
  expect(manifest.variants.wasm.visual).toBeNull();
  expect(manifest.inputs.audio).toEqual(presets['hts-at-nano'].frontEnd);
  expect(Object.keys(files).sort()).toEqual(['audio.onnx', 'audio.safetensors', 'canary.safetensors', 'manifest.json']);
});

test.each([[[]], [['hts-at', 'hts-at-nano'] as const], [['swin-v2-nano', 'swin-v2-large-192'] as const]])(
  'no backbone is made of %j',
  async (names) => {
    await expect(compileBackbone({ ...source, presets: names }, (v) => evaluate(v))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  },
);
