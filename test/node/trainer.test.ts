/** Training as a whole: seeds, checkpoints, interruptions, selection and failures. Weights that must be the same are compared bit by bit. */

import { describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import type { Weights } from '../../sdk/models/params.ts';
import { readSafetensors } from '../../sdk/onnx/safetensors.ts';
import { adapterModel } from '../../sdk/train/adapter/model.ts';
import type { BatchSource } from '../../sdk/train/loop/batches.ts';
import { batchIndices, epochOrder } from '../../sdk/train/loop/batches.ts';
import type { CheckpointStore } from '../../sdk/train/loop/checkpoint.ts';
import { type TrainOptions, type TrainProgress, train } from '../../sdk/train/loop/trainer.ts';
import { tinyClips, tinyConfig, tinyTaps } from '../helpers/tiny-training.ts';

const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 2 });
const data = tinyClips(10, 1);

function options(change: Partial<TrainOptions> = {}): TrainOptions {
  const model = adapterModel(tinyTaps, tinyConfig);
  const base = { runtime, model, data, batch: 4, steps: 8, seed: 7 };
  return { ...base, optimizer: { average: 0.9 }, schedule: { rate: 2e-3 }, ...change };
}

function memoryStore(): CheckpointStore & { files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    save: async (name, bytes) => void files.set(name, bytes.slice()),
    load: async (name) => files.get(name) ?? null,
  };
}

/** Bits, so that -0 is not 0 and no rounding hides. */
const bits = (weights: Weights): [string, Uint8Array][] =>
  [...weights].map(([name, { buffer, byteOffset, byteLength }]) => [
    name,
    new Uint8Array(buffer, byteOffset, byteLength).slice(),
  ]);

