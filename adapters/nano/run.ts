/**
 * `npx tsx adapters/nano/run.ts --data DIR --work DIR --sense pictures|sounds [-- OPTIONS]`: pretrains one of nano's networks on real material. Makes the teachers and
 * the folder of material in WORK if they are not there, then runs `mettle pretrain --resume`, whose other OPTIONS follow `--`; without them it begins with what lies in `adapters/checkpoints`.
 * It runs until it is stopped: Ctrl-C leaves a checkpoint, and the same command goes on.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { readSafetensors } from '../../sdk/onnx/safetensors.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = resolve(here, '../..');
/** TypeScript without a process between, which would pass on every signal a second time. */
const tsx = ['--import', pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' }, work: { type: 'string' }, sense: { type: 'string' } },
});
const { sense } = values;
if (!values.data || !values.work || (sense !== 'pictures' && sense !== 'sounds')) {
  process.stderr.write(
    'Usage: npx tsx adapters/nano/run.ts --data DIR --work DIR --sense pictures|sounds [-- OPTIONS of mettle pretrain]\n',
  );
  process.exit(2);
}
const data = resolve(values.data);
const work = resolve(values.work);
mkdirSync(work, { recursive: true });

function run(args: readonly string[]): void {
  process.stdout.write(`node ${args.join(' ')}\n`);
  const { status, signal } = spawnSync(process.execPath, [...tsx, ...args], { cwd: work, stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`It ended with ${signal ?? status}. Start again to go on.\n`);
    process.exit(status ?? 130);
  }
}

const mettle = join(root, 'sdk/cli/mettle.ts');
/** (pixel - 128) / 128. */
const signed = ['--mean', '0.50196078,0.50196078,0.50196078', '--std', '0.50196078,0.50196078,0.50196078'];
const seen = ['--size', '128x128', ...signed];
const heard = ['--modality', 'sound', '--front-end', join(here, '../everyday/yamnet.json')];

type Network = { id: string; model: string; taps: string[]; input: string[] };
const networks: Record<'pictures' | 'sounds', Network[]> = {
  pictures: [
    { id: 'mobilenetv2', model: 'mobilenetv2', taps: ['tap_12', 'head', 'logits'], input: seen },
    { id: 'deeplabv3', model: 'deeplabv3_mnv2', taps: ['aspp_merge'], input: seen },
  ],
  sounds: [{ id: 'yamnet', model: 'yamnet', taps: ['tap_11', 'tap_13', 'logits'], input: heard }],
};

/** How often each source is drawn from. */
const shares = {
  pictures: {
    'pictures/caltech101': 6,
    'pictures/grocery': 1,
    'pictures/clothing': 1,
    'pictures/coco': 0.4,
    films: 0.3,
  },
  sounds: {
    'sounds/esc10': 3,
    'sounds/mod-sounds': 3,
    'sounds/max': 0.6,
    'sounds/librosa': 1,
    'sounds/blanket': 1,
    'sounds/sonic-pi': 0.7,
    'sounds/asterisk': 0.6,
    'sounds/melodies': 1.6,
    'sounds/sentences': 0.4,
    films: 0.4,
  },
};
const plans = {
  pictures: ['--preset', 'swin-v2-nano', '--made', '0.1', '--batch', '32', '--steps', '62500'],
  sounds: ['--preset', 'hts-at-nano', '--made', '0.12', '--batch', '32', '--steps', '62500'],
};

for (const { id, model, taps, input } of networks[sense]) {
  if (existsSync(join(work, 'teachers', id))) continue;
  const named = taps.flatMap((tap) => ['--tap', tap]);
  const about = ['--id', id, '--license', 'Apache-2.0', '--out', `teachers/${id}`];
  run([mettle, 'backbone', 'tap', join(data, 'backbones', model, 'model.onnx'), ...input, ...named, ...about]);
}
if (!existsSync(join(work, 'material/README.txt'))) {
  run([join(here, 'material.ts'), '--data', data, '--out', 'material']);
}
/** The number of a view that the training of a checkpoint has not come to: it has made fewer than it has visited. */
function unseenFrom(path: string): number {
  const { metadata } = readSafetensors(new Uint8Array(readFileSync(path)), path);
  const { start, visits } = JSON.parse(metadata.mettle!) as { start: number; visits: number };
  return Math.ceil((start + visits) / 10_000) * 10_000;
}

const checkpoints = join(root, 'adapters/checkpoints');
const parts = existsSync(checkpoints) ? readdirSync(checkpoints).filter((name) => name.startsWith(`${sense}-`)) : [];
const begin = parts.sort().flatMap((name) => ['--from', join(checkpoints, name)]);
if (parts[0] !== undefined) begin.push('--start', String(unseenFrom(join(checkpoints, parts[0]))));
run([
  ...[mettle, 'pretrain', ...plans[sense], '--rate', '0.001', '--fall', '0.2', '--reuse', '4', '--seed', '2'],
  ...networks[sense].flatMap(({ id }) => ['--teacher', `./teachers/${id}`]),
  ...Object.entries(shares[sense]).flatMap(([name, share]) => ['--material', `material/${name}=${share}`]),
  ...['--resume', '--out', `${sense}.safetensors`],
  ...(positionals.length > 0 ? positionals : begin),
]);
