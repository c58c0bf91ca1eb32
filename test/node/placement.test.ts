/** Every shipped WebGPU graph lies wholly on the GPU, by the runtime's own account, and holds no operation that is known to be wrong there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { graphsOf } from '../../sdk/engine/variant.ts';
import type { Manifest } from '../../sdk/hub/manifest.ts';
import { type Placement, readPlacement } from '../../sdk/onnx/placement.ts';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { Graph, type Op } from '../../sdk/ops/index.ts';

const driver = process.env.VK_ICD_FILENAMES ?? '/usr/lib/chromium/vk_swiftshader_icd.json';
const skipped = existsSync(driver) ? '' : ` (skipped: no Vulkan driver at ${driver})`;

const adapters = fileURLToPath(new URL('../../adapters/', import.meta.url));
const registry = JSON.parse(readFileSync(`${adapters}registry.json`, 'utf8')) as Record<string, { manifest: string }>;
const graphs = Object.values(registry).flatMap(({ manifest }) => {
  const folder = `${adapters}${manifest.replace('manifest.json', '')}`;
  const parsed = JSON.parse(readFileSync(`${adapters}${manifest}`, 'utf8')) as Manifest;
  return graphsOf(parsed, 'webgpu').map(({ graph, weights }) => ({
    name: `${parsed.id}/${graph}`,
    graph: folder + graph,
    weights: folder + weights,
  }));
});

function place(...files: string[]): Placement {
  const script = fileURLToPath(new URL('../helpers/place.mjs', import.meta.url));
  const env = { ...process.env, VK_ICD_FILENAMES: driver, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir() };
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...files], { encoding: 'utf8', env });
  return readPlacement(stdout + stderr);
}

test.each(graphs)('$name holds no fused attention', ({ graph }) => {
  const { nodes } = readOnnx(new Uint8Array(readFileSync(graph))).graph;
  expect(nodes.length).toBeGreaterThan(20);
  expect(nodes.map(({ opType }) => opType)).not.toContain('MultiHeadAttention');
  expect(nodes.every(({ domain }) => domain === '')).toBe(true);
});

describe.skipIf(skipped)(`placement${skipped}`, () => {
  test.each(graphs)('$name lies wholly on the GPU', ({ graph, weights }) => {
    const { nodes, copies } = place(graph, weights);
    expect(Object.keys(nodes)).toEqual(['WebGpuExecutionProvider']);
    expect(copies).toBe(false);
  });

  test('an operation that the GPU lacks is found out', () => {
    const spaceToDepth: Op = {
      name: 'spaceToDepth',
      emit: (to, _value, inputs, output) => to.node('SpaceToDepth', inputs, [output], { blocksize: 2 }),
    };
    const graph = new Graph();
    const x = graph.input('x', [1, 1, 4, 4]);
    const file = `${mkdtempSync(`${tmpdir()}/mettle-`)}/graph.onnx`;
    writeFileSync(file, writeOnnx({ y: graph.apply(spaceToDepth, [x], {}, [1, 4, 2, 2]) }));
    expect(place(file).nodes).toHaveProperty('CPUExecutionProvider');
  });
});
