/** A short training that every device must do alike; its reference numbers are those of onnxruntime-node's CPU. */
import { expect } from 'vitest';
import type { Runtime } from '../../sdk/platform.ts';
import { stackBatch } from '../../sdk/train/batches.ts';
import { initialState } from '../../sdk/train/init.ts';
import { adapterModel } from '../../sdk/train/model.ts';
import { defaultOptimizer } from '../../sdk/train/optimizer.ts';
import { openRunner } from '../../sdk/train/runner.ts';
import type { OptimizerPlace } from '../../sdk/train/step.ts';
import { tinyClips, tinyConfig, tinyTaps } from './tiny-training.ts';

export type Curve = { losses: number[]; norms: number[]; averages: number };

/** 20 steps; the state is read in the midst of them, which must change nothing. */
export async function tinyCurve(runtime: Runtime, place?: OptimizerPlace, steps = 20): Promise<Curve> {
  const data = tinyClips(16, 5);
  const runner = await openRunner({
    runtime,
    model: adapterModel(tinyTaps, tinyConfig),
    batch: 4,
    optimizer: { ...defaultOptimizer, average: 0.9, decay: 0.1 },
    place,
    start: ({ specs }) => initialState(specs, 1, { average: true }),
  });
  try {
    const curve: Curve = { losses: [], norms: [], averages: 0 };
    for (let i = 0; i < steps; i++) {
      const indices = [0, 1, 2, 3].map((k) => (4 * i + k) % data.size);
      const { loss, norm, finite } = await runner.run(await stackBatch(data, indices, runner.step.inputs, 4), 2e-3);
      expect(finite).toBe(true);
      curve.losses.push(loss);
      curve.norms.push(norm);
      if (i === 9) expect((await runner.state()).step).toBe(10);
    }
    for (const array of (await runner.state()).average!.values())
      curve.averages += array.reduce((a, b) => a + b * b, 0);
    return curve;
  } finally {
    await runner.dispose();
  }
}

/** To six digits. */
const reference: Curve = {
  losses: [
    1.2569, 1.48424, 1.3008, 1.23096, 0.788029, 0.943861, 0.779648, 0.873175, 0.597877, 0.585363, 0.568809, 0.592798,
    0.410556, 0.35245, 0.390804, 0.38687, 0.267989, 0.206699, 0.240206, 0.24582,
  ],
  norms: [
    2.2155, 2.65769, 3.96456, 1.80493, 1.96186, 2.06628, 2.17586, 1.54739, 1.88505, 1.4629, 1.80395, 1.23741, 1.31449,
    0.959963, 1.48927, 1.04967, 0.925066, 0.7287, 0.970267, 0.917321,
  ],
  averages: 989.905,
};

/** Losses within 1e-3 of the reference, gradient norms and the averages' sum of squares within one in a hundred. */
export async function expectTraining(runtime: Runtime, place?: OptimizerPlace): Promise<void> {
  const curve = await tinyCurve(runtime, place);
  expect(curve.losses.length).toBe(reference.losses.length);
  curve.losses.forEach((loss, i) => expect(Math.abs(loss - reference.losses[i]!), `step ${i}`).toBeLessThan(1e-3));
  curve.norms.forEach((norm, i) => expect(Math.abs(norm / reference.norms[i]! - 1), `step ${i}`).toBeLessThan(1e-2));
  expect(Math.abs(curve.averages / reference.averages - 1)).toBeLessThan(1e-3);
}
