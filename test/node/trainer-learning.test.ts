/** Training learns what it should: a little world by heart, and from part of it what holds in the rest, where it takes both senses. */

import { describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import { Predictor } from '../../sdk/train/loop/predict.ts';
import { train } from '../../sdk/train/loop/trainer.ts';
import { tinyAccuracy, tinyClips, tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';

const model = adapterModel(tinyTaps, tinyConfig);
const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 2 });

describe('learning', () => {
  test('eight clips are learned by heart', async () => {
    const losses: number[] = [];
    await train({
      runtime,
      model,
      data: tinyClips(8, 1),
      batch: 8,
      steps: 150,
      seed: 1,
      schedule: { rate: 3e-3 },
      onProgress: ({ loss, metrics, step }) => {
        losses.push(loss);
        if (step === 150) expect(metrics.accuracy).toBe(1);
      },
    });
    expect(losses.at(-1)!).toBeLessThan(0.05);
    expect(losses[0]!).toBeGreaterThan(1);
  });

  test('both senses together beat each alone on clips not seen in training', async () => {
    const held = async (hide?: 'audio' | 'visual'): Promise<number> => {
      const { weights } = await train({
        runtime,
        model,
        data: tinyClips(192, 2, hide),
        batch: 16,
        epochs: 16,
        seed: 2,
        schedule: { rate: 3e-3 },
        optimizer: { average: 0.98 },
      });
      const validation = tinyClips(64, 3, hide);
      const predictor = await Predictor.open(runtime, model, 16);
      const scores: number[] = [];
      await predictor.each(weights, validation, ({ logits }, index) => {
        scores.push(tinyAccuracy(logits!, (validation.read(index) as { labels: Float32Array }).labels));
      });
      await predictor.dispose();
      return scores.reduce((a, b) => a + b, 0) / scores.length;
    };
    const [both, heard, seen] = [await held(), await held('visual'), await held('audio')];
    expect(both).toBeGreaterThan(0.85);
    expect(both).toBeGreaterThan(heard + 0.2);
    expect(both).toBeGreaterThan(seen + 0.2);
  });
});
