/** What onnxruntime-node's WebGPU needs on Linux: a loader and a driver, if only the software driver that comes with Chromium. */
import { existsSync } from 'node:fs';

export const vulkanDriver = process.env.VK_ICD_FILENAMES ?? '/usr/lib/chromium/vk_swiftshader_icd.json';

const loaders = ['x86_64-linux-gnu/', 'aarch64-linux-gnu/', '../lib64/', ''].map(
  (folder) => `/usr/lib/${folder}libvulkan.so.1`,
);

/** Why there is none here; empty where there is one. */
export const noVulkan = !existsSync(vulkanDriver)
  ? `no Vulkan driver at ${vulkanDriver}`
  : loaders.some((path) => existsSync(path))
    ? ''
    : 'no libvulkan.so.1, which Debian has in libvulkan1';
