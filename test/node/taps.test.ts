/** Cutting ONNX networks at taps: what stays, what goes, what is refused, and that the cut graph computes what the whole one did. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import { type FrontEndSource, listTaps, tapBackbone } from '../../sdk/compile/tapped.ts';
import { ProtoReader, ProtoWriter } from '../../sdk/onnx/protobuf.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { cutNetwork, openNetwork } from '../../sdk/onnx/taps.ts';

type NodeDraft = { op: string; inputs: string[]; outputs: string[]; attributes?: ProtoWriter[] };
type TensorDraft = { name: string; shape: number[]; data?: Float32Array; external?: [string, number, number] };
type ValueDraft = [name: string, shape: (number | string)[], type?: number];
type GraphDraft = { nodes: NodeDraft[]; tensors?: TensorDraft[]; inputs?: ValueDraft[]; outputs: ValueDraft[] };

function nodeProto({ op, inputs, outputs, attributes = [] }: NodeDraft): ProtoWriter {
  const node = new ProtoWriter();
  for (const name of inputs) node.string(1, name);
  for (const name of outputs) node.string(2, name);
  node.string(4, op).string(6, `made for a test: ${op}`);
  for (const attribute of attributes) node.message(5, attribute);
  return node;
}

function tensorProto({ name, shape, data, external }: TensorDraft): ProtoWriter {
  const tensor = new ProtoWriter().packedVarints(1, shape).varint(2, 1).string(8, name);
  // Elements as a list of floats, as older exporters write them.
  if (data) return tensor.packedFloats(4, data);
  const [location, offset, length] = external!;
  for (const [key, value] of Object.entries({ location, offset: String(offset), length: String(length) })) {
    tensor.message(13, new ProtoWriter().string(1, key).string(2, value));
  }
  return tensor.varint(14, 1);
}

function valueProto([name, shape, type = 1]: ValueDraft): ProtoWriter {
  const dimensions = new ProtoWriter();
  for (const length of shape) {
    const dimension = new ProtoWriter();
    dimensions.message(1, typeof length === 'number' ? dimension.varint(1, length) : dimension.string(2, length));
  }
  const tensor = new ProtoWriter().varint(1, type).message(2, dimensions);
  return new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, tensor));
}

function graphProto({ nodes, tensors = [], inputs = [], outputs }: GraphDraft): ProtoWriter {
  const graph = new ProtoWriter().string(2, 'test');
  for (const node of nodes) graph.message(1, nodeProto(node));
  for (const tensor of tensors) graph.message(5, tensorProto(tensor));
  graph.string(10, 'a note on the graph');
  for (const value of inputs) graph.message(11, valueProto(value));
  for (const value of outputs) graph.message(12, valueProto(value));
  return graph;
}

const modelBytes = (graph: GraphDraft): Uint8Array<ArrayBuffer> =>
  new ProtoWriter()
    .varint(1, 8)
    .string(2, 'somebody')
    .string(6, 'a note on the model')
    .message(7, graphProto(graph))
    .message(8, new ProtoWriter().string(1, '').varint(2, 17))
    .message(14, new ProtoWriter().string(1, 'author').string(2, 'somebody'))
    .finish();

const ramp = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i));

/** x [N, 3, H, W] -> relu -> conv to 8 channels -> "block" -> pool -> "end", and a second head with weights of its own. */
const network: GraphDraft = {
  inputs: [['x', ['N', 3, 'H', 'W']]],
  tensors: [
    { name: 'w', shape: [8, 3, 4, 4], data: ramp(384) },
    { name: 'other', shape: [9, 3, 3, 3], data: ramp(243) },
    { name: 'small', shape: [1], data: Float32Array.of(2) },
  ],
  nodes: [
    { op: 'Mul', inputs: ['x', 'small'], outputs: ['scaled'] },
    { op: 'Conv', inputs: ['scaled', 'w'], outputs: ['conv'] },
    { op: 'Relu', inputs: ['conv'], outputs: ['relu'] },
    { op: 'Add', inputs: ['conv', 'relu'], outputs: ['block'] },
    { op: 'GlobalAveragePool', inputs: ['block'], outputs: ['end'] },
    { op: 'Conv', inputs: ['x', 'other'], outputs: ['second'] },
    { op: 'Shape', inputs: ['block'], outputs: ['size'] },
  ],
  outputs: [['end', ['N', 8, 1, 1]]],
};

