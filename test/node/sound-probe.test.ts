/** The linear probe of sound backbones: its classifier against the condition that its optimum must meet, and the features on made-up sound. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { compileBackbone } from '../../sdk/compile/backbone.ts';
import { savePackage } from '../../sdk/node/files/save-package.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { formatProbe, probeSounds } from '../bench/sound-probe.ts';
import { openSoundBackbone } from '../bench/sound-probe-features.ts';
import { chooseDecay, decays, type Examples, fitProbe, logitsOf, scoreProbe } from '../bench/sound-probe-fit.ts';
import { evaluate } from '../helpers/evaluate.ts';

const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 1 });
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-probe-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Three classes as clouds around points; features differ in scale, one never changes. */
function clouds(count: number, width: number, spread: number, seed: string): Examples {
  const random = seededRandom(seed);
  const labels = Array.from({ length: count }, (_, i) => i % 3);
  const features = labels.map((label) =>
    Float32Array.from({ length: width }, (_, i) =>
      i === width - 1 ? 7 : (1 + i) * ((i % 3 === label ? 1 : 0) + spread * gaussian(random)),
    ),
  );
  return { features, labels };
}

describe('the classifier', () => {
  test.each([
    [90, 5, 0.01],
    [90, 5, 1],
    [60, 300, 0.1],
    [60, 2000, 0.3],
  ])('of %d examples of %d features comes to the optimum for a decay of %d', async (count, width, decay) => {
    const examples = clouds(count, width, 1, 'fit');
    const probe = await fitProbe(runtime, examples, 3, decay);
    const start = { ...probe, weights: probe.weights.map(() => 0), bias: probe.bias.map(() => 0) };
    // At the optimum the gradient is zero; at zero weights it is as large as it gets. Tolerance: 1 % of that.
    expect(gradientNorm(probe, examples, decay)).toBeLessThan(0.01 * gradientNorm(start, examples, decay));
  });

  test('tells apart what can be told apart, and nothing else', async () => {
    const near = await fitProbe(runtime, clouds(90, 9, 0.1, 'near'), 3, 0.01);
    expect(scoreProbe(near, clouds(90, 9, 0.1, 'other'))).toMatchObject({ accuracy: 100 });
    const { features, labels } = clouds(90, 9, 0.1, 'mixed');
    const mixed = { features, labels: labels.map((_, i) => Math.floor(i / 30)) };
    expect(scoreProbe(await fitProbe(runtime, mixed, 3, 0.1), mixed).accuracy).toBeLessThan(60);
  });

  test('takes the decay that serves unseen examples best', async () => {
    const [fit, held] = [clouds(30, 60, 2, 'one'), clouds(60, 60, 2, 'two')];
    const chosen = await chooseDecay(runtime, fit, held, 3);
    for (const decay of [decays[0], decays[3], decays.at(-1)!]) {
      const { accuracy } = scoreProbe(await fitProbe(runtime, fit, 3, decay), held);
      expect(chosen.accuracy).toBeGreaterThanOrEqual(accuracy);
    }
    expect(decays).toContain(chosen.decay);
  });
});

type Probe = Awaited<ReturnType<typeof fitProbe>>;

/** Norm of the gradient of the objective over weights and bias, in double precision, from its formula. */
function gradientNorm(probe: Probe, { features, labels }: Examples, decay: number): number {
  const { mean, deviation, weights, bias } = probe;
  const [classes, width, count] = [bias.length, mean.length, labels.length];
  const gradient = Float64Array.from(weights, (w) => decay * w);
  const biasGradient = new Float64Array(classes);
  features.forEach((example, n) => {
    const powers = logitsOf(probe, example).map(Math.exp);
    const total = powers.reduce((sum, x) => sum + x, 0);
    powers.forEach((power, c) => {
      const error = (power / total - (labels[n] === c ? 1 : 0)) / count;
      biasGradient[c]! += error;
      for (let i = 0; i < width; i++) gradient[c * width + i]! += (error * (example[i]! - mean[i]!)) / deviation[i]!;
    });
  });
  return Math.hypot(...gradient, ...biasGradient);
}

describe('features', () => {
  const sampleRate = 32_000;
  const sound = (seconds: number, silent: number) => {
    const samples = new Float32Array((seconds + silent) * sampleRate);
    for (let i = 0; i < seconds * sampleRate; i++) samples[i] = 0.3 * Math.sin(i * (0.02 + i * 1e-7));
    return { audio: { channels: [samples], sampleRate } };
  };

  test('are those of the seconds that are not digital silence', async () => {
    const nano = await openSoundBackbone('nano', runtime);
    const means = await nano.meansOf(sound(2, 0));
    expect(await nano.meansOf(sound(2, 3))).toEqual(means);
    expect(await nano.meansOf(sound(1, 0))).not.toEqual(means);
    for (const { name, width } of nano.taps) expect(means[name]).toHaveLength(width);
    expect(means.input).toHaveLength(64);
    await expect(nano.meansOf(sound(0, 2))).rejects.toMatchObject({ code: 'empty-media' });
    await nano.release();
  });

  test('are not had from a backbone that only sees', async () => {
    const onCpu = (values: Parameters<typeof evaluate>[0]) => evaluate(values);
    const source = { id: 'eyes', version: '1.0.0', license: 'MIT', presets: ['swin-v2-nano' as const] };
    const { files } = await compileBackbone({ ...source, weights: { seed: 1 } }, onCpu);
    await savePackage(join(root, 'eyes'), files);
    await expect(openSoundBackbone(join(root, 'eyes'), runtime)).rejects.toMatchObject({ code: 'incompatible' });
  });
});

test('a folder that is no ESC-10 is refused, and a report says what is chance', async () => {
  await expect(probeSounds(['nano'], root, runtime)).rejects.toMatchObject({ code: 'not-found' });
  const text = formatProbe({
    data: { name: 'ESC-10', classes: 10, recordings: { 1: 80, 2: 80, 3: 80 } },
    chance: 10,
    backbones: [
      {
        id: 'ears',
        location: './ears',
        untrained: true,
        rows: [{ features: 'last tap, a', width: 8, decay: 0.1, validation: 50, accuracy: 52.5 }],
      },
    ],
  });
  expect(text).toMatch(/^chance +10\.0$/m);
  expect(text).toMatch(/^ears \(untrained\) +last tap, a +8 +0\.1 +50\.0 +52\.5$/m);
});
