/**
 * Modules, their losses and gradients against a second writing of them in PyTorch (test/tools/torch-fixtures.py, float64, stored in float32): in float64
 * within 1e-6 of the largest value, and as ONNX in float32 within 1e-5.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lcd } from '../../sdk/models/lcd.ts';
import { localization } from '../../sdk/models/localization.ts';
import { Params } from '../../sdk/models/params.ts';
import { parsing } from '../../sdk/models/parsing.ts';
import { segmentation } from '../../sdk/models/segmentation.ts';
import { readSafetensors, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { add, Graph, grad, mul, type Shape, sum, type Value } from '../../sdk/ops/index.ts';
import { clipWeight, crossEntropy, dice, maskBce, weakParsing } from '../../sdk/train/adapter/losses.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { interpret } from '../helpers/interpret.ts';

type Build = (p: Params, inputs: Record<string, Value>) => Record<string, Value>;

const modules: Record<string, Build> = {
  lcd(p, { x, weight }) {
    const y = lcd(p, x!, { tokens: 3, heads: 2, paths: 'both', form: 'absorbed' });
    return { y, loss: sum(mul(y, weight!)) };
  },
  localization(p, { audio, visual, mask, labels }) {
    const tokens = { audio: audio!, visual: visual!, mask: mask! };
    const { logits } = localization(p, tokens, { classes: 3, layers: 1, heads: 2, head: 'A' });
    return { logits: logits!, loss: crossEntropy(logits!, labels!, mask!) };
  },
  parsing(p, { audio, visual, mask, labels }) {
    const outputs = parsing(p, { audio: audio!, visual: visual!, mask: mask! }, { classes: 4, layers: 1, heads: 2 });
    return { ...outputs, loss: weakParsing(outputs, labels!, clipWeight(mask!)) };
  },
  segmentation(p, { audio, visual, map0, map1, masks }) {
    const maps = [
      { value: map0!, grid: [4, 4] as [number, number] },
      { value: map1!, grid: [2, 2] as [number, number] },
    ];
    const { mask } = segmentation(p, maps, { audio: audio!, visual: visual! }, { heads: 2, channels: 8 });
    const both = p.graph.constant(new Float32Array(2).fill(1), [2]);
    return { mask, loss: add(maskBce(mask, masks!, both), dice(mask, masks!, both)) };
  },
};

/** Tensors of a fixture by kind: inputs, parameters, outputs, gradients. */
function fixture(name: string) {
  const bytes = readFileSync(new URL(`../fixtures/torch/${name}.safetensors`, import.meta.url));
  const { tensors } = readSafetensors(new Uint8Array(bytes));
  return (kind: 'in' | 'w' | 'out' | 'g'): Map<string, { shape: Shape; data: Float32Array }> =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(`${kind}/`))
        .map(([key, tensor]) => [key.slice(kind.length + 1), { shape: tensor.shape, data: toFloat32(tensor) }]),
    );
}

describe.each(Object.entries(modules))('%s', (name, build) => {
  const of = fixture(name);
  const graph = new Graph();
  const params = Params.inputs(graph);
  const inputs = Object.fromEntries([...of('in')].map(([key, { shape }]) => [key, graph.input(`in/${key}`, shape)]));
  const outputs = build(params, inputs);
  const specs = [...params.specs.values()];
  const parameters = specs.map(({ name: key, shape, init }) => params.get(key, shape, init));
  const gradients = grad(outputs.loss!, parameters);
  const wanted = new Map([...of('out'), ...[...of('g')].map(([key, tensor]) => [`g/${key}`, tensor] as const)]);
  const all = { ...outputs, ...Object.fromEntries(specs.map((spec, i) => [`g/${spec.name}`, gradients[i]!])) };
  const given = new Map([...[...of('in')].map(([key, tensor]) => [`in/${key}`, tensor] as const), ...of('w')]);

  test('asks for the same parameters', () => {
    const shapes = (entries: Iterable<readonly [string, { shape: Shape }]>): string[] =>
      [...entries].map(([key, { shape }]) => `${key} [${shape}]`).sort();
    expect(shapes(specs.map((spec) => [spec.name, spec] as const))).toEqual(shapes(of('w')));
    expect(Object.keys(all).sort()).toEqual([...wanted.keys()].sort());
  });

  test('has the same outputs, loss and gradients', async () => {
    const exact = interpret(all, Object.fromEntries([...given].map(([key, { data }]) => [key, data])));
    const single = await evaluate(all, Object.fromEntries(given));
    for (const [key, { data }] of wanted) {
      const largest = data.reduce((a, x) => Math.max(a, Math.abs(x)), 1e-2);
      expect(exact[key]!.length, key).toBe(data.length);
      data.forEach((x, i) => {
        expect(Math.abs(exact[key]![i]! - x) / largest, key).toBeLessThan(1e-6);
        expect(Math.abs(single[key]![i]! - x) / largest, key).toBeLessThan(1e-5);
      });
    }
  });
});
