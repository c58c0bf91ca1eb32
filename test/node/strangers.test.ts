/** Networks from strangers: what they are made of, where their data lies and what they would take is known before a session is made; afterwards blame falls on the right one. */
import * as ort from 'onnxruntime-node';
import { describe, expect, test, vi } from 'vitest';
import { runtimes } from '#runtimes';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { MettleError } from '../../sdk/errors.ts';
import { estimateMemory } from '../../sdk/onnx/estimate.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { computedValues, cutNetwork, openNetwork } from '../../sdk/onnx/taps.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';
import { tinyModels, tinySegment } from '../helpers/tiny-models.ts';
import { type TinyGraph, tinyOnnx } from '../helpers/tiny-onnx.ts';

/** An engine on the CPU whose sessions `create` makes, and whose device is lost when the signal says so. */
function onCpu(create: unknown, lost: AbortSignal | null = null): LocalEngine {
  return new LocalEngine({
    ...runtimes,
    async loadRuntime() {
      const runtime = await runtimes.loadRuntime({ device: 'cpu' });
      return { ...runtime, lost, ort: { ...runtime.ort, InferenceSession: { create } } } as never;
    },
  });
}

/** An engine on the CPU that counts the sessions it makes. */
function countingEngine() {
  const create = vi.fn(ort.InferenceSession.create as (...args: unknown[]) => Promise<ort.InferenceSession>);
  return { engine: onCpu(create), create };
}

const paths = { graph: 'visual.wasm.onnx', weights: 'visual.wasm.safetensors' };

/** Loads the tiny models with another graph for pictures; gives the error and how many sessions were made. */
async function loadWith(graph: Uint8Array, weights = new Uint8Array(8)): Promise<{ error: unknown; sessions: number }> {
  const { engine, create } = countingEngine();
  const models = tinyModels(['wasm']);
  models.backbone.files[paths.graph] = new Uint8Array(graph);
  models.backbone.files[paths.weights] = new Uint8Array(weights);
  try {
    const error = await engine.load({ ...models, device: 'cpu' }).then(
      () => null,
      (reason: unknown) => reason,
    );
    return { error, sessions: create.mock.calls.length };
  } finally {
    await engine.dispose();
  }
}

/** Pictures to two taps by way of `nodes`, which turn "flat" [1, 4, 12] into "wide". */
const through = (nodes: TinyGraph['nodes'], weights: TinyGraph['weights'] = []): TinyGraph => ({
  inputs: [['picture', [1, 3, 4, 4]]],
  outputs: [
    ['v0', [1, 4, 2]],
    ['v1', [1, 4, 2]],
  ],
  nodes: [
    { op: 'Reshape', inputs: ['picture', 'shape'], output: 'flat' },
    ...nodes,
    { op: 'MatMul', inputs: ['flat', 'w'], output: 'v0' },
    { op: 'Tanh', inputs: ['v0'], output: 'v1' },
  ],
  weights: [
    { name: 'shape', shape: [3], ints: [1, 4, 12] },
    { name: 'w', shape: [12, 2], floats: new Array(24).fill(0.1) },
    ...weights,
  ],
});

const tiny = (graph: TinyGraph, path = paths.weights) => tinyOnnx(graph, path);

/** The bytes of `model` with the domain of its first node set, by hand: nodes have no field for it in the small writer. */
function withDomain(model: Uint8Array, op: string, domain: string): Uint8Array {
  const text = new TextDecoder('latin1').decode(model);
  // An operator's name and a domain of the same length together: field 4, then field 7, in the room of a longer name.
  const long = `${op}${'x'.repeat(2 + domain.length)}`;
  const at = text.indexOf(long);
  const bytes = model.slice();
  bytes[at - 1] = op.length;
  bytes.set([(7 << 3) | 2, domain.length, ...new TextEncoder().encode(domain)], at + op.length);
  return bytes;
}

