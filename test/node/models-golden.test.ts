/**
 * Swin-V2 and HTS-AT against outputs of their reference implementations with random weights (../shared/data/golden). Each Swin block is held to 1e-4 of its
 * output's deviation on the reference's own input. From end to end rounding grows: with attention temperatures up to 100 the reference, which ran in float32,
 * is itself up to 2.3e-4 of the largest value away from float64 (case b). That is the tolerance there, and what we emit must lie nearer to float64 than that.
 */
import { describe, expect, test } from 'vitest';
import type { Feeds } from '../../sdk/compile/evaluate.ts';
import { createLogMel } from '../../sdk/front-end/log-mel.ts';
import { type HtsAtConfig, htsAt } from '../../sdk/models/hts-at.ts';
import { Params } from '../../sdk/models/params.ts';
import { presets } from '../../sdk/models/presets.ts';
import { type SwinV2Config, swinV2 } from '../../sdk/models/swin-v2.ts';
import { readSafetensors, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { foldConstants, Graph, reachable, type Value } from '../../sdk/ops/index.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { interpret } from '../helpers/interpret.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

type Golden = { tensor(name: string): Float32Array; weights: Map<string, Float32Array> };

function golden(file: string): Golden {
  const { tensors } = readSafetensors(readShared(`golden/${file}.safetensors`));
  const floats = (name: string): Float32Array => toFloat32(tensors.get(name)!);
  const names = [...tensors.keys()].filter((name) => name.startsWith('w.') && tensors.get(name)!.dtype === 'F32');
  return { tensor: floats, weights: new Map(names.map((name) => [name.slice(2), floats(name)])) };
}

/** Largest absolute difference over the largest absolute value of the reference. */
function worstError(got: Float32Array, want: Float32Array | Float64Array): number {
  expect(got.length).toBe(want.length);
  let [largest, worst] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    largest = Math.max(largest, Math.abs(want[i]!));
    worst = Math.max(worst, Math.abs(want[i]! - got[i]!));
  }
  return worst / largest;
}

const largest = (x: Float32Array): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
function deviation(x: Float32Array): number {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  return Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length);
}

const swinCases: [string, number, SwinV2Config][] = [
  ['swinv2_a', 1e-4, { image: [64, 64], patch: 4, width: 24, depths: [2, 2], heads: [2, 4], window: 4, mlpRatio: 4 }],
  [
    'swinv2_b_window_larger_than_map',
    2.5e-4,
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
  test.each(swinCases)(
    'Swin-V2 %s: every block and stage within %f of the largest value',
    async (file, tolerance, config) => {
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
      const data = reference.tensor('in');
      const exact = interpret(outputs, { picture: data });
      for (const form of [outputs, await foldConstants(outputs, evaluate)]) {
        const got = await evaluate(form, { picture: { data, shape: picture.shape } });
        for (const name of Object.keys(outputs)) {
          expect(worstError(got[name]!, reference.tensor(name)), name).toBeLessThan(tolerance);
          expect(worstError(got[name]!, exact[name]!), name).toBeLessThan(1.5e-4);
        }
      }
    },
  );

  test.each(swinCases)(
    "Swin-V2 %s: each block and merging within 1e-4 deviations, on the reference's own input",
    async (file, _, config) => {
      const reference = golden(file);
      const graph = new Graph();
      const picture = graph.input('picture', [2, 3, ...config.image]);
      const outputs: Record<string, Value> = {};
      const feeds: Feeds = { picture: { data: reference.tensor('in'), shape: picture.shape } };
      const features = swinV2(Params.constants(graph, reference.weights), picture, config, (x, name) => {
        const golden = `out.${name.replace('layers.', 'layer').replace('.blocks.', '.block')}`;
        outputs[golden] = x;
        feeds[name] = { data: reference.tensor(golden), shape: x.shape };
        return graph.input(name, x.shape);
      });
      features.merged.slice(0, -1).forEach((merged, i) => {
        outputs[`out.layer${i}`] = merged;
      });
      const read = new Set(reachable(Object.values(outputs)).map(({ name }) => name));
      const got = await evaluate(outputs, Object.fromEntries(Object.entries(feeds).filter(([name]) => read.has(name))));
      for (const name of Object.keys(outputs)) {
        const want = reference.tensor(name);
        const error = worstError(got[name]!, want) * (largest(want) / deviation(want));
        expect(error, name).toBeLessThan(1e-4);
      }
    },
  );

  test('HTS-AT from the waveform on: every stage within 9e-4 deviations', async () => {
    const reference = golden('htsat_small');
    const config: HtsAtConfig = { ...presets['hts-at'].network, width: 16, depths: [2, 2, 2, 2], heads: [2, 2, 4, 4] };
    const graph = new Graph();
    const logMel = graph.input('logMel', [1, 1, 101, 64]);
    const features = htsAt(Params.constants(graph, reference.weights), logMel, config);
    const outputs = Object.fromEntries(features.merged.map((stage, i) => [`out.layer${i}`, stage]));
    const data = createLogMel({ ...presets['hts-at'].frontEnd, repeat: 1, frames: 101 })(reference.tensor('in'));
    const got = await evaluate(outputs, { logMel: { data, shape: logMel.shape } });
    for (const name of Object.keys(outputs)) {
      const want = reference.tensor(name);
      expect(worstError(got[name]!, want) * (largest(want) / deviation(want)), name).toBeLessThan(9e-4);
    }
  });
});
