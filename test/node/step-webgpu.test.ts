/**
 * Training on onnxruntime-node's WebGPU, its state kept on the GPU, against the CPU; in a process of its own, because a Vulkan driver is chosen by environment
 * before the first use. Without a GPU, the software driver that comes with Chromium serves.
 */

import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { expectTraining } from '../helpers/training-cases.ts';
import { noVulkan, vulkanDriver } from '../helpers/vulkan.ts';

const skipped = noVulkan && ` (skipped: ${noVulkan})`;

describe.skipIf(skipped)(`training on webgpu in Node${skipped}`, () => {
  test('gives the losses and weights of the CPU, and goes on after its state was read', {
    timeout: 300_000,
  }, async () => {
    process.env.VK_ICD_FILENAMES = vulkanDriver;
    process.env.XDG_RUNTIME_DIR ??= tmpdir();
    const runtime = await runtimes.loadRuntime({ device: 'webgpu' });
    expect(runtime.device).toBe('webgpu');
    await expectTraining(runtime);
  });
});
