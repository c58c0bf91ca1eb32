/** Heads, injection and the non-local block against plain references in float64 (1e-9 unless said), and their switches. */
import { describe, expect, test } from 'vitest';
import type { Tap } from '../../sdk/contract/manifest.ts';
import { type AdapterConfig, clipPart, defaultAdapter, segmentPart, tapsRead } from '../../sdk/models/adapter.ts';
import { decodeEvents } from '../../sdk/models/localization.ts';
import { maskProbe } from '../../sdk/models/mask-probe.ts';
import { initialize, Params } from '../../sdk/models/params.ts';
import { inject, type SegmentationConfig, segmentation } from '../../sdk/models/segmentation.ts';
import { tpavi } from '../../sdk/models/tpavi.ts';
import * as ops from '../../sdk/ops/index.ts';
import { Graph, matmul, type Shape, sizeOf, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { interpret } from '../helpers/interpret.ts';

type Feeds = Record<string, ArrayLike<number>>;

const noise = (seed: string, shape: Shape): Float64Array => {
  const random = seededRandom(seed);
  return Float64Array.from({ length: sizeOf(shape) }, () => gaussian(random));
};
/** Noise for every parameter, gates too. */
const noiseFor = (params: Params): Feeds =>
  Object.fromEntries([...params.specs.values()].map(({ name, shape }) => [name, noise(name, shape).map((x) => x / 3)]));
const start = (params: Params): Feeds =>
  Object.fromEntries([...params.specs.values()].map((spec) => [spec.name, initialize(spec, 1)]));

function expectSame(a: Float64Array, b: Float64Array, tolerance = 1e-9): void {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => expect(Math.abs(x - b[i]!)).toBeLessThan(tolerance));
}

describe('head B', () => {
  const graph = new Graph();
  const logits = decodeEvents(graph.input('event', [2, 3]), graph.input('class', [2, 4]));
  const feeds = { event: [2, -1, 0.001, -0.2, 5, -3], class: [0, 3, 1, 2, -5, -9, -4, -6] };
  const rows = Array.from({ length: 6 }, (_, i) => interpret({ logits }, feeds).logits!.subarray(5 * i, 5 * i + 5));

  test('says the class of the clip where sigmoid(event) > 0.5, background elsewhere', () => {
    expect(rows.map((row) => row.indexOf(Math.max(...row)))).toEqual([1, 4, 1, 4, 2, 4]);
  });

  test('softmax over the class and background is sigmoid(event)', () => {
    rows.forEach((row, i) => {
      const best = Math.max(...row.subarray(0, 4));
      expect(1 / (1 + Math.exp(row[4]! - best))).toBeCloseTo(1 / (1 + Math.exp(-feeds.event[i]!)), 7);
    });
  });

  test('an adapter with head B delivers the same output as one with head A', () => {
    const part = (head: AdapterConfig['head']): Record<string, Value> | null => {
      const g = new Graph();
      const config: AdapterConfig = { ...defaultAdapter, task: 'localize', classes: ['A', 'B'], head };
      const tokens = (name: string): Value => g.input(name, [1, 10, 4, 128]);
      return clipPart(
        Params.inputs(g),
        { audio: tokens('a'), visual: tokens('v'), mask: g.input('mask', [1, 10]) },
        config,
      );
    };
    for (const head of [undefined, 'A', 'B'] as const) {
      expect(Object.entries(part(head)!).map(([name, { shape }]) => [name, shape])).toEqual([['logits', [1, 10, 3]]]);
    }
  });
});