const picture: FrontEndSource = {
  modality: 'visual',
  frontEnd: { width: 9, height: 7, mean: [0, 0, 0], std: [1, 1, 1] },
};
const common = { id: 'one', version: '1.0.0', license: 'MIT' };
const surgeryOf = (graph: GraphDraft) => ({ network: openNetwork(modelBytes(graph), 'net.onnx'), ort });

/** Raw bytes of the fields of one number in a graph. */
function rawFields(model: Uint8Array, field: number): string[] {
  const found: string[] = [];
  const reader = new ProtoReader(model, 'model');
  while (reader.next()) {
    if (reader.field !== 7) reader.skip();
    else {
      const graph = reader.message('graph');
      while (graph.next()) {
        if (graph.field === field) found.push(String(graph.bytes()));
        else graph.skip();
      }
    }
  }
  return found;
}

async function run(graph: Uint8Array, weights: Uint8Array | null, feed: ort.Tensor, input = 'x') {
  const externalData = weights ? { externalData: [{ path: 'weights', data: weights }] } : {};
  const session = await ort.InferenceSession.create(graph, externalData);
  try {
    return await session.run({ [input]: feed });
  } finally {
    await session.release();
  }
}

describe('a cut network', () => {
  const taps = [
    { value: 'block', name: 'visual.block' },
    { value: 'relu', name: 'relu' },
  ];
  const request = { taps, inputShape: [1, 3, 7, 9], location: 'weights' };

  test('keeps what the taps need as it was, and nothing else', () => {
    const bytes = modelBytes(network);
    const { graph, weights } = cutNetwork(openNetwork(bytes, 'net.onnx'), request);
    const { graph: cut, ...model } = readOnnx(graph);
    const { graph: whole, ...before } = readOnnx(bytes);
    expect(model).toEqual(before);
    expect(cut.nodes.map(({ opType }) => opType)).toEqual(['Mul', 'Conv', 'Relu', 'Add']);
    expect(cut.initializers.map(({ name, external }) => [name, external?.location])).toEqual([
      ['w', 'weights'],
      ['small', undefined],
    ]);
    expect(cut.inputs).toEqual([{ name: 'x', type: 'float32', shape: [1, 3, 7, 9] }]);
    expect(cut.outputs.map(({ name }) => name)).toEqual(['visual.block', 'relu']);
    expect(weights.byteLength).toBeLessThan(384 * 4 + 300);
    // All but the node that makes the renamed tap are the same to the byte, notes included; so is the small initializer.
    expect(rawFields(graph, 1).slice(0, 3)).toEqual(rawFields(bytes, 1).slice(0, 3));
    expect(rawFields(graph, 5)[1]).toBe(rawFields(bytes, 5)[2]);
    expect(rawFields(graph, 10)).toEqual(rawFields(bytes, 10));
    expect(whole.nodes).toHaveLength(7);
  });

  test('computes what the whole one did', async () => {
    const exposed = { ...network, outputs: [...network.outputs, ['block', ['N', 8, 'h', 'w']] as ValueDraft] };
    const feed = new ort.Tensor('float32', ramp(189), [1, 3, 7, 9]);
    const { block } = await run(modelBytes(exposed), null, feed);
    const { graph, weights } = cutNetwork(openNetwork(modelBytes(network), 'net.onnx'), request);
    const results = await run(graph, weights, feed);
    expect(results['visual.block']!.dims).toEqual([1, 8, 4, 6]);
    expect(results['visual.block']!.data).toEqual(block!.data);
  });

  test('takes weights from files beside it', async () => {
    const file = new Uint8Array([9, 9, 9, 9, ...new Uint8Array(ramp(384).buffer)]);
    const [w, ...rest] = network.tensors!;
    const outside = {
      ...network,
      tensors: [
        { name: w!.name, shape: w!.shape, external: ['data.bin', 4, 1536] as [string, number, number] },
        ...rest,
      ],
    };
    const open = openNetwork(modelBytes(outside), 'net.onnx');
    const inside = cutNetwork(openNetwork(modelBytes(network), 'net.onnx'), request);
    expect(cutNetwork(open, request, () => file).weights).toEqual(inside.weights);
    expect(() => cutNetwork(open, request, () => file.subarray(8))).toThrow(
      'net.onnx: initializer "w" lies at byte 4 of data.bin, which ends before.',
    );
  });

  test('values that inner graphs read keep their names', async () => {
    const inner = (op: string): ProtoWriter =>
      graphProto({ nodes: [{ op, inputs: ['a'], outputs: [`${op}-out`] }], outputs: [[`${op}-out`, [1, 2, 3]]] });
    const attribute = (name: string, graph: ProtoWriter): ProtoWriter =>
      new ProtoWriter().string(1, name).message(6, graph).varint(20, 5);
    const branching: GraphDraft = {
      inputs: [['x', [1, 2, 3]]],
      tensors: [{ name: 'zero', shape: [], data: Float32Array.of(0) }],
      nodes: [
        { op: 'Abs', inputs: ['x'], outputs: ['a'] },
        {
          op: 'ReduceMax',
          inputs: ['x'],
          outputs: ['most'],
          attributes: [new ProtoWriter().string(1, 'keepdims').varint(3, 0).varint(20, 2)],
        },
        { op: 'Greater', inputs: ['most', 'zero'], outputs: ['positive'] },
        {
          op: 'If',
          inputs: ['positive'],
          outputs: ['b'],
          attributes: [attribute('then_branch', inner('Neg')), attribute('else_branch', inner('Exp'))],
        },
      ],
      outputs: [['b', [1, 2, 3]]],
    };
    const names = [
      { value: 'a', name: 'audio.a' },
      { value: 'b', name: 'audio.b' },
    ];
    const opened = openNetwork(modelBytes(branching), 'net.onnx');
    const { graph, weights } = cutNetwork(opened, { ...request, taps: names, inputShape: [1, 2, 3] });
    const results = await run(graph, weights, new ort.Tensor('float32', [-1, 2, -3, 4, 5, -6], [1, 2, 3]));
    expect([...(results['audio.a']!.data as Float32Array)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(results['audio.b']!.data as Float32Array)]).toEqual([-1, -2, -3, -4, -5, -6]);
  });
});

