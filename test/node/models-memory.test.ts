/**
 * What training keeps for the backward pass, counted from graphs: a hand count on a small one, then the claim that the method rests on, beside the backbone
 * against inside it.
 */
import { describe, expect, test } from 'vitest';
import { adaptedInside } from '../../sdk/models/inside-adapters.ts';
import { type DistillConfig, defaultLcd, distill } from '../../sdk/models/lcd.ts';
import { initialize, Params } from '../../sdk/models/params.ts';
import { presets } from '../../sdk/models/presets.ts';
import type { SwinV2Config } from '../../sdk/models/swin-v2.ts';
import { add, Graph, gelu, grad, layerNorm, linear, mean, mul, sum, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { costOf, type StepCost } from '../../sdk/train/loop/memory.ts';
import { expectDirections } from '../helpers/finite-differences.ts';
import { interpret } from '../helpers/interpret.ts';

test('a network of two layers keeps its hidden values, before and after GELU, and its result', () => {
  const graph = new Graph();
  const x = graph.input('x', [5, 3]);
  const [w1, w2] = [graph.input('w1', [4, 3]), graph.input('w2', [2, 4])];
  const y = linear(gelu(linear(x, w1)), w2);
  const cost = costOf(sum(mul(y, y)), [w1, w2]);
  expect(cost).toMatchObject({
    parameters: 12 + 8,
    savedBytes: 4 * (20 + 20 + 10),
    frozenBytes: 0,
    forwardMacs: 60 + 40,
  });
  // Gradients of w2 and of the hidden values, then of w1; x is an input and needs none.
  expect(cost.backwardMacs).toBe(40 + 40 + 60);
});

test('what is frozen in front of all that is trained keeps nothing but its result', () => {
  const graph = new Graph();
  const params = Params.constants(graph, { seed: 1 });
  let x = graph.input('x', [8, 16]);
  for (let i = 0; i < 6; i++) x = gelu(linear(x, params.get(`frozen${i}`, [16, 16], 'fan-in')));
  const w = graph.input('w', [1, 16]);
  expect(costOf(mean(linear(x, w)), [w])).toMatchObject({ savedBytes: 4 * 8 * 16, frozenBytes: 4 * 8 * 16 });
});

describe('beside the backbone and inside it: Swin-V2-L and HTS-AT at their published sizes, one second', () => {
  const visual = presets['swin-v2-large-192'].network;
  const audio = presets['hts-at'].network;

  /** [tokens, width] of every block of a network on a map of so many tokens: each stage has a quarter of the tokens and twice the width. */
  const blocks = (
    tokens: number,
    { width, depths }: { width: number; depths: readonly number[] },
  ): [number, number][] =>
    depths.flatMap((depth, s) =>
      Array.from({ length: depth }, (): [number, number] => [tokens / 4 ** s, width * 2 ** s]),
    );

  function beside(change: Partial<DistillConfig>): StepCost {
    const graph = new Graph();
    const params = Params.inputs(graph);
    const distilled = Object.entries({ visual: blocks(48 * 48, visual), audio: blocks(64 * 64, audio) }).map(
      ([modality, shapes]) => {
        const taps = shapes.map(([tokens, width], i) => {
          const name = `block${i}`;
          return { name, stage: width, value: graph.input(`${modality}.${name}`, [1, tokens, width]) };
        });
        return params.in(modality, (p) => distill(p, taps, { ...defaultLcd, width: 512, average: 'mean', ...change }));
      },
    );
    return count(params, distilled);
  }

  /** The frozen weights are inputs here: their numbers do not matter, and there are 230 million. */
  function inside(): StepCost {
    const graph = new Graph();
    const params = Params.inputs(graph);
    const inputs = {
      picture: graph.input('picture', [1, 3, 192, 192]),
      logMel: graph.input('logMel', [1, 1, 1001, 64]),
    };
    const frozen = (name: string): Params => Params.inputs(graph).in(name, (p) => p);
    const networks = { visual: frozen('visual'), audio: frozen('audio') };
    const features = adaptedInside(params, networks, inputs, { visual, audio });
    return count(params, [features.visual.stageEnds.at(-1)!, features.audio.stageEnds.at(-1)!]);
  }

  const absorbed = beside({});
  const plain = beside({ form: 'plain' });
  const probe = beside({ paths: 'preservation' });
  const adapters = inside();

  test('both forms of LCD train the same parameters; adapters inside of the same bottleneck train fewer than LCD', () => {
    expect(absorbed.parameters).toBe(plain.parameters);
    expect(probe.parameters).toBeLessThan(adapters.parameters);
    expect(adapters.parameters).toBeLessThan(absorbed.parameters);
  });

  test('LCD keeps a small part of what adapters inside keep, and the absorbed form less than the plain one', () => {
    const megabytes = (cost: StepCost): number => cost.savedBytes / 1e6;
    expect(probe.savedBytes).toBeLessThan(absorbed.savedBytes);
    expect(absorbed.savedBytes).toBeLessThan(plain.savedBytes);
    expect(megabytes(adapters)).toBeGreaterThan(60 * megabytes(absorbed));
    // Normed taps, which would be four fifths of it, are computed again.
    expect(absorbed.frozenBytes).toBe(0);
  });

  test('a backward pass costs LCD a small part of what it costs through the backbones', () => {
    expect(adapters.backwardMacs).toBeGreaterThan(10 * absorbed.backwardMacs);
    expect(absorbed.forwardMacs).toBeLessThan(plain.forwardMacs);
  });
});

/** Constants by noise, so named that both networks fit one graph. */
const frozenIn = (graph: Graph, name: string): Params => Params.constants(graph, { seed: 1 }).in(name, (p) => p);

function count(params: Params, results: readonly Value[]): StepCost {
  const loss = results.map((x) => mean(mul(x, x))).reduce(add);
  return costOf(
    loss,
    [...params.specs.values()].map(({ name, shape, init }) => params.get(name, shape, init)),
  );
}

describe('adapters inside', () => {
  const visual: SwinV2Config = {
    image: [16, 16],
    patch: 4,
    width: 8,
    depths: [2, 1],
    heads: [2, 2],
    window: 2,
    mlpRatio: 1,
  };
  const audio = { ...visual, mels: 16, layout: { kind: 'plain' as const } };
  const graph = new Graph();
  const params = Params.inputs(graph);
  const inputs = { picture: graph.input('picture', [1, 3, 16, 16]), logMel: graph.input('logMel', [1, 1, 16, 16]) };
  const frozen = { visual: frozenIn(graph, 'visual'), audio: frozenIn(graph, 'audio') };
  const features = adaptedInside(params, frozen, inputs, { visual, audio });
  const ends = [features.visual.stageEnds.at(-1)!, features.audio.stageEnds.at(-1)!];
  const random = seededRandom('inside');
  const noise = (size: number): Float64Array => Float64Array.from({ length: size }, () => gaussian(random));
  const data = { picture: noise(3 * 256), logMel: noise(256) };

  test('change nothing at the start', () => {
    const feeds: Record<string, ArrayLike<number>> = { ...data };
    for (const spec of params.specs.values()) feeds[spec.name] = initialize(spec, 1);
    const before = interpret({ end: ends[0]! }, feeds).end!;
    for (const name of params.specs.keys()) if (name.endsWith('up.weight')) feeds[name] = noise(feeds[name]!.length);
    expect([...interpret({ end: ends[0]! }, feeds).end!]).toEqual([...before]);
  });

  test('gradients through the frozen networks equal finite differences (1e-5)', () => {
    const parameters = [...params.specs.values()].map(({ name, shape, init }) => params.get(name, shape, init));
    expect(parameters.length).toBe(2 * 3 * 5);
    const feeds: Record<string, ArrayLike<number>> = { ...data };
    for (const { name, shape } of params.specs.values())
      feeds[name] = noise(shape.reduce((a, b) => a * b, 1)).map((x) => x / 4);
    const target = ends.map((end, i) =>
      graph.constant(Float32Array.from(noise(end.shape.reduce((a, b) => a * b, 1))), end.shape, `target${i}`),
    );
    const loss = ends.map((end, i) => mean(mul(layerNorm(end), target[i]!))).reduce(add);
    expect(grad(loss, parameters).length).toBe(parameters.length);
    expectDirections(loss, parameters, feeds, 1e-5);
  });
});
