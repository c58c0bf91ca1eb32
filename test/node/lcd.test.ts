/** Layer-Centric Distillation: identities in float64 (1e-12), where it starts from, and how many parameters it has. */
import { describe, expect, test } from 'vitest';
import {
  bottleneck,
  type DistillConfig,
  defaultLcd,
  distill,
  type LcdConfig,
  lcd,
  tokensPerBlock,
} from '../../sdk/models/lcd.ts';
import { countParams, initialize, Params } from '../../sdk/models/params.ts';
import { Graph, type Value } from '../../sdk/ops/index.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { interpret } from '../helpers/interpret.ts';

const [frames, tokens, width] = [2, 9, 24];
const random = seededRandom('lcd');
const block = Float64Array.from({ length: frames * tokens * width }, () => 1 + 2 * gaussian(random));

/** The output [2, K, 24] for one block's tokens; parameters are noise by name unless `change` says otherwise. */
function run(
  config: Partial<LcdConfig>,
  x: Float64Array = block,
  change: (name: string) => number[] | null = () => null,
) {
  const graph = new Graph();
  const params = Params.inputs(graph);
  const y = lcd(params, graph.input('x', [frames, tokens, width]), { ...defaultLcd, ...config });
  const feeds: Record<string, ArrayLike<number>> = { x };
  for (const spec of params.specs.values()) feeds[spec.name] = change(spec.name) ?? initialize(spec, 3);
  return interpret({ y }, feeds).y!;
}

const open = (name: string): number[] | null =>
  name === 'gate' ? Array.from({ length: width }, (_, i) => i / 9 - 1) : null;

function expectSame(a: Float64Array, b: Float64Array): void {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => expect(Math.abs(x - b[i]!)).toBeLessThan(1e-12));
}

describe('lcd', () => {
  test.each([1, 4])('absorbed equals plain with %i meta-tokens', (k) => {
    for (const paths of ['both', 'task'] as const) {
      const of = (form: LcdConfig['form']): Float64Array => run({ form, paths, tokens: k }, block, open);
      expectSame(of('absorbed'), of('plain'));
    }
  });

  test('starts as the preservation path alone: a probe of the frozen block', () => {
    expectSame(run({ paths: 'both' }), run({ paths: 'preservation' }));
    const moved = run({ paths: 'both' }, block, open);
    expect(moved.some((x, i) => Math.abs(x - run({ paths: 'both' })[i]!) > 1e-3)).toBe(true);
  });

  test('does not depend on the order of the tokens', () => {
    const turned = new Float64Array(block.length);
    for (let f = 0; f < frames; f++) {
      for (let t = 0; t < tokens; t++) {
        const from = (f * tokens + t) * width;
        turned.set(block.subarray(from, from + width), (f * tokens + (tokens - 1 - t)) * width);
      }
    }
    expectSame(run({}, turned, open), run({}, block, open));
  });

  test('preserves: tokens that are all the same come out as they are, normed', () => {
    const row = block.subarray(0, width);
    const same = Float64Array.from({ length: block.length }, (_, i) => row[i % width]!);
    const mean = row.reduce((a, b) => a + b, 0) / width;
    const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / width + 1e-5);
    const normed = row.map((x) => (x - mean) / deviation);
    run({ paths: 'preservation' }, same).forEach((x, i) => expect(x).toBeCloseTo(normed[i % width]!, 10));
  });
});

test('without paths a block is its mean token, normed', () => {
  const means = Array.from({ length: frames * width }, (_, i) => {
    const [frame, channel] = [Math.floor(i / width), i % width];
    let sum = 0;
    for (let t = 0; t < tokens; t++) sum += block[(frame * tokens + t) * width + channel]!;
    return sum / tokens;
  });
  const normed = means.map((x, i) => {
    const row = means.slice(i - (i % width), i - (i % width) + width);
    const mean = row.reduce((a, b) => a + b, 0) / width;
    return (x - mean) / Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / width + 1e-5);
  });
  expectSame(run({ paths: 'none' }), Float64Array.from(normed));
});

describe('distill', () => {
  const widths = [16, 16, 64, 256];
  const config: DistillConfig = { ...defaultLcd, width: 32, average: 'mean' };

  function paramsOf(change: Partial<DistillConfig>, used = widths): number {
    const graph = new Graph();
    const params = Params.inputs(graph);
    const taps = used.map((d, i): { name: string; stage: number; value: Value } => {
      return { name: `tap${i}`, stage: d, value: graph.input(`x${i}`, [1, 5, d]) };
    });
    const y = distill(params, taps, { ...config, ...change });
    expect(y.shape).toEqual([1, tokensPerBlock({ ...config, ...change }), 32]);
    return countParams(params.specs.values());
  }

  /** The formula of `distill`'s docstring. */
  function formula({ tokens: k, paths, average, width: c }: DistillConfig, used = widths): number {
    const perTap = used.map((d) => {
      if (paths === 'none') return 2 * d;
      const task = paths === 'preservation' ? 0 : 4 * bottleneck(d) * d;
      return k * d + 2 * d + task + (paths === 'both' ? d : 0);
    });
    const perStage = [...new Set(used)].map((d) => c * d + c);
    const shares = average === 'learned' ? used.length : 0;
    return [...perTap, ...perStage].reduce((a, b) => a + b, shares);
  }

  test.each<Partial<DistillConfig>>([
    {},
    { tokens: 1 },
    { tokens: 2 },
    { tokens: 8 },
    { tokens: 16 },
    { paths: 'preservation' },
    { paths: 'task' },
    { paths: 'none' },
    { average: 'learned' },
    { form: 'plain' },
  ])('%j has as many parameters as its formula says', (change) => {
    expect(paramsOf(change)).toBe(formula({ ...config, ...change }));
    expect(paramsOf(change, [16, 64])).toBe(formula({ ...config, ...change }, [16, 64]));
  });

  test('the bottleneck is an eighth of the width, at least 16', () => {
    expect([16, 128, 256, 1536].map(bottleneck)).toEqual([16, 16, 32, 192]);
    expect(formula(config, [256])).toBe(4 * 256 + 2 * 256 + 4 * 32 * 256 + 256 + 32 * 256 + 32);
  });

  test('learned shares start equal, so that it begins as the mean', () => {
    const of = (average: DistillConfig['average']): Float64Array => {
      const graph = new Graph();
      const params = Params.constants(graph, { seed: 1 });
      const taps = [0, 1].map((i) => ({
        name: `tap${i}`,
        stage: 24,
        value: graph.input(`x${i}`, [frames, tokens, width]),
      }));
      const y = distill(params, taps, { ...config, average });
      return interpret({ y }, { x0: block, x1: block.map((x) => -x) }).y!;
    };
    of('mean').forEach((x, i) => expect(x).toBeCloseTo(of('learned')[i]!, 7));
  });
});