describe('order', () => {
  test('every example once per epoch, by seed and epoch alone; the last batch may be short', () => {
    const steps = [0, 1, 2].map((step) => batchIndices(10, 4, 7, step));
    expect(steps.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(steps.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(batchIndices(10, 4, 7, 0)).toEqual(steps[0]);
    expect(epochOrder(10, 7, 1)).not.toEqual(epochOrder(10, 7, 0));
    expect(epochOrder(10, 8, 0)).not.toEqual(epochOrder(10, 7, 0));
  });
});

describe('train', () => {
  test('one seed gives the same weights twice, another seed others', async () => {
    const [a, b, c] = [await train(options()), await train(options()), await train(options({ seed: 8 }))];
    expect(bits(b.weights)).toEqual(bits(a.weights));
    expect(bits(c.weights)).not.toEqual(bits(a.weights));
  });

  test.each(['host', 'graph'] as const)('aborted and resumed, it ends with the same bits (%s)', async (place) => {
    const evaluations = new Map<number, number>();
    // The best lies before the interruption, so it must survive it.
    const evaluate: TrainOptions['evaluate'] = async (weights, { step }) => {
      evaluations.set(step, weights.get('head.fc2.bias')![0]!);
      return { score: step === 3 ? 10 : step };
    };
    const whole = await train(options({ place, evaluate }));

    const store = memoryStore();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ step }: TrainProgress): void => {
      if (step === 5) controller.abort(reason);
    };
    const checkpoint = { store, every: 100 };
    const stopped = train(options({ place, evaluate, checkpoint, signal: controller.signal, onProgress }));
    await expect(stopped).rejects.toBe(reason);
    expect(readSafetensors(store.files.get('checkpoint.safetensors')!).metadata.step).toBe('5');

    const steps: number[] = [];
    const rest = options({ place, evaluate, checkpoint, resume: true, onProgress: ({ step }) => steps.push(step) });
    const resumed = await train(rest);
    expect(steps).toEqual([6, 7, 8]);
    expect(bits(resumed.weights)).toEqual(bits(whole.weights));
    for (const kind of ['parameters', 'first', 'second', 'average'] as const) {
      expect(bits(resumed.last[kind]!)).toEqual(bits(whole.last[kind]!));
    }
    expect(resumed.best).toEqual({ step: 3, evaluation: { score: 10 } });
    expect(resumed.weights.get('head.fc2.bias')![0]).toBe(evaluations.get(3));
  });

  test.each(['evaluation', 'reading'] as const)(
    'aborted while %s goes on, it ends with the same bits',
    async (phase) => {
      const scores: TrainOptions['evaluate'] = async (_weights, { step }) => ({ score: step === 3 ? 10 : step });
      const whole = await train(options({ evaluate: scores }));
      const store = memoryStore();
      const controller = new AbortController();
      const stop = (): never => {
        controller.abort(new Error('enough'));
        throw controller.signal.reason;
      };
      const evaluate: TrainOptions['evaluate'] = (weights, at) =>
        phase === 'evaluation' && at.step === 3 ? stop() : scores!(weights, at);
      const reads: number[] = [];
      const read: BatchSource['read'] = (index) =>
        phase === 'reading' && reads.push(index) > 14 ? stop() : data.read(index);
      const checkpoint = { store, every: 100 };
      const cut = options({ data: { ...data, read }, evaluate, checkpoint, signal: controller.signal });
      await expect(train(cut)).rejects.toThrow('enough');
      const { metadata } = readSafetensors(store.files.get('checkpoint.safetensors')!);
      expect([metadata.step, metadata.owes_evaluation]).toEqual(
        phase === 'evaluation' ? ['3', 'true'] : ['4', 'false'],
      );
      const resumed = await train(options({ evaluate: scores, checkpoint, resume: true }));
      expect(bits(resumed.weights)).toEqual(bits(whole.weights));
      expect(resumed.best).toEqual({ step: 3, evaluation: { score: 10 } });
    },
  );

  test('reads the next batch while a step is computed, each once and in order', async () => {
    const events: string[] = [];
    const read: BatchSource['read'] = async (index) => {
      events.push('read');
      return await data.read(index);
    };
    await train(options({ data: { ...data, read }, steps: 3, onProgress: ({ step }) => events.push(`step ${step}`) }));
    const [four, two] = [Array(4).fill('read'), Array(2).fill('read')];
    expect(events).toEqual([...four, ...four, 'step 1', ...two, 'step 2', 'step 3']);
  });

  test('without an evaluation the result is the average of the last step', async () => {
    const result = await train(options());
    expect(result.best).toBeNull();
    expect(bits(result.weights)).toEqual(bits(result.last.average!));
    expect(bits(result.weights)).not.toEqual(bits(result.last.parameters));
  });

  test('tells how far it is', async () => {
    const seen: TrainProgress[] = [];
    const evaluate = async (): Promise<{ score: number }> => ({ score: 1 });
    await train(options({ steps: undefined, epochs: 2, evaluate, onProgress: (progress) => seen.push(progress) }));
    expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(seen.map(({ evaluation }) => evaluation?.score)).toEqual([undefined, undefined, 1, undefined, undefined, 1]);
    for (const { steps, metrics, samplesPerSecond, secondsLeft, gradientNorm, rate } of seen) {
      expect(steps).toBe(6);
      expect(metrics.accuracy).toBeGreaterThanOrEqual(0);
      for (const number of [samplesPerSecond, gradientNorm, rate]) expect(number).toBeGreaterThan(0);
      expect(secondsLeft).toBeGreaterThanOrEqual(0);
    }
    expect(seen.at(-1)!.secondsLeft).toBe(0);
  });

  test('a short last batch counts its own examples only', async () => {
    // Two examples in a batch of two, and the same two in a batch of four with two places empty.
    const two: BatchSource = { ...data, size: 2 };
    const losses = async (batch: number): Promise<number[]> => {
      const all: number[] = [];
      await train(options({ data: two, batch, steps: 5, onProgress: ({ loss }) => all.push(loss) }));
      return all;
    };
    const [exact, padded] = [await losses(2), await losses(4)];
    exact.forEach((loss, i) => {
      expect(padded[i]!).toBeCloseTo(loss, 5);
    });
  });

  test('starts from given weights', async () => {
    const { weights } = await train(options());
    const losses: number[] = [];
    const onProgress = ({ loss }: TrainProgress): void => void losses.push(loss);
    await train(options({ onProgress }));
    await train(options({ from: weights, onProgress }));
    expect(losses[8]!).toBeLessThan(losses[0]!);
    const wrong = new Map([['head.fc2.bias', new Float32Array(3)]]);
    await expect(train(options({ from: wrong }))).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('head.fc2.bias'),
    });
  });
});

