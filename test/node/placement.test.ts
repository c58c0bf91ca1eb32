/** Every WebGPU graph lies wholly on the GPU, by the runtime's own account, and holds no operation that is known to be wrong there. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { compileBackbone } from '../../sdk/compile/backbone.ts';
import type { Files } from '../../sdk/compile/graph-files.ts';
import { exactForms, type Form } from '../../sdk/compile/variants.ts';
import { defaultAdapter } from '../../sdk/models/adapter.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { Graph, type Op } from '../../sdk/ops/index.ts';
import { evaluate } from '../helpers/evaluate.ts';
import { type GpuGraph, gpuGraphs, isWhole, placeOnGpu, shippedFolders } from '../helpers/placement.ts';
import { noVulkan } from '../helpers/vulkan.ts';

const skipped = noVulkan && ` (skipped: ${noVulkan})`;
const folder = mkdtempSync(`${tmpdir()}/mettle-`);
afterAll(() => rmSync(folder, { recursive: true }));

/** Graphs of a small backbone in this form. */
async function graphsIn(form: Form): Promise<GpuGraph[]> {
  const source = {
    id: form,
    version: '0.1.0',
    license: 'MIT',
    presets: ['hts-at-nano'],
    weights: { seed: 1 },
  } as const;
  const { files } = await compileBackbone({ ...source, forms: { webgpu: form, wasm: form } }, evaluate);
  return written(form, files);
}

/** Graphs in half precision: of both senses and of the adapters. */
async function halfGraphs(): Promise<GpuGraph[]> {
  const common = { version: '0.1.0', license: 'MIT', weights: { seed: 1 } };
  const forms = { ...exactForms, 'webgpu-f16': 'float16' } as const;
  const presets = ['swin-v2-nano', 'hts-at-nano'] as const;
  const { manifest, files } = await compileBackbone({ id: 'half', ...common, presets, forms }, evaluate);
  const graphs = written('half', files);
  for (const task of ['localize', 'parse', 'segment'] as const) {
    const config = { ...defaultAdapter, task, classes: task === 'segment' ? [] : ['a', 'b'] };
    const adapter = await compileAdapter({ id: `half-${task}`, ...common, config, forms }, manifest, evaluate);
    graphs.push(...written(`half-${task}`, adapter.files));
  }
  return graphs;
}

function written(name: string, files: Files): GpuGraph[] {
  mkdirSync(`${folder}/${name}`);
  for (const [path, bytes] of Object.entries(files)) writeFileSync(`${folder}/${name}/${path}`, bytes);
  return gpuGraphs(`${folder}/${name}`);
}

const graphs = [
  ...shippedFolders().flatMap(gpuGraphs),
  ...(await graphsIn('block8')),
  ...(await graphsIn('block4')),
  ...(await halfGraphs()),
];

test.each(graphs)('$name holds no fused attention', ({ graph }) => {
  const { nodes } = readOnnx(new Uint8Array(readFileSync(graph))).graph;
  expect(nodes.length).toBeGreaterThan(20);
  const foreign = nodes.filter(({ domain }) => domain !== '').map(({ opType }) => opType);
  expect([...new Set(foreign)].filter((type) => type !== 'MatMulNBits')).toEqual([]);
});

describe.skipIf(skipped)(`placement${skipped}`, () => {
  test.each(graphs)('$name lies wholly on the GPU', ({ graph, weights }) => {
    const placement = placeOnGpu(graph, weights);
    expect(placement.nodes).toHaveProperty('WebGpuExecutionProvider');
    expect(isWhole(placement)).toBe(true);
  });

  test('an operation that the GPU lacks is found out', () => {
    const spaceToDepth: Op = {
      name: 'spaceToDepth',
      emit: (to, _value, inputs, output) => to.node('SpaceToDepth', inputs, [output], { blocksize: 2 }),
    };
    const graph = new Graph();
    const x = graph.input('x', [1, 1, 4, 4]);
    const file = `${folder}/graph.onnx`;
    writeFileSync(file, writeOnnx({ y: graph.apply(spaceToDepth, [x], {}, [1, 4, 2, 2]) }));
    expect(placeOnGpu(file).nodes).toHaveProperty('CPUExecutionProvider');
    expect(isWhole(placeOnGpu(file))).toBe(false);
  });

  test('integer products fall to the CPU: why GPUs get another form', async () => {
    const [audio] = await graphsIn('int8');
    expect(isWhole(placeOnGpu(audio!.graph, audio!.weights))).toBe(false);
  });
});