test('injection equals attention with keys and values written out', () => {
  const [n, tokens, width, count, c, heads] = [2, 6, 24, 4, 8, 2];
  const graph = new Graph();
  const params = Params.inputs(graph);
  const map = graph.input('map', [n, tokens, width]);
  const guidance = graph.input('guidance', [n, count, c]);
  const short = inject(params, map, guidance, heads);
  const of = (name: string): Value => {
    const { shape, init } = params.specs.get(name)!;
    return params.get(name, shape, init);
  };
  const inner = of('query.weight').shape[0]!;
  const split = (x: Value, length: number): Value =>
    ops.transpose(ops.reshape(x, [n, length, heads, inner / heads]), [0, 2, 1, 3]);
  const project = (x: Value, name: string): Value => matmul(x, of(name), { transposeB: true });
  const query = split(project(ops.layerNorm(map), 'query.weight'), tokens);
  const scores = ops.mul(
    matmul(query, split(project(guidance, 'key.weight'), count), { transposeB: true }),
    (inner / heads) ** -0.5,
  );
  const mixed = matmul(ops.softmax(scores), split(project(guidance, 'value.weight'), count));
  const joined = ops.reshape(ops.transpose(mixed, [0, 2, 1, 3]), [n, tokens, inner]);
  const long = ops.add(map, ops.mul(project(joined, 'out.weight'), of('gate')));

  const data = { map: noise('map', map.shape), guidance: noise('guidance', guidance.shape) };
  const { a, b } = interpret({ a: short, b: long }, { ...data, ...noiseFor(params) });
  expectSame(a!, b!);
  const { y } = interpret({ y: short }, { ...data, ...start(params) });
  expect([...y!]).toEqual([...data.map]);
});

test('the non-local block equals the product with its N x N matrix', () => {
  const [clips, seconds, tokens, width, c] = [2, 3, 4, 6, 5];
  const n = clips * seconds;
  const graph = new Graph();
  const params = Params.inputs(graph);
  const map = graph.input('map', [n, tokens, width]);
  const audio = graph.input('audio', [n, c]);
  const short = tpavi(params, map, audio, seconds);
  const of = (name: string): Value => {
    const { shape, init } = params.specs.get(name)!;
    return params.get(name, shape, init);
  };
  const project = (x: Value, name: string): Value => ops.linear(x, of(`${name}.weight`), of(`${name}.bias`));
  const flat = (x: Value): Value => ops.reshape(x, [clips, seconds * tokens, x.shape[2]!]);
  const everywhere = ops.expand(ops.reshape(project(audio, 'phi'), [n, 1, 128]), [n, tokens, 128]);
  const square = matmul(flat(project(map, 'theta')), flat(everywhere), { transposeB: true });
  const mixed = matmul(ops.mul(square, 1 / (seconds * tokens)), flat(project(map, 'g')));
  const out = matmul(ops.reshape(mixed, [n, tokens, 128]), of('out.weight'), { transposeB: true });
  const long = ops.add(map, ops.mul(out, of('gate')));

  const data = { map: noise('map', map.shape), audio: noise('audio', audio.shape) };
  const { a, b } = interpret({ a: short, b: long }, { ...data, ...noiseFor(params) });
  expectSame(a!, b!);
  const largest = Math.max(...short.graph.values.slice(0, short.id + 1).map(({ shape }) => sizeOf(shape.slice(-2))));
  expect(largest).toBeLessThan(128 * 128 + 1);
  expect(() => tpavi(params, map, audio, 4)).toThrow('6 frames are no clips of 4 seconds');
});

