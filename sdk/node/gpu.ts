/** Which GPU onnxruntime-node's WebGPU will most likely take. The runtime does not tell, so the machine is asked. */
import { readdir, readFile } from 'node:fs/promises';
import process from 'node:process';

export type FoundGpu = { name: string; software: boolean };

const vendors: Record<string, string> = {
  '0x10de': 'NVIDIA',
  '0x1002': 'AMD',
  '0x8086': 'Intel',
  '0x106b': 'Apple',
  '0x13b5': 'Arm',
};

/** Never throws. Where nothing is found, a software driver is all that can answer. */
export async function findGpu(): Promise<FoundGpu> {
  const chosen = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (chosen && /swiftshader|lvp_|llvmpipe/i.test(chosen)) return { name: `software driver ${chosen}`, software: true };
  if (process.platform === 'darwin') return { name: 'the GPU of this Mac', software: false };
  if (process.platform === 'win32') return { name: 'the first GPU of Windows', software: false };
  const name = (await nvidia()) ?? (await card());
  return name ? { name, software: false } : { name: 'no GPU, so a software driver', software: true };
}

async function nvidia(): Promise<string | null> {
  const folder = '/proc/driver/nvidia/gpus';
  for (const gpu of await readdir(folder).catch(() => [])) {
    const text = await readFile(`${folder}/${gpu}/information`, 'utf8').catch(() => '');
    const model = /Model:\s*(.+)/.exec(text)?.[1];
    if (model) return model.trim();
  }
  return null;
}

async function card(): Promise<string | null> {
  const folder = '/sys/class/drm';
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/^card\d+$/.test(name)) continue;
    const vendor = (await readFile(`${folder}/${name}/device/vendor`, 'utf8').catch(() => '')).trim();
    if (vendors[vendor]) return `${vendors[vendor]} GPU (${name})`;
  }
  return null;
}
