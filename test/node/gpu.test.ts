/** Which GPU a machine is found to have, read from made-up files. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findGpu } from '../../sdk/node/host/gpu.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-gpu-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('the GPU is called by its name', async () => {
  const machine = async (name: string, path: string, text: string) => {
    const fake = join(root, name);
    await mkdir(join(fake, path, '..'), { recursive: true });
    await writeFile(join(fake, path), text);
    return { env: {}, platform: 'linux', root: fake };
  };
  const information = 'Model: \t\t NVIDIA H200\nIRQ:   \t\t 42\n';
  const nvidia = await machine('nvidia', 'proc/driver/nvidia/gpus/0000:1b:00.0/information', information);
  expect(await findGpu(nvidia)).toEqual({ name: 'NVIDIA H200', software: false });
  const amd = await machine('amd', 'sys/class/drm/card1/device/vendor', '0x1002\n');
  expect(await findGpu(amd)).toEqual({ name: 'AMD GPU (card1)', software: false });
  const none = { env: {}, platform: 'linux', root: join(root, 'no-gpu') };
  expect(await findGpu(none)).toMatchObject({ software: true });
  expect(await findGpu({ ...amd, env: { VK_ICD_FILENAMES: '/x/vk_swiftshader_icd.json' } })).toMatchObject({
    software: true,
  });
});