describe('segmentation', () => {
  const maps = [
    { tokens: 16, width: 16, grid: [4, 4] as [number, number] },
    { tokens: 4, width: 24, grid: [2, 2] as [number, number] },
  ];
  function build(change: Partial<SegmentationConfig>) {
    const graph = new Graph();
    const params = Params.inputs(graph);
    const tokens = (name: string): Value => graph.input(name, [2, 3, 8]);
    const values = maps.map(({ tokens: count, width, grid }, i) => ({
      value: graph.input(`map${i}`, [2, count, width]),
      grid,
    }));
    const config = { heads: 2, channels: 8, ...change };
    const { mask, laterals } = segmentation(
      params,
      values,
      { audio: tokens('audio'), visual: tokens('visual') },
      config,
    );
    const feeds: Feeds = { audio: noise('a', [2, 3, 8]), visual: noise('v', [2, 3, 8]) };
    maps.forEach(({ tokens: count, width }, i) => (feeds[`map${i}`] = noise(`map${i}`, [2, count, width])));
    return { mask, laterals, params, feeds };
  }
  const maskOf = ({ mask, params, feeds }: ReturnType<typeof build>, given: Feeds): Float64Array =>
    interpret({ mask }, { ...feeds, ...noiseFor(params), ...given }).mask!;

  test.each(['both', 'audio', 'visual', 'none'] as const)(
    'injection of %s reads those tokens and no others',
    (injection) => {
      const built = build({ injection });
      expect(built.mask.shape).toEqual([2, 1, 16, 16]);
      const before = maskOf(built, {});
      for (const sense of ['audio', 'visual'] as const) {
        const after = maskOf(built, { [sense]: noise('other', [2, 3, 8]) });
        const reads = injection === 'both' || injection === sense;
        expect(
          before.some((x, i) => x !== after[i]!),
          sense,
        ).toBe(reads);
      }
      const injections = [...built.params.specs.keys()].some((name) => name.startsWith('injection.'));
      expect(injections).toBe(injection !== 'none');
    },
  );

  test('without a non-local block seconds know nothing of each other; with one they do', () => {
    const differs = (change: Partial<SegmentationConfig>): boolean => {
      const built = build(change);
      const audio = Float64Array.from(built.feeds.audio!);
      audio.fill(1, 24);
      const [before, after] = [maskOf(built, {}), maskOf(built, { audio })];
      return before.subarray(0, 256).some((x, i) => x !== after[i]!);
    };
    expect(differs({})).toBe(false);
    expect(differs({ nonLocal: { seconds: 2 } })).toBe(true);
  });

  test('the matching values are means under the predicted mask', () => {
    const graph = new Graph();
    const params = Params.inputs(graph);
    const tap = (name: string, side: number): Tap => {
      return { name, layout: 'tokens', tokens: side * side, width: 16, grid: [side, side] };
    };
    const taps = {
      visual: [tap('visual.s0.b0', 4), tap('visual.s0', 4)],
      audio: [tap('audio.s0.b0', 2)],
    };
    const all = new Map([...taps.visual, ...taps.audio].map((tap) => [tap.name, tap]));
    const read = (name: string): Value =>
      graph.remember(`read ${name}`, () => graph.input(name, [2, all.get(name)!.tokens, all.get(name)!.width]));
    const config: AdapterConfig = { ...defaultAdapter, task: 'segment', classes: ['A'], channels: 4 };
    const plain = Object.keys(segmentPart(params, taps, read, config));
    expect(plain).toEqual(['mask']);
    const outputs = segmentPart(params, taps, read, config, { matching: true });
    expect(Object.keys(outputs)).toEqual(['mask', 'heard', 'seen.0']);
    const feeds = Object.fromEntries(
      [...all.values()].map(({ name, tokens, width }) => [name, noise(name, [2, tokens, width])]),
    );
    const lateral = graph.values.find(
      ({ name, shape }) => name.startsWith('decoder/reshape') && String(shape) === '2,4,4,4',
    )!;
    const got = interpret({ ...outputs, lateral }, { ...feeds, ...noiseFor(params) });
    const expected = Float64Array.from({ length: 8 }, (_, k) => {
      const [n, channel] = [Math.floor(k / 4), k % 4];
      let total = 0;
      for (let y = 0; y < 16; y++) {
        for (let x = 0; x < 16; x++) {
          const probability = 1 / (1 + Math.exp(-got.mask![(n * 16 + y) * 16 + x]!));
          const cell = Math.floor(y / 4) * 4 + Math.floor(x / 4);
          total += probability * got.lateral![(n * 4 + channel) * 16 + cell]!;
        }
      }
      return total / 256;
    });
    expectSame(got['seen.0']!, expected);
  });
});