describe('operators', () => {
  test.each(['Loop', 'If', 'Scan', 'SequenceMap', 'RandomNormal', 'StringConcat', 'ImageDecoder', 'Evil'])(
    '%s is refused, and no session made',
    async (op) => {
      const { graph, weights } = tiny(through([{ op, inputs: ['flat'], output: 'wide' }]));
      const { error, sessions } = await loadWith(graph, weights);
      expect(error).toMatchObject({
        code: 'invalid-file',
        message: `The visual graph of backbone "tiny" is made of operators that are not run: "${op}"; expected ONNX's own, without graphs inside graphs.`,
      });
      expect(sessions).toBe(0);
    },
  );

  test.each([
    ['com.microsoft', 'MultiHeadAttention'],
    ['com.evil', 'Add'],
  ])('of the domain %s are refused: %s', async (domain, op) => {
    const long = `${op}${'x'.repeat(2 + domain.length)}`;
    const { graph, weights } = tiny(through([{ op: long, inputs: ['flat'], output: 'wide' }]));
    const { error, sessions } = await loadWith(withDomain(graph, op, domain), weights);
    expect(error).toMatchObject({ code: 'invalid-file', message: expect.stringContaining(`"${domain}.${op}"`) });
    expect(sessions).toBe(0);
  });
});

describe('data', () => {
  test.each(['other.bin', 'visual.wasm.onnx', 'sub/visual.wasm.safetensors'])(
    'in %s, which is not the file of the manifest, is refused',
    async (path) => {
      const { graph, weights } = tiny(through([]), path);
      const { error, sessions } = await loadWith(graph, weights);
      expect(error).toMatchObject({
        code: 'invalid-file',
        message: expect.stringContaining(`initializer "w" lies in "${path}", expected "visual.wasm.safetensors"`),
      });
      expect(sessions).toBe(0);
    },
  );

  test('outside the folder is refused', async () => {
    const { graph, weights } = tiny(through([]), '../../etc/passwd');
    const { error } = await loadWith(graph, weights);
    expect(error).toMatchObject({ code: 'invalid-file', message: expect.stringContaining('a file beside the model') });
  });

  test('beyond the end of the file is refused', async () => {
    const { graph, weights } = tiny(through([]));
    const { error, sessions } = await loadWith(graph, weights.slice(0, 40));
    expect(error).toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining('initializer "w" ends at byte 104 of "visual.wasm.safetensors", which has 40'),
    });
    expect(sessions).toBe(0);
  });
});

describe('memory', () => {
  const huge: [string, TinyGraph, RegExp][] = [
    [
      'Expand to a constant shape',
      through(
        [{ op: 'Expand', inputs: ['flat', 'big'], output: 'wide' }],
        [{ name: 'big', shape: [4], ints: [1_000_000, 1, 4, 12] }],
      ),
      /take 192\.0 MB|estimated/,
    ],
    [
      'ConstantOfShape of a computed shape',
      through(
        [
          { op: 'Shape', inputs: ['flat'], output: 'size' },
          { op: 'Mul', inputs: ['size', 'times'], output: 'grown' },
          { op: 'ConstantOfShape', inputs: ['grown'], output: 'wide' },
        ],
        [{ name: 'times', shape: [1], ints: [10_000] }],
      ),
      /estimated to take 192\.0 TB, of that 192\.0 TB for "wide" of ConstantOfShape, expected at most 4\.3 GB/,
    ],
    [
      'an outer product',
      through(
        [
          { op: 'Expand', inputs: ['flat', 'row'], output: 'long' },
          { op: 'Reshape', inputs: ['long', 'across'], output: 'across-it' },
          { op: 'Reshape', inputs: ['long', 'down'], output: 'down-it' },
          { op: 'Add', inputs: ['across-it', 'down-it'], output: 'wide' },
        ],
        [
          { name: 'row', shape: [3], ints: [10_000, 4, 12] },
          { name: 'across', shape: [2], ints: [1, -1] },
          { name: 'down', shape: [2], ints: [-1, 1] },
        ],
      ),
      /of that 921\.6 GB for "wide" of Add/,
    ],
  ];

  test.each(huge.slice(1))('%s is refused by its estimate', async (_, draft, message) => {
    const { graph, weights } = tiny(draft);
    const { error, sessions } = await loadWith(graph, weights);
    expect(error).toMatchObject({ code: 'invalid-file', message: expect.stringMatching(message) });
    expect(sessions).toBe(0);
  });

  test('what fits is estimated: constants, and what is alive at once', () => {
    const [, draft] = huge[0]!;
    const { bytes, largest } = estimateMemory(readOnnx(tiny(draft).graph).graph);
    expect(largest).toEqual({ name: 'wide', opType: 'Expand', bytes: 192e6 });
    // Constants: 3 + 4 integers and 24 floats; alive: "flat" and "wide".
    expect(bytes).toBe(7 * 8 + 24 * 4 + 192 + 192e6);
  });

  test.skipIf(sharedIsAbsent('backbones')).each([
    ['mobilenetv2', [1, 3, 224, 224], 128],
    ['deeplabv3_mnv2', [1, 3, 129, 161], 134],
    ['yamnet', [1, 96, 64], 58],
  ])('every shape of %s is as the runtime gives it', async (name, inputShape, count) => {
    const network = openNetwork(readShared(`backbones/${name}/model.onnx`), name);
    const values = computedValues(network.model.graph);
    const taps = values.map((value) => ({ value, name: value }));
    const { graph, weights, input } = cutNetwork(network, { taps, inputShape, location: 'w' });
    const externalData = [{ path: 'w', data: weights }];
    const session = await ort.InferenceSession.create(graph, { externalData, graphOptimizationLevel: 'disabled' });
    const size = inputShape.reduce((a, b) => a * b, 1);
    const results = await session.run({ [input]: new ort.Tensor('float32', new Float32Array(size), inputShape) });
    await session.release();
    const known = estimateMemory(readOnnx(graph).graph).shapes;
    expect(values.length).toBe(count);
    for (const value of values) expect(known.get(value), value).toEqual([...results[value]!.dims]);
  });
});

