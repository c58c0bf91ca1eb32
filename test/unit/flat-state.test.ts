/** Parameters as vectors and back, and what an optimizer over vectors costs: two operations per parameter, not twenty. */
import { describe, expect, test } from 'vitest';
import type { ParamSpec } from '../../sdk/models/params.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import { flatGroups, pack, rows, unpack } from '../../sdk/train/loop/flat-state.ts';
import { defaultOptimizer } from '../../sdk/train/loop/optimizer.ts';
import { buildStep } from '../../sdk/train/loop/step.ts';
import { tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';

const specs: ParamSpec[] = [
  { name: 'a.weight', shape: [3, 5], init: 'fan-in' },
  { name: 'gate', shape: [4], init: { constant: 0 } },
  { name: 'b.weight', shape: [rows, 2], init: 'fan-in' },
];

describe('groups', () => {
  test('hold what decays and what does not, filled up with zeros', () => {
    const groups = flatGroups(specs);
    expect(groups.map(({ name, decays, size }) => ({ name, decays, size }))).toEqual([
      { name: 'decaying', decays: true, size: 3 * rows },
      { name: 'steady', decays: false, size: rows },
    ]);
    const arrays = new Map(
      specs.map(({ name, shape }, k) => [
        name,
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => 10 ** k + i),
      ]),
    );
    const vectors = groups.map((group) => pack(group, arrays));
    expect(vectors[0]!.subarray(15 + 2 * rows).every((x) => x === 0)).toBe(true);
    expect(vectors[1]!.reduce((a, b) => a + b)).toBe(4 * 10 + 6);
    const back = new Map(groups.flatMap((group, i) => unpack(group, vectors[i]!)));
    expect(new Map(specs.map(({ name }) => [name, back.get(name)]))).toEqual(arrays);
  });

  test('there is none without parameters of its kind', () => {
    expect(flatGroups([specs[1]!]).map(({ name }) => name)).toEqual(['steady']);
  });
});

test('an optimizer in the graph adds two operations per parameter, and some fifty in all', () => {
  const model = adapterModel(tinyTaps, tinyConfig);
  const nodes = (place: 'host' | 'graph'): number =>
    readOnnx(buildStep(model, 2, { ...defaultOptimizer, average: 0.9 }, place).onnx).graph.nodes.length;
  const parameters = buildStep(model, 2, defaultOptimizer, 'host').specs.length;
  expect(parameters).toBeGreaterThan(50);
  const added = nodes('graph') - nodes('host');
  expect(added).toBeGreaterThan(parameters / 2);
  expect(added).toBeLessThan(2 * parameters + 50);
});