describe('the linear probe of masks', () => {
  const taps = [
    { name: 's0.b0', tokens: 16, width: 16, grid: [4, 4] as [number, number] },
    { name: 's0.b1', tokens: 16, width: 16, grid: [4, 4] as [number, number] },
    { name: 's1.b0', tokens: 4, width: 24, grid: [2, 2] as [number, number] },
  ];
  const graph = new Graph();
  const params = Params.inputs(graph);
  const maps = taps.map(({ name, tokens, width, grid }) => ({
    name,
    grid,
    value: graph.input(`visual/${name}`, [2, tokens, width]),
  }));
  const sounds = ['s0.b0', 's1.b0'].map((name) => ({ name, value: graph.input(`audio/${name}`, [2, 6, 8]) }));
  const mask = maskProbe(
    params,
    [
      [4, 4],
      [2, 2],
    ],
    maps,
    sounds,
  );
  const seen = (seed: string): Feeds =>
    Object.fromEntries(maps.map(({ name, value }) => [`visual/${name}`, noise(`${seed} ${name}`, value.shape)]));
  const heard = (seed: string): Feeds =>
    Object.fromEntries(sounds.map(({ name, value }) => [`audio/${name}`, noise(`${seed} ${name}`, value.shape)]));
  const weights = noiseFor(params);
  const maskOf = (...feeds: Feeds[]): Float64Array => interpret({ mask }, Object.assign({}, weights, ...feeds)).mask!;

  test('has one weight per channel of every layer, and a bias', () => {
    expect(mask.shape).toEqual([2, 1, 16, 16]);
    const sizes = [...params.specs.values()].map(({ name, shape }) => `${name} ${shape}`);
    const layers = [...sounds, ...maps].map(({ name, value }, i) => {
      const layer = `${i < sounds.length ? 'audio' : 'visual'}.${name}`;
      return [`${layer}.weight 1,${value.shape[2]}`, `${layer}.bias 1`];
    });
    expect(sizes.sort()).toEqual(layers.flat().sort());
  });

  test('adds up what is seen and what is heard', () => {
    const [here, swapped] = [
      [maskOf(seen('a'), heard('a')), maskOf(seen('b'), heard('b'))],
      [maskOf(seen('a'), heard('b')), maskOf(seen('b'), heard('a'))],
    ] as const;
    const sum = ([one, other]: readonly [Float64Array, Float64Array]) => one.map((x, i) => x + other[i]!);
    expectSame(sum(here), sum(swapped));
    const [bySight, bySound] = [maskOf(seen('b'), heard('a')), maskOf(seen('a'), heard('b'))];
    expect(here[0].some((x, i) => Math.abs(x - bySight[i]!) > 1)).toBe(true);
    // Sound raises or lowers all cells of a second alike.
    const moved = here[0].map((x, i) => bySound[i]! - x);
    expect(Math.abs(moved[0]!)).toBeGreaterThan(1e-3);
    for (const second of [0, 1]) {
      expectSame(moved.slice(256 * second, 256 * (second + 1)), new Float64Array(256).fill(moved[256 * second]!));
    }
  });

  test('a cell of one map is the product of its normed token with the weights', () => {
    const alone = new Graph();
    const own = Params.inputs(alone);
    const value = alone.input('map', maps[0]!.value.shape);
    const probed = maskProbe(own, [[4, 4]], [{ ...maps[0]!, value }], []);
    const feeds: Feeds = { map: noise('cells', value.shape), ...noiseFor(own) };
    const result = interpret({ mask: probed }, feeds).mask!;
    const [weight, bias] = [feeds['visual.s0.b0.weight']!, feeds['visual.s0.b0.bias']!];
    const corner = Float64Array.from({ length: 16 }, (_, i) => feeds.map![i]!);
    const average = corner.reduce((a, b) => a + b) / 16;
    const variance = corner.reduce((sum, x) => sum + (x - average) ** 2, 0) / 16;
    const score = corner.reduce(
      (sum, x, i) => sum + ((x - average) / Math.sqrt(variance + 1e-5)) * weight[i]!,
      bias[0]!,
    );
    expect(result[0]).toBeCloseTo(score, 6);
  });

  test('is refused where it has no map to read, and where its maps are to be matched with sound', () => {
    const tap = (name: string, side: number, width: number): Tap => {
      return { name, layout: 'tokens', tokens: side * side, width, grid: [side, side] };
    };
    const all = { visual: [tap('fine', 4, 8), tap('coarse', 2, 8), tap('pooled', 1, 8)], audio: [tap('sound', 1, 8)] };
    const part = (change: Partial<AdapterConfig>, matching = false) => {
      const own = new Graph();
      const config: AdapterConfig = {
        ...defaultAdapter,
        task: 'segment',
        classes: ['A'],
        decoder: 'linear',
        ...change,
      };
      const { visual, audio } = all;
      const read = (name: string): Value => {
        const { tokens, width } = [...visual, ...audio].find((one) => one.name === name)!;
        return own.input(name, [1, tokens, width]);
      };
      return segmentPart(Params.inputs(own), all, read, config, { matching });
    };
    expect(part({}).mask!.shape).toEqual([1, 1, 16, 16]);
    expect(() => part({}, true)).toThrow('A linear probe has no maps to match with sound.');
    const odd = { visual: [...all.visual.slice(0, 2), tap('odd', 3, 8)], audio: all.audio };
    expect(() =>
      tapsRead(odd, { ...defaultAdapter, task: 'segment', classes: ['A'], decoder: 'linear', taps: 'last' }),
    ).toThrow('"last" names no layer that the rows and columns of a mask can be told from.');
  });
});
