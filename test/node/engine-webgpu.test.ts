/**
 * The engine on onnxruntime-node's WebGPU, in a process of its own: a Vulkan driver is chosen by environment before the first use. Without a GPU, the software
 * driver that comes with Chromium serves.
 */

import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runtimes } from '#runtimes';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { loadModel } from '../../sdk/hub/hub.ts';
import { expectReferenceNumbers, expectShortClip } from '../helpers/engine-cases.ts';
import { tinyModels } from '../helpers/tiny-models.ts';
import { noVulkan, vulkanDriver } from '../helpers/vulkan.ts';

const skipped = noVulkan && ` (skipped: ${noVulkan})`;

describe.skipIf(skipped)(`engine on webgpu in Node${skipped}`, () => {
  it('gives the reference numbers', async () => {
    process.env.VK_ICD_FILENAMES = vulkanDriver;
    process.env.XDG_RUNTIME_DIR ??= tmpdir();
    const engine = new LocalEngine(runtimes);
    const info = await engine.load({ ...tinyModels(), device: 'webgpu' });
    expect(info).toMatchObject({ device: 'webgpu', variant: 'webgpu', threads: 1 });
    expect(info.why[0]).toBe('WebGPU was asked for.');
    await expectReferenceNumbers(engine);
    await expectShortClip(engine);
    await engine.dispose();
  });

  it('loads the shipped models, whose canaries are read from the GPU', async () => {
    process.env.VK_ICD_FILENAMES = vulkanDriver;
    process.env.XDG_RUNTIME_DIR ??= tmpdir();
    const backbone = await loadModel('nano', 'backbone', 'webgpu');
    expect(backbone.manifest.canary).not.toBeNull();
    const adapter = await loadModel('toybox-s4', 'adapter', 'webgpu');
    const engine = new LocalEngine(runtimes);
    expect(await engine.load({ backbone, adapters: [adapter], device: 'webgpu' })).toMatchObject({ device: 'webgpu' });
    await engine.dispose();
  });
});
