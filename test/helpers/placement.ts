/** Asks onnxruntime-node where it would put the nodes of a package's WebGPU graphs. Needs a Vulkan driver. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Manifest } from '../../sdk/contract/manifest.ts';
import { graphsOf } from '../../sdk/engine/variant.ts';
import { type Placement, readPlacement } from '../../sdk/onnx/placement.ts';
import { vulkanDriver } from './vulkan.ts';

export type GpuGraph = { name: string; graph: string; weights: string };

/** Paths of the WebGPU graphs of the package in `folder`, in half precision where it has such, and of their weights. */
export function gpuGraphs(folder: string): GpuGraph[] {
  const manifest = JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8')) as Manifest;
  return graphsOf(manifest, 'webgpu-f16').map(({ graph, weights }) => ({
    name: `${manifest.id}/${graph}`,
    graph: `${folder}/${graph}`,
    weights: `${folder}/${weights}`,
  }));
}

/** Folders of the packages that ship. */
export function shippedFolders(): string[] {
  const adapters = fileURLToPath(new URL('../../adapters/', import.meta.url));
  const registry = JSON.parse(readFileSync(`${adapters}registry.json`, 'utf8')) as Record<string, { manifest: string }>;
  return Object.values(registry).map(({ manifest }) => adapters + manifest.replace('/manifest.json', ''));
}

/** In a process of its own, for its log. Throws where no session could be created. */
export function placeOnGpu(graph: string, weights?: string): Placement {
  const script = fileURLToPath(new URL('./place.mjs', import.meta.url));
  const env = {
    ...process.env,
    VK_ICD_FILENAMES: vulkanDriver,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  };
  const files = weights ? [graph, weights] : [graph];
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...files], {
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 30,
  });
  return readPlacement(stdout + stderr);
}

/** True if every node lies on the GPU and nothing is copied. */
export const isWhole = ({ nodes, copies }: Placement): boolean =>
  Object.keys(nodes).join() === 'WebGpuExecutionProvider' && !copies;