describe('a package', () => {
  test('says the shapes that a run gave', async () => {
    const { manifest, files } = await tapBackbone(
      { ...picture, ...common, taps: ['block', 'end'] },
      surgeryOf(network),
    );
    expect(manifest.taps.visual).toEqual([
      { name: 'visual.block', layout: 'map', tokens: 24, width: 8, grid: [4, 6] },
      { name: 'visual.end', layout: 'map', tokens: 1, width: 8, grid: [1, 1] },
    ]);
    expect(manifest.inputs).toEqual({ visual: { ...picture.frontEnd, input: 'x' }, audio: null });
    expect(readOnnx(files['model.onnx']!).graph.outputs).toEqual([
      { name: 'visual.block', type: 'float32', shape: [1, 8, 4, 6] },
      { name: 'visual.end', type: 'float32', shape: [1, 8, 1, 1] },
    ]);
  });

  test('of a network with operators that are not run is refused', async () => {
    const looping = { ...network, nodes: [...network.nodes] };
    looping.nodes[2] = { op: 'Loop', inputs: ['conv'], outputs: ['relu'] };
    const wanted = { code: 'invalid-file', message: expect.stringContaining('operators that are not run: "Loop"') };
    const surgery = surgeryOf(looping);
    await expect(tapBackbone({ ...picture, ...common, taps: ['end'] }, surgery)).rejects.toMatchObject(wanted);
    await expect(listTaps(surgery, [1, 3, 7, 9])).rejects.toMatchObject(wanted);
  });

  const twoInputs: GraphDraft = {
    inputs: [
      ['x', [1, 3, 7, 9]],
      ['y', [1, 3, 7, 9]],
    ],
    nodes: [{ op: 'Add', inputs: ['x', 'y'], outputs: ['sum'] }],
    outputs: [['sum', [1, 3, 7, 9]]],
  };
  const channelsLast: GraphDraft = {
    inputs: [['x', [1, 7, 9, 3]]],
    nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['r'] }],
    outputs: [['r', [1, 7, 9, 3]]],
  };
  test.each<[string, GraphDraft, string[], string, RegExp, RegExp]>([
    ['no taps', network, [], 'invalid-argument', /No tap was named/, /--list/],
    ['a wrong name', network, ['blok'], 'not-found', /no node computes a value named "blok"/, /like it: block, /],
    ['an initializer', network, ['w'], 'not-found', /named "w"/, /like it/],
    ['whole numbers', network, ['size'], 'incompatible', /"size" is int64 \[4\]; a tap must be float32/, /--list/],
    [
      'two inputs',
      twoInputs,
      ['sum'],
      'incompatible',
      /depend on the inputs (x, y|y, x); expected exactly one/,
      /one branch/,
    ],
    [
      'channels last',
      channelsLast,
      ['r'],
      'incompatible',
      /takes x: float32 \[1,7,9,3\], but is to be fed float32 \[1, 3, 7, 9\]/,
      /channels first/,
    ],
  ])('is not made of %s', async (_name, graph, taps, code, message, hint) => {
    await expect(tapBackbone({ ...picture, ...common, taps }, surgeryOf(graph))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  test('is not made for an input that the network fails on', async () => {
    const tiny: FrontEndSource = { ...picture, frontEnd: { ...picture.frontEnd, width: 2, height: 2 } };
    await expect(tapBackbone({ ...tiny, ...common, taps: ['block'] }, surgeryOf(network))).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringContaining('net.onnx: the network does not run on an input of [1, 3, 2, 2]'),
    });
  });

  test('candidates are outputs, residual sums and the last values before a change of size', async () => {
    const found = await listTaps(surgeryOf(network), [1, 3, 7, 9]);
    expect(found).toEqual([
      { value: 'scaled', shape: [1, 3, 7, 9], op: 'Mul', reason: 'before a change of size' },
      { value: 'block', shape: [1, 8, 4, 6], op: 'Add', reason: 'residual sum' },
      { value: 'end', shape: [1, 8, 1, 1], op: 'GlobalAveragePool', reason: 'output' },
    ]);
  });
});

