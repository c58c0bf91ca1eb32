/** Swin-V2 and HTS-AT against outputs of their reference implementations with random weights (../shared/data/golden). */
import { describe, expect, test } from 'vitest';
import { type HtsAtConfig, htsAt } from '../../sdk/models/hts-at.ts';
import { Params } from '../../sdk/models/params.ts';
import { type SwinV2Config, swinV2 } from '../../sdk/models/swin-v2.ts';
import { readSafetensors, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { foldConstants, Graph, type Value } from '../../sdk/ops/index.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

type Golden = { tensor(name: string): Float32Array; weights: Map<string, Float32Array> };

function golden(file: string): Golden {
  const { tensors } = readSafetensors(readShared(`golden/${file}.safetensors`));
  const floats = (name: string): Float32Array => toFloat32(tensors.get(name)!);
  const names = [...tensors.keys()].filter((name) => name.startsWith('w.') && tensors.get(name)!.dtype === 'F32');
  return { tensor: floats, weights: new Map(names.map((name) => [name.slice(2), floats(name)])) };
}

/** Largest absolute difference over the largest absolute value of the reference. */
function worstError(got: Float32Array, want: Float32Array): number {
  expect(got.length).toBe(want.length);
  const largest = want.reduce((worst, x) => Math.max(worst, Math.abs(x)), 0);
  return want.reduce((worst, x, i) => Math.max(worst, Math.abs(x - got[i]!)), 0) / largest;
}

const swinCases: [string, SwinV2Config][] = [
  ['swinv2_a', { image: [64, 64], patch: 4, width: 24, depths: [2, 2], heads: [2, 4], window: 4, mlpRatio: 4 }],
  [
    'swinv2_b_window_larger_than_map',
    {
      image: [48, 48],
      patch: 4,
      width: 24,
      depths: [2, 2, 2],
      heads: [2, 4, 8],
      window: 6,
      mlpRatio: 4,
      pretrainedWindows: [4, 4, 4],
    },
  ],
];

describe.skipIf(sharedIsAbsent('golden'))('golden outputs (skipped where ../shared/data/golden is absent)', () => {
  test.each(swinCases)('Swin-V2 %s: every block and stage within 1e-4 of the largest value', async (file, config) => {
    const reference = golden(file);
    const graph = new Graph();
    const picture = graph.input('picture', [2, 3, ...config.image]);
    const features = swinV2(Params.constants(graph, reference.weights), picture, config);
    const outputs: Record<string, Value> = {};
    features.blocks.forEach((stage, i) => {
      stage.forEach((block, j) => {
        outputs[`out.layer${i}.block${j}`] = block;
      });
      outputs[`out.layer${i}`] = features.merged[i]!;
    });
    const feeds = { picture: { data: reference.tensor('in'), shape: picture.shape } };
    for (const form of [outputs, await foldConstants(outputs, evaluate)]) {
      const got = await evaluate(form, feeds);
      for (const name of Object.keys(outputs)) {
        expect(worstError(got[name]!, reference.tensor(name)), name).toBeLessThan(1e-4);
      }
    }
  });

  test('HTS-AT: every stage within 1e-4 of the largest value', async () => {
    const reference = golden('htsat_small');
    const config: HtsAtConfig = {
      mels: 64,
      layout: { kind: 'fold', side: 256 },
      patch: 4,
      width: 16,
      depths: [2, 2, 2, 2],
      heads: [2, 2, 4, 4],
      window: 8,
      mlpRatio: 4,
    };
    const graph = new Graph();
    const logMel = graph.input('logMel', [1, 1, 101, 64]);
    const features = htsAt(Params.constants(graph, reference.weights), logMel, config);
    const outputs = Object.fromEntries(features.merged.map((stage, i) => [`out.layer${i}`, stage]));
    const got = await evaluate(outputs, { logMel: { data: reference.tensor('out.logmel'), shape: logMel.shape } });
    for (const name of Object.keys(outputs)) {
      expect(worstError(got[name]!, reference.tensor(name)), name).toBeLessThan(1e-4);
    }
  });
});