describe('a GPU that is lost', () => {
  /** What onnxruntime-node says when the driver beneath WebGPU reports a lost device. */
  const told =
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/buffer_manager.cc:641 void Download() const map_async_result.status == wgpu::MapAsyncStatus::Success was false. Failed to download data from buffer. wgpu::MapAsyncStatus value: 4, message: [Device] is lost.\n';

  /** The CPU in the guise of onnxruntime-node's WebGPU: after so many runs of any session all fail, and only their message says why. */
  function fragileGpu(runs: number, message = told): Runtime {
    let left = runs;
    const create = async (bytes: Uint8Array): Promise<unknown> => {
      const session = await runtime.ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        release: () => session.release(),
        run: async (...args: Parameters<typeof session.run>) => {
          if (--left < 0) throw new Error(message);
          return await session.run(...args);
        },
      };
    };
    const { Tensor } = runtime.ort;
    return { ...runtime, device: 'webgpu', ort: { Tensor, InferenceSession: { create } } as unknown as Runtime['ort'] };
  }

  const evaluate: TrainOptions['evaluate'] = async (_weights, { step }) => ({ score: -step });

  // A run each for a step and for reading the state, which evaluations and checkpoints do.
  test.each<{ when: string; runs: number; after: number; abortAt?: number; change?: Partial<TrainOptions> }>([
    { when: 'in a step', runs: 6, after: 5 },
    { when: 'in an evaluation', runs: 8, after: 6, change: { evaluate, evaluateEvery: 3 } },
    { when: 'while a checkpoint is saved', runs: 9, after: 8 },
    { when: 'after an abort', runs: 6, after: 5, abortAt: 5 },
  ])('$when: it says how far it came, and another device goes on to the same bits', async (lost) => {
    const { after, abortAt, change } = lost;
    const whole = await train(options({ place: 'graph', ...change }));
    const store = memoryStore();
    const checkpoint = { store, every: 4 };
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = ({ step }: TrainProgress): void => {
      if (step === abortAt) controller.abort(new Error('enough'));
    };
    const gpu = fragileGpu(lost.runs);
    const stopped = train(options({ ...change, runtime: gpu, checkpoint, signal, onProgress }));
    const reason = 'The GPU device was lost: .*\\[Device\\] is lost\\.".';
    await expect(stopped).rejects.toMatchObject({
      code: 'device',
      message: expect.stringMatching(
        `^Training stopped after step ${after} of 8\\. ${reason} The last good checkpoint is "checkpoint.safetensors" of step 4\\.$`,
      ),
      hint: expect.stringContaining('--resume'),
    });
    expect(readSafetensors(store.files.get('checkpoint.safetensors')!).metadata.step).toBe('4');

    const steps: number[] = [];
    const rest = { checkpoint, resume: true, onProgress: ({ step }: TrainProgress) => void steps.push(step) };
    const resumed = await train(options({ place: 'graph', ...change, ...rest }));
    expect(steps).toEqual([5, 6, 7, 8]);
    expect(bits(resumed.weights)).toEqual(bits(whole.weights));
    expect(resumed.best).toEqual(whole.best);
  });

  test('before the first checkpoint it says that there is none', async () => {
    const checkpoint = { store: memoryStore(), every: 4 };
    await expect(train(options({ runtime: fragileGpu(2), checkpoint }))).rejects.toMatchObject({
      code: 'device',
      message: expect.stringMatching(/^Training stopped after step 2 of 8\. .* No checkpoint was saved\.$/),
      hint: expect.stringMatching(/^Begin anew/),
    });
  });

  test.each(['VK_ERROR_DEVICE_LOST', 'DXGI_ERROR_DEVICE_REMOVED', 'WebGPU device lost (2): reset'])(
    'known by %s',
    async (message) => {
      await expect(train(options({ runtime: fragileGpu(1, message) }))).rejects.toMatchObject({ code: 'device' });
    },
  );

  test('any other failure of the runtime stays a fault', async () => {
    await expect(train(options({ runtime: fragileGpu(1, 'Device buffer of no size') }))).rejects.toMatchObject({
      code: 'internal',
      message: 'The training step failed on webgpu: Device buffer of no size',
    });
  });
});