test.each<[string, string[], RegExp]>([
  ['nothing', [], /"mettle backbone" needs a name: add, import or tap/],
  ['an unknown name', ['cut'], /"mettle backbone cut" is no command/],
  ['no file', ['tap', '--list'], /Expected one MODEL.onnx, got 0/],
  ['no --out', ['tap', 'NET', '--tap', 'block'], /--out DIR is missing/],
  ['a size that is none', ['tap', 'NET', '--size', '9', '--out', 'OUT'], /--size "9" is no size/],
  ['a sense that is none', ['tap', 'NET', '--modality', 'smell', '--out', 'OUT'], /expected picture or sound/],
  ['sounds without a front end', ['tap', 'NET', '--modality', 'sound', '--out', 'OUT'], /need --front-end/],
  ['a front end with a fault', ['tap', 'NET', '--front-end', 'BAD', '--out', 'OUT'], /bad.json: height: missing/],
  ['a file that is no network', ['tap', 'BAD', '--size', '9x7', '--tap', 'a', '--out', 'OUT'], /bad\.json/],
  [
    'a folder that holds files',
    ['tap', 'NET', '--size', '9x7', '--tap', 'block', '--out', 'FULL'],
    /holds files already/,
  ],
])('the command refuses %s with one line and one hint, and leaves nothing', async (_name, argv, message) => {
  const folder = await mkdtemp(join(tmpdir(), 'mettle-taps-'));
  try {
    await writeFile(join(folder, 'net.onnx'), modelBytes(network));
    await writeFile(join(folder, 'bad.json'), '{"width": 9}');
    const places: Record<string, string> = { NET: 'net.onnx', BAD: 'bad.json', OUT: 'out', FULL: '.' };
    const before = await readdir(folder);
    let err = '';
    const code = await main(['backbone', ...argv.map((word) => (places[word] ? join(folder, places[word]) : word))], {
      stdout: { write: () => {} },
      stderr: { write: (text) => (err += text) },
    });
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).toMatch(/^mettle: .*\nhint: .*\n$/);
    expect(await readdir(folder)).toEqual(before);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