describe('numbers that are none', () => {
  const seconds = async (change: (models: ReturnType<typeof tinyModels>) => void): Promise<unknown> => {
    const { engine } = countingEngine();
    const models = tinyModels(['wasm']);
    change(models);
    try {
      await engine.load({ ...models, device: 'cpu' });
      const run = await engine.begin(['mix', 'sound']);
      await engine.push(run, tinySegment(0));
      await engine.finish(run);
      return null;
    } catch (error) {
      return error;
    } finally {
      await engine.dispose();
    }
  };

  test("are the adapter's where it read good ones", async () => {
    const error = await seconds(({ adapters }) => {
      const graph: TinyGraph = {
        inputs: [['a0', [1, 4, 2]]],
        outputs: [['level', [1, 4, 2]]],
        nodes: [
          { op: 'Abs', inputs: ['a0'], output: 'positive' },
          { op: 'Neg', inputs: ['positive'], output: 'negative' },
          { op: 'Sqrt', inputs: ['negative'], output: 'level' },
        ],
        weights: [],
      };
      adapters[1]!.files['segment.wasm.onnx'] = tinyOnnx(graph, 'segment.wasm.safetensors').graph;
    });
    expect(error).toMatchObject({
      code: 'invalid-file',
      message: 'Adapter "sound" gives numbers that are not finite: output "level" holds NaN or infinity.',
    });
  });

  test("are the backbone's where its taps hold them", async () => {
    const error = await seconds(({ backbone }) => {
      const nodes = [{ op: 'Mul', inputs: ['flat', 'none'], output: 'wide' }];
      const draft = through(nodes, [{ name: 'none', shape: [1], floats: [Number.NaN] }]);
      draft.nodes[2]!.inputs = ['wide', 'w'];
      const { graph, weights } = tiny(draft);
      backbone.files[paths.graph] = graph;
      backbone.files[paths.weights] = weights;
    });
    expect(error).toMatchObject({
      code: 'invalid-file',
      message: 'Backbone "tiny" gives numbers that are not finite: output "v0" holds NaN or infinity.',
    });
  });
});

test('a GPU that is lost tells which network ran', async () => {
  const loss = new AbortController();
  const reason = new MettleError('device', 'The GPU device was lost (reset).', { hint: 'Create a new engine.' });
  let sessions = 0;
  /** The second session of the runtime, the graph for sounds, takes the device down when it runs for the second time. */
  const create = async (...args: Parameters<typeof ort.InferenceSession.create>) => {
    const session = await ort.InferenceSession.create(...args);
    if (++sessions !== 2) return session;
    let runs = 0;
    const run = session.run.bind(session) as (...args: unknown[]) => Promise<unknown>;
    session.run = ((...given: unknown[]) => {
      if (++runs === 2) loss.abort(reason);
      return run(...given);
    }) as never;
    return session;
  };
  const engine = onCpu(create, loss.signal);
  await engine.load({ ...tinyModels(['wasm']), device: 'cpu' });
  const run = await engine.begin(['mix']);
  await expect(engine.push(run, tinySegment(0))).rejects.toMatchObject({
    code: 'device',
    message: 'The GPU device was lost (reset), while the audio graph of backbone "tiny" ran.',
    hint: expect.stringContaining('the model is at fault'),
  });
  await engine.dispose();
});
