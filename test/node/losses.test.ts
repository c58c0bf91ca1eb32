/** Losses: values against their formulas in float64 (1e-7, because constants of a graph are float32), gradients against finite differences in float64 (1e-6), and extremes in float32. */
import { describe, expect, test } from 'vitest';
import { add, Graph, grad, type Shape, sizeOf, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import * as losses from '../../sdk/train/adapter/losses.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { expectGradients } from '../helpers/finite-differences.ts';
import { interpret } from '../helpers/interpret.ts';

type Kind = 'free' | 'probability' | 'one-hot' | 'bits' | 'weight';
type Feeds = Record<string, Float64Array>;

function make(graph: Graph, feeds: Feeds, name: string, shape: Shape, kind: Kind): Value {
  const random = seededRandom(name);
  const data = new Float64Array(sizeOf(shape));
  const width = shape.at(-1)!;
  data.forEach((_, i) => {
    if (kind === 'free') data[i] = gaussian(random);
    if (kind === 'probability') data[i] = 0.05 + 0.9 * random();
    if (kind === 'bits') data[i] = Math.round(random());
    // The last number is padding.
    if (kind === 'weight') data[i] = i === data.length - 1 ? 0 : 1;
  });
  if (kind === 'one-hot')
    for (let row = 0; row < data.length; row += width) data[row + Math.floor(random() * width)] = 1;
  feeds[name] = data;
  return graph.input(name, shape);
}

const logSumExp = (row: Float64Array): number => Math.log(row.reduce((total, x) => total + Math.exp(x), 0));
const rows = (data: Float64Array, width: number): Float64Array[] =>
  Array.from({ length: data.length / width }, (_, i) => data.subarray(i * width, (i + 1) * width));
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((total, x, i) => total + x * b[i]!, 0);
const counted = (values: readonly number[], weight: Float64Array): number =>
  dot(Float64Array.from(values), weight) / weight.reduce((a, b) => a + b, 0);
const bce = (p: number, y: number): number => -(y * Math.log(p) + (1 - y) * Math.log(1 - p));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

type Case = {
  build: (make: (name: string, shape: Shape, kind: Kind) => Value) => Value;
  expected: (f: Feeds) => number;
  /** Instead of noise. */
  given?: Feeds;
};

const cases: Record<string, Case> = {
  crossEntropy: {
    build: (m) =>
      losses.crossEntropy(m('x', [2, 3, 5], 'free'), m('y', [2, 3, 5], 'one-hot'), m('w', [2, 3], 'weight')),
    expected: ({ x, y, w }) =>
      counted(
        rows(x!, 5).map((row, i) => logSumExp(row) - dot(row, rows(y!, 5)[i]!)),
        w!,
      ),
  },
  bceWithLogits: {
    build: (m) => losses.bceWithLogits(m('x', [3, 4], 'free'), m('y', [3, 4], 'bits'), m('w', [3, 4], 'weight')),
    expected: ({ x, y, w }) =>
      counted(
        [...x!].map((z, i) => bce(sigmoid(z), y![i]!)),
        w!,
      ),
  },
  'bceOnProbabilities, smoothed': {
    build: (m) =>
      losses.bceOnProbabilities(m('x', [3, 4], 'probability'), m('y', [3, 4], 'bits'), m('w', [3], 'weight'), 0.9),
    expected: ({ x, y, w }) =>
      counted(
        rows(x!, 4).map((row, i) => row.reduce((t, p, k) => t + bce(p, 0.9 * y![4 * i + k]! + 0.05), 0) / 4),
        w!,
      ),
  },
  dice: {
    build: (m) => losses.dice(m('x', [3, 1, 2, 4], 'free'), m('y', [3, 1, 2, 4], 'bits'), m('w', [3], 'weight')),
    expected: ({ x, y, w }) =>
      counted(
        rows(x!, 8).map((row, i) => {
          const p = row.map(sigmoid);
          const truth = rows(y!, 8)[i]!;
          const area = [...p, ...truth].reduce((a, b) => a + b, 0);
          return 1 - (2 * dot(p, truth) + 1) / (area + 1);
        }),
        w!,
      ),
  },
  maskBce: {
    build: (m) => losses.maskBce(m('x', [3, 1, 2, 4], 'free'), m('y', [3, 1, 2, 4], 'bits'), m('w', [3], 'weight')),
    expected: ({ x, y, w }) =>
      counted(
        rows(x!, 8).map((row, i) => row.reduce((t, z, k) => t + bce(sigmoid(z), y![8 * i + k]!), 0) / 8),
        w!,
      ),
  },
  'dice and maskBce, pixels that nobody knows left out': {
    build: (m) => {
      const [x, y, w] = [m('x', [2, 1, 1, 4], 'free'), m('unknown', [2, 1, 1, 4], 'bits'), m('w', [2], 'weight')];
      return add(losses.dice(x, y, w), losses.maskBce(x, y, w));
    },
    given: { unknown: Float64Array.of(1, -1, 0, -1, 0, 1, 1, -1) },
    expected: ({ x, unknown, w }) =>
      counted(
        rows(x!, 4).map((row, i) => {
          const known = [...rows(unknown!, 4)[i]!].map((y, k) => ({ y, z: row[k]! })).filter(({ y }) => y >= 0);
          const p = Float64Array.from(known, ({ z }) => sigmoid(z));
          const y = Float64Array.from(known, (pixel) => pixel.y);
          const area = [...p, ...y].reduce((a, b) => a + b, 0);
          const entropy = known.reduce((t, pixel) => t + bce(sigmoid(pixel.z), pixel.y), 0) / known.length;
          return 1 - (2 * dot(p, y) + 1) / (area + 1) + entropy;
        }),
        w!,
      ),
  },
  'eventAndClass, one event and one clip of background': {
    build: (m) => {
      const labels = m('y', [2, 3, 4], 'one-hot');
      const outputs = { event: m('x', [2, 3], 'free'), class: m('z', [2, 3], 'free') };
      return losses.eventAndClass(outputs, labels, m('w', [2, 3], 'weight'));
    },
    // Clip 0: seconds of class 1, background, class 1. Clip 1: background, its last second padded.
    given: { y: Float64Array.of(0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1) },
    expected({ x, z, w }) {
      const event = counted(
        [...x!].map((v, i) => bce(sigmoid(v), i === 0 || i === 2 ? 1 : 0)),
        w!,
      );
      return event + logSumExp(z!.subarray(0, 3)) - z![1]!;
    },
  },
  matchingKl: {
    build: (m) =>
      losses.matchingKl(
        m('x', [3, 4], 'free'),
        [m('s', [3, 4], 'free'), m('t', [3, 4], 'free')],
        m('w', [3], 'weight'),
      ),
    expected({ x, s, t, w }) {
      const divergence = (seen: Float64Array): number =>
        counted(
          rows(seen, 4).map((row, i) => {
            const heard = rows(x!, 4)[i]!;
            return row.reduce((total, v, k) => {
              const log = v - logSumExp(row);
              return total + Math.exp(log) * (log - (heard[k]! - logSumExp(heard)));
            }, 0);
          }),
          w!,
        );
      return (divergence(s!) + divergence(t!)) / 2;
    },
  },
};

describe.each(Object.entries(cases))('%s', (_name, { build, expected, given }) => {
  const graph = new Graph();
  const feeds: Feeds = {};
  const inputs: Value[] = [];
  const loss = build((name, shape, kind) => {
    const value = make(graph, feeds, name, shape, kind);
    if (kind === 'free' || kind === 'probability') inputs.push(value);
    return value;
  });
  Object.assign(feeds, given);
  const reference = expected(feeds);

  test('has the value of its formula', () => {
    expect(interpret({ loss }, feeds).loss![0]!).toBeCloseTo(reference, 7);
  });

  test('its gradient equals finite differences', () => expectGradients(loss, inputs, feeds));

  test('what is padded counts for nothing, not even in the gradient', () => {
    const gradients = grad(loss, [inputs[0]!]);
    const { g } = interpret({ g: gradients[0]! }, feeds) as { g: Float64Array };
    const own = sizeOf(inputs[0]!.shape) / feeds.w!.length;
    expect([...g.subarray(g.length - own)].every((x) => x === 0)).toBe(true);
    expect([...g.subarray(0, g.length - own)].some((x) => x !== 0)).toBe(true);
  });

  test('a batch of padding alone gives zero', () => {
    expect(interpret({ loss }, { ...feeds, w: new Float64Array(feeds.w!.length) }).loss![0]!).toBe(0);
  });
});

test('weakParsing smooths the visual target alone', () => {
  const graph = new Graph();
  const [clip, audioClip, visualClip] = ['clip', 'audio', 'visual'].map((name) => graph.input(name, [1, 2]));
  const outputs = { clip: clip!, audioClip: audioClip!, visualClip: visualClip! };
  const loss = losses.weakParsing(outputs, graph.input('y', [1, 2]), graph.input('w', [1]));
  const feeds = { clip: [0.8, 0.1], audio: [0.7, 0.2], visual: [0.6, 0.3], y: [1, 0], w: [1] };
  const mean = (p: number[], a: number, b: number): number => (bce(p[0]!, a) + bce(p[1]!, b)) / 2;
  const expected = mean(feeds.clip, 1, 0) + mean(feeds.audio, 1, 0) + mean(feeds.visual, 0.95, 0.05);
  expect(interpret({ loss }, feeds).loss![0]!).toBeCloseTo(expected, 7);
});

test('accuracy counts seconds that are there', () => {
  const graph = new Graph();
  const share = losses.accuracy(graph.input('x', [1, 3, 2]), graph.input('y', [1, 3, 2]), graph.input('w', [1, 3]));
  const feeds = { x: [3, 1, 3, 1, 1, 3], y: [1, 0, 0, 1, 1, 0], w: [1, 1, 0] };
  expect(interpret({ share }, feeds).share![0]!).toBeCloseTo(0.5, 12);
});

test('logits of 1e4 and probabilities of 0 and 1 keep loss and gradient finite in float32', async () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  const p = graph.input('p', [2, 3]);
  const y = graph.input('y', [2, 3]);
  const ones = graph.constant(new Float32Array(6).fill(1), [2, 3]);
  const rowsOf = graph.constant(new Float32Array(2).fill(1), [2]);
  const parts = {
    entropy: losses.crossEntropy(x, y, rowsOf),
    logits: losses.bceWithLogits(x, y, ones),
    probabilities: losses.bceOnProbabilities(p, y, rowsOf),
  };
  const outputs: Record<string, Value> = { ...parts };
  for (const [name, loss] of Object.entries(parts))
    outputs[`g.${name}`] = grad(loss, [name === 'probabilities' ? p : x])[0]!;
  const shape = [2, 3];
  const got = await evaluate(outputs, {
    x: { data: Float32Array.of(1e4, -1e4, 0, -1e4, 1e4, 1e4), shape },
    p: { data: Float32Array.of(0, 1, 0, 1, 0, 1), shape },
    y: { data: Float32Array.of(0, 1, 0, 1, 0, 0), shape },
  });
  for (const [name, data] of Object.entries(got)) expect([...data].every(Number.isFinite), name).toBe(true);
  expect(got.entropy![0]!).toBeCloseTo(20000, 0);
});
