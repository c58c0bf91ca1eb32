/** A short training that every device must do alike; its reference numbers are those of onnxruntime-node's CPU. */
import { expect } from 'vitest';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import { stackBatch } from '../../sdk/train/loop/batches.ts';
import { initialState } from '../../sdk/train/loop/init.ts';
import { defaultOptimizer } from '../../sdk/train/loop/optimizer.ts';
import { openRunner } from '../../sdk/train/loop/runner.ts';
import type { OptimizerPlace } from '../../sdk/train/loop/step.ts';
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
    1.34218, 1.42918, 1.3484, 1.07801, 0.78152, 0.909349, 0.739799, 0.722169, 0.540306, 0.600956, 0.552929, 0.461389,
    0.347486, 0.358052, 0.387662, 0.289303, 0.233986, 0.212712, 0.229438, 0.175182,
  ],
  norms: [
    2.68432, 2.42239, 3.97615, 1.92439, 2.60877, 1.87539, 2.25105, 1.63575, 2.24571, 1.48618, 2.07692, 1.19536, 1.4347,
    0.994129, 1.74176, 0.931472, 1.19041, 0.765849, 1.12456, 0.764866,
  ],
  averages: 1049.42,
};

/** Losses within 1e-3 of the reference, gradient norms and the averages' sum of squares within one in a hundred. */
export async function expectTraining(runtime: Runtime, place?: OptimizerPlace): Promise<void> {
  const curve = await tinyCurve(runtime, place);
  expect(curve.losses.length).toBe(reference.losses.length);
  curve.losses.forEach((loss, i) => expect(Math.abs(loss - reference.losses[i]!), `step ${i}`).toBeLessThan(1e-3));
  curve.norms.forEach((norm, i) => expect(Math.abs(norm / reference.norms[i]! - 1), `step ${i}`).toBeLessThan(1e-2));
  expect(Math.abs(curve.averages / reference.averages - 1)).toBeLessThan(1e-3);
}