describe('failures', () => {
  test('a NaN stops with step, examples and the last good checkpoint', async () => {
    const store = memoryStore();
    const poisoned: BatchSource = {
      ...data,
      read: async (index) => {
        const arrays = { ...(await data.read(index)) };
        if (index === batchIndices(10, 4, 7, 2)[1])
          arrays['audio.s0.b0'] = arrays['audio.s0.b0']!.map(() => Number.NaN);
        return arrays;
      },
    };
    const error = train(options({ data: poisoned, checkpoint: { store, every: 2 } }));
    const ids = batchIndices(10, 4, 7, 2).map((index) => `clip ${index}`);
    await expect(error).rejects.toMatchObject({
      code: 'diverged',
      message: expect.stringMatching(
        new RegExp(`Step 3 .*NaN.* examples ${ids.join(', ')}\\. .*"checkpoint.safetensors" of step 2`),
      ),
    });
    const { tensors } = readSafetensors(store.files.get('checkpoint.safetensors')!);
    const finite = [...tensors.values()].every(({ bytes }) =>
      new Float32Array(new Uint8Array(bytes).buffer).every(Number.isFinite),
    );
    expect(finite).toBe(true);
  });

  test('an example without an input is named', async () => {
    const bare: BatchSource = { ...data, read: () => ({ labels: new Float32Array(1) }) };
    await expect(train(options({ data: bare }))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/^Example "clip \d+" has no input "[a-z0-9.]+", expected \d+\.$/),
    });
  });

  test('a checkpoint of another training is refused, and what is none too', async () => {
    const store = memoryStore();
    await train(options({ checkpoint: { store } }));
    const other = options({ checkpoint: { store }, resume: true, seed: 8 });
    await expect(train(other)).rejects.toMatchObject({
      code: 'incompatible',
      message: 'The checkpoint belongs to another training: its seed is 7, here it is 8.',
    });
    const wider = options({ checkpoint: { store }, resume: true, identity: { width: 64 } });
    await expect(train(wider)).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('its width is undefined, here it is 64'),
    });
    store.files.set('checkpoint.safetensors', new Uint8Array(20));
    await expect(train(options({ checkpoint: { store }, resume: true }))).rejects.toMatchObject({
      code: 'invalid-file',
    });
  });

  test('an aborted signal stops before anything is done', async () => {
    const reason = new Error('no');
    await expect(train(options({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });

  test.each<[string, Partial<TrainOptions>]>([
    ['epochs', { epochs: 1 }],
    ['epochs', { steps: undefined }],
    ['steps', { steps: 0 }],
    ['batch', { batch: 1.5 }],
    ['seed', { seed: Number.NaN }],
    ['evaluateEvery', { evaluateEvery: -1 }],
    ['examples', { data: { ...data, size: 0 } }],
    ['optimizer', { optimizer: { clip: -1 } }],
    ['schedule', { schedule: { rate: -1 } }],
  ])('options are checked: %s', async (name, change) => {
    await expect(train(options(change))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(name),
    });
  });
});
