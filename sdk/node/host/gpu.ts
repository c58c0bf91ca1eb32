/** Which GPU onnxruntime-node's WebGPU will most likely take. The runtime does not tell, so the machine is asked. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

export type FoundGpu = { name: string; software: boolean };

/** What is asked: the environment, the system's name, and the folder that `/proc` and `/sys` lie in. */
export type Machine = { env: Record<string, string | undefined>; platform: string; root: string };

const vendors: Record<string, string> = {
  '0x10de': 'NVIDIA',
  '0x1002': 'AMD',
  '0x8086': 'Intel',
  '0x106b': 'Apple',
  '0x13b5': 'Arm',
};

const here: Machine = { env: process.env, platform: process.platform, root: '/' };

/** Never throws. Where nothing is found, a software driver is all that can answer. */
export async function findGpu({ env, platform, root }: Machine = here): Promise<FoundGpu> {
  const chosen = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;
  if (chosen && /swiftshader|lvp_|llvmpipe/i.test(chosen)) return { name: `software driver ${chosen}`, software: true };
  if (platform === 'darwin') return { name: 'the GPU of this Mac', software: false };
  if (platform === 'win32') return { name: 'the first GPU of Windows', software: false };
  const name = (await nvidia(root)) ?? (await card(root));
  return name ? { name, software: false } : { name: 'no GPU, so a software driver', software: true };
}

async function nvidia(root: string): Promise<string | null> {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  for (const gpu of await readdir(folder).catch(() => [])) {
    const text = await readFile(join(folder, gpu, 'information'), 'utf8').catch(() => '');
    const model = /Model:\s*(.+)/.exec(text)?.[1];
    if (model) return model.trim();
  }
  return null;
}

async function card(root: string): Promise<string | null> {
  const folder = join(root, 'sys/class/drm');
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/^card\d+$/.test(name)) continue;
    const vendor = (await readFile(join(folder, name, 'device/vendor'), 'utf8').catch(() => '')).trim();
    if (vendors[vendor]) return `${vendors[vendor]} GPU (${name})`;
  }
  return null;
}
