/**
 * `npx tsx adapters/nano/package.ts PICTURES SOUNDS DIR`: a backbone package, in float32, of two trainings on their way, to be judged. PICTURES and SOUNDS are checkpoints
 * (`OUT.work/checkpoint.safetensors`), of which the moving average is taken, or finished weights.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { backboneParams } from '../../sdk/models/backbone.ts';
import { type PresetName, presets } from '../../sdk/models/presets.ts';
import { readSafetensors, toFloat32, writeSafetensors } from '../../sdk/onnx/safetensors.ts';

const [pictures, sounds, out] = process.argv.slice(2);
if (pictures === undefined || sounds === undefined || out === undefined) {
  process.stderr.write('Usage: npx tsx adapters/nano/package.ts PICTURES SOUNDS DIR\n');
  process.exit(2);
}

/** The backbone's own weights. */
async function weightsOf(path: string, preset: PresetName): Promise<Uint8Array> {
  const { tensors } = readSafetensors(new Uint8Array(await readFile(path)), path);
  const own = [...backboneParams(presets[preset]).values()].map(({ name, shape }) => {
    const tensor = tensors.get(`average/${name}`) ?? tensors.get(name);
    if (!tensor) throw new Error(`${path} has no "${name}"`);
    return [name, { dtype: 'F32' as const, shape: [...shape], data: toFloat32(tensor) }] as const;
  });
  return writeSafetensors(Object.fromEntries(own));
}

const folder = await mkdtemp(join(tmpdir(), 'nano-'));
try {
  const [seen, heard] = [join(folder, 'seen.safetensors'), join(folder, 'heard.safetensors')];
  await writeFile(seen, await weightsOf(pictures, 'swin-v2-nano'));
  await writeFile(heard, await weightsOf(sounds, 'hts-at-nano'));
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href;
  const { status } = spawnSync(
    process.execPath,
    [
      ...['--import', tsx, join(root, 'sdk/cli/mettle.ts'), 'backbone', 'import', seen, heard],
      ...['--preset', 'swin-v2-nano', '--preset', 'hts-at-nano', '--id', 'nano-next', '--license', 'MIT', '--out', out],
    ],
    { stdio: 'inherit' },
  );
  process.exitCode = status ?? 130;
} finally {
  await rm(folder, { recursive: true, force: true });
}
